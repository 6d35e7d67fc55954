/*
 * fuzz-config.c: any text as a project file and, behind a NUL byte, as the user's own, for a
 * command line that names what both may name. A setting is adopted from the right file, a board of
 * a project file gets no secret, and whatever is refused is refused with the file and the line.
 */
#include "base/beneath.h"
#include "base/diag.h"
#include "base/error.h"
#include "base/escape.h"
#include "cli/config_boards.h"
#include "cli/config_options.h"
#include "config/config.h"
#include "config/config_text.h"
#include "require.h"
#include "target_promise.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_failure(const struct ota_failure *failure)
{
    require(failure->error == OTA_E_USAGE && escape_is_printable(failure->message));
}

/* The copy has exactly this size, so that AddressSanitizer reports a read behind it. */
static enum ota_error add(struct config *config, const struct config_file *file,
                          const uint8_t *data, size_t size, struct ota_failure *failure)
{
    char *text = malloc(size ? size : 1);
    if (!text)
        return ota_fail_no_memory(failure);

    memcpy(text, data, size);
    enum ota_error error = config_add(config, file, text, size, failure);
    free(text);
    if (error != OTA_OK)
        require(strncmp(failure->message, file->shown, strlen(file->shown)) == 0);
    return error;
}

static void check_config(const struct config *config)
{
    for (size_t i = 0; i < config->section_count; i++) {
        const struct config_section *section = &config->sections[i];

        require(strlen(section->name) <= CONFIG_SECTION_LENGTH);
        require(!strpbrk(section->name, "./:@ \t") && escape_is_harmless(section->name));
        require((section->kind == CONFIG_GENERAL) == (*section->name == '\0'));
        require(section->number > 0);
    }
    for (size_t i = 0; i < config->entry_count; i++)
        require(config->entries[i].section < config->section_count &&
                config->sections[config->entries[i].section].file == config->entries[i].file);
}

/* Whether a project file has named a board by this section, or by a group or ip. */
static void check_boards(const struct hosts *hosts, const struct command_line *line,
                         const struct config *config)
{
    for (size_t i = 0; i < hosts->count; i++) {
        require_target(&hosts->lines[i].target);
        require(hosts->lines[i].lacks_password == hosts->lines[i].lacks_key ||
                line->origin[OPTION_AUTH_FILE] || line->origin[OPTION_ENCRYPTION_KEY_FILE]);
    }
    if (config->section_count == 0)
        for (size_t i = 0; i < hosts->count; i++)
            require(!hosts->lines[i].lacks_password);
}

static void check_line(const struct command_line *line)
{
    static const enum option guarded[] = {OPTION_PROTOCOL,   OPTION_MIN_AUTH,  OPTION_USER,
                                          OPTION_CACERT,     OPTION_INSECURE,  OPTION_PEER,
                                          OPTION_VERIFY_KEY, OPTION_MD5_TARGET};

    for (size_t i = 0; i < sizeof guarded / sizeof *guarded; i++)
        require(!line->origin[guarded[i]] || !line->origin[guarded[i]]->file->is_project);
    require(!line->value[OPTION_AUTH] && !line->password);
    require(!line->value[OPTION_LOG] && !line->value[OPTION_OUTPUT] && !line->value[OPTION_HOSTS]);
}

static void use(const struct config *config, bool names_boards)
{
    struct ota_failure failure = {.error = OTA_OK};
    struct command_line line = {.typed[OPTION_IP] = names_boards};
    const struct config_environment environment = {.has_password = false};
    struct hosts hosts = {0};

    line.given[OPTION_IP] = names_boards;
    for (size_t i = 0; names_boards && i < config->section_count; i++)
        if (config->sections[i].kind == CONFIG_BOARD)
            require(strings_add(&line.boards, strdup(config->sections[i].name)) == 0);

    enum ota_error error = config_options_adopt(&line, config, &environment, &failure);
    if (error == OTA_OK)
        error = config_boards_resolve(&hosts, &line, config, &failure);
    if (error == OTA_OK) {
        check_line(&line);
        check_boards(&hosts, &line, config);
        config_boards_warn(&hosts, &line, config, true, true);
    } else {
        check_failure(&failure);
    }
    hosts_free(&hosts);
    command_line_free(&line);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char project_name[] = "project", own_name[] = "own", folder[] = "/nonexistent/";
    const struct config_file project = {
        .shown = project_name, .folder = folder, .is_project = true};
    const struct config_file own = {.shown = own_name, .folder = folder};
    const uint8_t *end = memchr(data, '\0', size);
    const size_t length = end ? (size_t)(end - data) : size;
    struct config config = {0};
    struct ota_failure failure = {.error = OTA_OK};

    diag_set_level(DIAG_LEVEL_ERROR);
    enum ota_error error = add(&config, &project, data, length, &failure);
    if (error == OTA_OK && end)
        error = add(&config, &own, end + 1, size - length - 1, &failure);
    if (error == OTA_OK) {
        check_config(&config);
        error = config_options_check(&config, &failure);
    }
    if (error == OTA_OK)
        error = config_boards_check(&config, &failure);

    if (error == OTA_OK) {
        use(&config, false);
        use(&config, true);
    } else {
        check_failure(&failure);
    }
    config_free(&config);
    beneath_forget();
    return 0;
}
