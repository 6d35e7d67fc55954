/*
 * operands.c: see operands.h.
 */
#include "cli/operands.h"

#include "base/address.h"
#include "base/error.h"
#include "base/escape.h"
#include "base/input.h"
#include "base/text.h"
#include "cli/options_use.h"
#include "cli/spelling.h"
#include "cli/subcommand.h"
#include "discovery/target.h"
#include "secrets/shown.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

bool operands_is_file(const char *word)
{
    struct stat status;
    bool is_url = strstr(word, "://") != NULL;

    if (input_is_standard(word) || (stat(word, &status) == 0 && S_ISREG(status.st_mode)))
        return true;
    return !is_url && !target_is_serial_port(word) &&
           (strchr(word, '/') || target_is_file_name(word));
}

/* Does not show an argument that is no option: it may be "-a" and the password. */
static enum ota_error reject_long_dash(const char *text, struct ota_failure *failure)
{
    char spelled[SPELLING_MAX];

    if (!spelling_correct(spelled, text))
        return ota_fail(
            failure, OTA_E_USAGE,
            "an argument begins with a long dash, perhaps copied from a web page; options "
            "begin with '-' or '--'");
    return ota_fail(failure, OTA_E_USAGE,
                    "'%.3s%s' begins with a long dash, perhaps copied from a web page; write '%s'",
                    text, spelled + strspn(spelled, "-"), spelled);
}

/* A shell makes several words of "-f *.bin" and "--match lab-*", or of a name with spaces. */
static const struct single {
    enum option option;
    const char *takes;
    const char *advice;
} singles[] = {
    {OPTION_FILE, "file", "name the one to send, and put a name that contains spaces in quotes"},
    {OPTION_MATCH, "pattern", "put it in quotes, or the shell replaces it by the names of files"},
    {OPTION_BOARD, "pattern", "put it in quotes, or the shell replaces it by the names of files"},
};

static bool exists(const char *path)
{
    struct stat status;

    return stat(path, &status) == 0;
}

/* Whether both names begin with the same folder. */
static bool is_same_folder(const char *path, const char *other)
{
    const char *slash = strrchr(path, '/'), *other_slash = strrchr(other, '/');
    const size_t length = slash ? (size_t)(slash - path) + 1 : 0;

    return length == (other_slash ? (size_t)(other_slash - other) + 1 : 0) &&
           strncmp(path, other, length) == 0;
}

static bool is_folder(const char *path)
{
    struct stat status;

    return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

/* The option whose value the word follows as a second one; NULL: there is none. A pattern names
 * nothing that exists, unless a shell has put that there; then an image may still follow. */
static const struct single *find_single(const struct operands *operands, const char *word,
                                        bool is_in_excess)
{
    const char *text = argv_mask_argument(operands->argv_mask, word);
    const int index = argv_mask_index(operands->argv_mask, word);

    for (size_t i = 0; i < sizeof singles / sizeof *singles; i++) {
        const int value_at = operands->value_at[singles[i].option];
        const char *value = operands->line->value[singles[i].option];

        if (value_at > 0 && index == value_at + 1 &&
            (singles[i].option == OPTION_FILE
                 ? is_in_excess
                 : exists(value) && exists(text) && is_same_folder(value, text) &&
                       !target_is_file_name(text)))
            return &singles[i];
    }
    return NULL;
}

/* words begin behind the value of the option; the message lists those up to the next option. */
static enum ota_error reject_several(const struct operands *operands, const struct single *single,
                                     const char *const *words, struct ota_failure *failure)
{
    enum { NAMED_MAX = 3 };
    const struct command_line *line = operands->line;
    char name[COMMAND_LINE_NAME_MAX], value[SPELLING_MAX];
    char list[NAMED_MAX * (SPELLING_MAX + 4)] = "", more[32] = "";
    size_t count = 0;
    int index = operands->value_at[single->option];
    bool is_value = true;

    for (; is_value && *words && argv_mask_index(operands->argv_mask, *words) == ++index; words++) {
        char shown[SPELLING_MAX];
        const char *text = argv_mask_argument(operands->argv_mask, *words);

        /* The words after an option with a long dash may be a password. */
        is_value = !spelling_long_dash(text);
        if (is_value && count++ < NAMED_MAX)
            text_append(list, sizeof list, "%s'%s'", *list ? ", " : "",
                        escape_board(shown, sizeof shown, text));
    }

    if (count > NAMED_MAX)
        snprintf(more, sizeof more, " and %zu more", count - NAMED_MAX);
    return ota_fail(failure, OTA_E_USAGE, "%s takes one %s, but '%s' is followed by %s%s; %s",
                    command_line_name(name, line, single->option), single->takes,
                    escape_string(value, sizeof value, line->value[single->option]), list, more,
                    single->advice);
}

/* The options name boards or an image, and a word does so again. */
static enum ota_error reject_second(const struct operands *operands, const char *const *words,
                                    bool is_file, struct ota_failure *failure)
{
    const struct command_line *line = operands->line;
    const char *text = argv_mask_argument(operands->argv_mask, *words);
    char shown[SHOWN_WORD_MAX];

    if (!is_file && subcommand_is_one(text))
        return subcommand_reject(text, failure);
    if (is_file)
        escape_string(shown, sizeof shown, text);
    else
        shown_word(shown, text, "="); /* "auth=PASSWORD" */
    if (!is_file && !line->given[OPTION_FILE] && is_folder(text))
        return ota_fail(failure, OTA_E_USAGE, "'%s' is a directory, not a firmware image", shown);
    if (is_file && target_is_file_name(text))
        return ota_fail(failure, OTA_E_USAGE,
                        "'%s' is taken for a file, but -f names the image; leave one of them out",
                        shown);
    if (is_file)
        return ota_fail(
            failure, OTA_E_USAGE,
            "'%s' is taken for a file, but -f names the image; to mean a board, write -i %s", shown,
            shown);
    if (line->given[OPTION_LIST])
        return ota_fail(failure, OTA_E_USAGE,
                        "unexpected argument '%s'; -l lists all boards, or those of --match "
                        "PATTERN",
                        shown);
    return ota_fail(failure, OTA_E_USAGE,
                    "unexpected argument '%s'; a value that contains spaces needs quotes, and a "
                    "further board -i before it",
                    shown);
}

/* A backslash was to continue the line. With a space behind it, a shell makes a word of that space;
 * a program that is no shell makes a word of the backslash. */
static enum ota_error reject_line_end(const char *text, struct ota_failure *failure)
{
    char shown[SHOWN_WORD_MAX];

    return ota_fail(
        failure, OTA_E_USAGE,
        "unexpected argument '%s'; a command goes on in the next line only where a shell "
        "reads it, and the line ends in a backslash with nothing behind it",
        escape_string(shown, sizeof shown, text));
}

/* Fails for a word that may be a password, or a part of one. */
static enum ota_error check_word(const struct operands *operands, const char *word,
                                 struct ota_failure *failure)
{
    const char *text = argv_mask_argument(operands->argv_mask, word);
    int index = argv_mask_index(operands->argv_mask, word);

    if (word[0] == '-' && word[1] != '\0')
        return ota_fail(failure, OTA_E_USAGE,
                        "unexpected arguments after '--'; leave the '--' out");
    if (index > 0 && index - 1 == operands->password_at)
        return ota_fail(failure, OTA_E_USAGE,
                        "no word can follow the password, as it may be a part of one with spaces; "
                        "put such a password in quotes, and words for board and image before -a");
    if (*text && text[strspn(text, " \t\\")] == '\0')
        return reject_line_end(text, failure);
    if (spelling_long_dash(text))
        return reject_long_dash(text, failure);
    if (spelling_is_script(text)) {
        char shown[SPELLING_MAX];

        return ota_fail(failure, OTA_E_USAGE,
                        "'%s' is a script for python, which esp-ota replaces; leave it out",
                        escape_string(shown, sizeof shown, text));
    }
    if (text[0] == '-' && text[1] != '\0') {
        char option[SPELLING_MAX];

        return ota_fail(failure, OTA_E_USAGE, "option '%s' takes no value",
                        spelling_name(option, text));
    }
    return OTA_OK;
}

static enum ota_error store_board(struct command_line *line, const char *text,
                                  struct ota_failure *failure)
{
    char *copy = strdup(text);

    if (!copy || strings_add(&line->boards, copy) < 0) {
        free(copy);
        return ota_fail_no_memory(failure);
    }
    line->given[OPTION_IP] = true;
    if (line->boards.count == 1 && subcommand_is_one(copy))
        line->subcommand = copy;
    if (!address_parse(&(struct address){0}, copy))
        line->word = copy;
    return OTA_OK;
}

static enum ota_error store_image(struct command_line *line, const char *text,
                                  struct ota_failure *failure)
{
    char first[SPELLING_MAX], second[SPELLING_MAX];

    if (line->value[OPTION_FILE])
        return ota_fail(failure, OTA_E_USAGE,
                        "'%s' and '%s' are both taken for files, and one image is sent; %s",
                        escape_string(first, sizeof first, line->value[OPTION_FILE]),
                        escape_string(second, sizeof second, text),
                        target_is_file_name(text) ? "leave one of them out"
                                                  : "to mean a board, write -i before it");

    line->value[OPTION_FILE] = strdup(text);
    if (!line->value[OPTION_FILE])
        return ota_fail_no_memory(failure);
    line->given[OPTION_FILE] = true;
    return OTA_OK;
}

enum ota_error operands_store(const struct operands *operands, const char *const *words,
                              struct ota_failure *failure)
{
    struct command_line *line = operands->line;
    const bool has_boards = options_name_boards(line->given) || line->given[OPTION_LIST];
    const bool has_image = line->given[OPTION_FILE];
    enum ota_error error = OTA_OK;

    for (; words && *words; words++) {
        const char *text = argv_mask_argument(operands->argv_mask, *words);

        /* An empty word comes from a quoted variable that is not set. espota.py ignores it. If
         * options give both board and image, it cannot stand for either. */
        bool is_empty_extra = text[0] == '\0' && has_boards && has_image;

        if (is_empty_extra || command_line_skips(line, NULL, text))
            continue;
        if (error == OTA_OK)
            error = check_word(operands, *words, failure);
        if (error == OTA_OK) {
            const bool is_file = operands_is_file(text);
            const bool is_in_excess = is_file ? has_image : has_boards;
            const struct single *single = find_single(operands, *words, is_in_excess);

            if (single)
                error = reject_several(operands, single, words, failure);
            else if (is_in_excess)
                error = reject_second(operands, words, is_file, failure);
            else
                error =
                    is_file ? store_image(line, text, failure) : store_board(line, text, failure);
        }
        if (error != OTA_OK)
            argv_mask_wipe(operands->argv_mask, *words);
    }
    return error;
}
