/*
 * target_mistakes.c: rejects what is probably no name of a board, but would count as the name of an
 * instance, which may be nearly any text.
 */
#include "discovery/target_internal.h"

#include "base/error.h"
#include "base/escape.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

/* What a part of a text is parsed as; TARGET_INSTANCE also if it is nothing else. */
static enum target_kind kind_of_part(const char *part, size_t length)
{
    char text[TARGET_NAME_MAX];
    struct target target;
    struct ota_failure ignored;

    if (length == 0)
        return TARGET_INSTANCE;

    memcpy(text, part, length);
    text[length] = '\0';
    return target_parse_board(&target, text, &ignored) == OTA_OK ? target.kind : TARGET_INSTANCE;
}

/* Whether this part of a text is an address or a host name with a dot. Instance names may contain
 * slashes, commas and spaces, but hardly between such parts. */
static bool is_host_part(const char *part, size_t length)
{
    const enum target_kind kind = kind_of_part(part, length);

    return kind == TARGET_ADDRESS || kind == TARGET_LOCAL || kind == TARGET_HOST;
}

/* How many hosts the text names, with commas, semicolons or spaces between, before or behind them;
 * 0 if another name is among them. takes_labels: a name without a dot is a host, too. */
static size_t count_listed(const char *text, bool takes_labels)
{
    static const char separators[] = ",; ";
    size_t count = 0, length;

    for (const char *part = text + strspn(text, separators); *part != '\0';
         part += length + strspn(part + length, separators)) {
        length = strcspn(part, separators);
        if (!is_host_part(part, length) &&
            !(takes_labels && kind_of_part(part, length) == TARGET_LABEL))
            return 0;
        count++;
    }
    return count;
}

enum ota_error target_reject_but_host(struct ota_failure *failure, const char *text,
                                      const char *what, const char *host, size_t length)
{
    char shown[TARGET_SHOWN_MAX], shown_host[TARGET_SHOWN_MAX];

    escape_board(shown, sizeof shown, text);
    escape_text(shown_host, sizeof shown_host, host, length);
    return ota_fail(failure, OTA_E_USAGE, "\"%s\" %s: write only \"%s\"", shown, what, shown_host);
}

/* Whether text must be meant as a pattern, perhaps with a port. Letters may be any beyond ASCII. */
static bool is_pattern(const char *text)
{
    if (!strchr(text, '*') && !strstr(text, "??"))
        return false;
    while (*text && ((unsigned char)*text >= 0x80 || strchr(TARGET_HOST_CHARACTERS "*?[]:", *text)))
        text++;
    return *text == '\0';
}

/* Whether the text is "USER:PASSWORD@HOST". It must not be looked up, as it would leave in a
 * query. */
static bool has_password(const char *text)
{
    const char *host = strrchr(text, '@');

    return host && !strchr(text, ' ') && memchr(text, ':', (size_t)(host - text));
}

bool target_is_serial_port(const char *text)
{
    static const char *const starts[] = {"/dev/tty", "/dev/serial/", "/dev/cu.", "/dev/rfcomm"};
    static const char windows[] = "COM";
    const char *number = text + sizeof windows - 1;

    for (size_t i = 0; i < sizeof starts / sizeof *starts; i++)
        if (strncmp(text, starts[i], strlen(starts[i])) == 0)
            return true;
    if (strncmp(text, windows, sizeof windows - 1) != 0)
        return false;

    const size_t digits = strspn(number, "0123456789");
    if (digits == 0)
        return false;
    number += digits;
    number += *number == '.';
    return *number == '\0' || *number == ':';
}

bool target_is_file_name(const char *text)
{
    static const char *const starts[] = {"~/", "./", "../"};
    static const char *const endings[] = {".bin", ".gz", ".elf", ".hex", ".uf2", ".signed"};
    const size_t length = strlen(text);

    for (size_t i = 0; i < sizeof starts / sizeof *starts; i++)
        if (strncmp(text, starts[i], strlen(starts[i])) == 0)
            return true;
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
        const size_t size = strlen(endings[i]);

        if (length > size && strcasecmp(text + length - size, endings[i]) == 0)
            return true;
    }
    return false;
}

/* Whether an address stands before the separator, and only such characters behind it. */
static bool begins_with_address(const char *text, const char *separator, const char *characters)
{
    const size_t length = strcspn(text, separator);
    struct address ignored;
    char address[TARGET_NAME_MAX];

    snprintf(address, sizeof address, "%.*s", (int)length, text);
    return text[length] && text[length + 1] && target_consists_of(text + length + 1, characters) &&
           address_parse(&ignored, address);
}

/* Whether the text is "10.0.0.0/24". */
static bool is_network(const char *text)
{
    return begins_with_address(text, "/", TARGET_DIGITS);
}

/* Whether the text is "10.0.0.1-40", or with two addresses. */
static bool is_address_range(const char *text)
{
    return begins_with_address(text, "-", TARGET_DIGITS ".");
}

/* Whether the text is "10,0,0,7". */
static bool is_address_with_commas(const char *text)
{
    size_t commas = 0;

    for (const char *at = text; *at; at++)
        commas += *at == ',';
    return commas == 3 && target_consists_of(text, TARGET_DIGITS ",");
}

/* Whether the text is "10.0.0.7:80:2". */
static bool has_two_ports(const char *text)
{
    return begins_with_address(text, ":", TARGET_DIGITS ":") && strchr(strchr(text, ':') + 1, ':');
}

/* Rejects numbers that would be looked up as a name. */
static enum ota_error check_numbers(const char *text, struct ota_failure *failure)
{
    if (*text && target_consists_of(text, TARGET_DIGITS))
        return target_reject(failure, text,
                             "is a number, and no board: a port belongs behind -p or the board's "
                             "name (lamp:3232); a board with that name is found with .local "
                             "behind it");
    if (is_address_with_commas(text))
        return target_reject(failure, text, "has commas, but an IP address has dots");
    if (has_two_ports(text))
        return target_reject(failure, text, "has more than a port behind the address");
    return OTA_OK;
}

/* Rejects what comes from lists of other programs. What stands behind a separator is not shown, as
 * it may be a password. */
static enum ota_error check_list(const char *text, struct ota_failure *failure)
{
    const size_t listed = count_listed(text, false);
    const size_t length = strcspn(text, ",;");
    char shown[TARGET_SHOWN_MAX];

    if (strcmp(text, "-") == 0)
        return target_reject(failure, text, "is not the name of a board; write the name alone");
    if (is_network(text) || is_address_range(text))
        return target_reject(failure, text,
                             "means several addresses, but -i takes one board; --all, --match and "
                             "--board select boards that announce themselves");
    if (listed > 1)
        return target_reject(failure, text, "names several boards: give each its own -i or line");
    if (listed == 1 && text[length])
        return target_reject(failure, text,
                             "has a comma or semicolon beside the host; leave it out: each -i, and "
                             "each line of a list, names one board");
    if (!text[length] || !is_host_part(text, length))
        return OTA_OK;

    escape_text(shown, sizeof shown, text, length);
    return ota_fail(
        failure, OTA_E_USAGE,
        "\"%s\" has a comma or semicolon and more behind it: each -i, and each line of a "
        "list, begins with one board, and only spaces separate it from what follows",
        shown);
}

enum ota_error target_check_mistakes(const char *text, struct ota_failure *failure)
{
    size_t length = strcspn(text, "/");
    struct target full;

    if (has_password(text))
        return ota_fail(failure, OTA_E_USAGE,
                        "a password in the name of a board is seen by others; give it with "
                        "--auth-file, and write only the board");
    snprintf(full.name, sizeof full.name, "%s", text);
    if (target_split_full_name(&full))
        return OTA_OK;
    if (target_is_serial_port(text))
        return target_reject(failure, text,
                             "is a serial port, but images are sent over the network: give the "
                             "board's name or address (\"esp-ota -l\" lists the boards)");
    if (check_numbers(text, failure) != OTA_OK || check_list(text, failure) != OTA_OK)
        return failure->error;
    if (text[length] == '/' && text[length + 1] && is_host_part(text, length))
        return target_reject(failure, text,
                             "has a path behind the host: write http:// before it for an update "
                             "page, or leave the path out");
    if (text[length] == '/' && is_host_part(text, length))
        return target_reject_but_host(failure, text, "has a slash behind the host", text, length);
    if (target_is_file_name(text))
        return target_reject(failure, text,
                             "is the name of a file, not of a board; -f names the image");
    if (is_pattern(text))
        return target_reject(failure, text,
                             "is a pattern, but -i takes one board; use --match for a pattern");
    return OTA_OK;
}

bool target_lists_hosts(const struct target *target)
{
    return target->kind == TARGET_INSTANCE && strpbrk(target->name, ",;") &&
           count_listed(target->name, true) > 0;
}
