/*
 * target.c: parses the name of a board as the user gives it: an address, a host name or the name of
 * a service instance, perhaps with a port.
 *
 * No numeric text may end up as a host name: the C library's resolver would take "1.2.3" or
 * "0x7f.1" for an unusual form of an address, and the image would go to some other host.
 */
#include "discovery/target.h"

#include "base/error.h"
#include "base/escape.h"
#include "base/suggest.h"
#include "base/text.h"

#include <arpa/inet.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* Sizes of DNS: a label, a host name as text, a service instance's name (RFC 6763, 4.1.1). */
enum { LABEL_MAX = 63, HOST_MAX = 253, INSTANCE_MAX = 63 };

#define DIGITS "0123456789"
#define HEX_DIGITS DIGITS "abcdefABCDEF"
#define HOST_CHARACTERS DIGITS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_."

/* Room for a text in a message. A long text is cut, so that the reason fits behind it. */
enum { SHOWN_MAX = TARGET_NAME_MAX + 64, WHY_MAX = 128 };

static enum ota_error reject_target(struct ota_failure *failure, const char *text, const char *why)
{
    char shown[SHOWN_MAX];

    return ota_fail(failure, OTA_E_USAGE, "\"%s\" %s", escape_board(shown, sizeof shown, text),
                    why);
}

bool target_parse_port(uint16_t *port, const char *text, bool allow_zero)
{
    const char *end;
    uint64_t value;

    /* A leading zero is rejected: some programs read the rest as octal. */
    if (text[0] == '0' && text[1] != '\0')
        return false;
    if (!parse_decimal(text, UINT16_MAX, &value, &end) || *end != '\0')
        return false;
    if (value == 0 && !allow_zero)
        return false;

    *port = (uint16_t)value;
    return true;
}

static bool name_consists_of(const char *text, const char *characters)
{
    return text[strspn(text, characters)] == '\0';
}

/* Whether text must be meant as an IPv4 address. */
static bool is_v4_attempt(const char *text)
{
    size_t length = strspn(text, DIGITS ".");

    return memchr(text, '.', length) && (text[length] == '\0' || text[length] == '%');
}

static enum ota_error reject_v4(struct ota_failure *failure, const char *text)
{
    return reject_target(failure, text,
                         "is not an IPv4 address: that is four numbers from 0 to 255");
}

/* Whether text must be meant as an IPv6 address. Hexadecimal digits with fewer colons may also be
 * the name of an instance, such as a MAC address. */
static bool is_v6_attempt(const char *text)
{
    size_t length = strspn(text, HEX_DIGITS ":.");
    size_t colons = 0;

    if (text[length] != '\0' && text[length] != '%')
        return false;
    for (size_t i = 0; i < length; i++)
        colons += text[i] == ':';

    return colons >= 7 || (colons >= 2 && (text[length] == '%' || strstr(text, "::")));
}

/* Rejects a malformed IPv6 address, with the likely reason. */
static enum ota_error reject_v6(struct ota_failure *failure, const char *text)
{
    const char *percent = strchr(text, '%');

    if (percent && strchr(percent, ':'))
        return reject_target(
            failure, text,
            "is not an IPv6 address: with a port it is written [ADDRESS%INTERFACE]:PORT");
    if (percent)
        return reject_target(
            failure, text, "is not an IPv6 address with the name of an interface of this computer");
    return reject_target(failure, text, "is not an IPv6 address");
}

/* Rejects addresses that cannot belong to a single board. text is for the message. */
static enum ota_error check_address(const struct address *address, const char *text,
                                    struct ota_failure *failure)
{
    if (!address_is_unicast(address))
        return reject_target(failure, text, "is not the address of one board");
    if (address_lacks_interface(address))
        return reject_target(failure, text, ADDRESS_LACKS_INTERFACE);
    return OTA_OK;
}

/* Parses "[V6]" and "[V6]:PORT". name has the text, and afterwards the address alone. */
static enum ota_error parse_bracketed(struct target *target, const char *text,
                                      struct ota_failure *failure)
{
    char *close = strchr(target->name, ']');

    if (!close)
        return reject_target(failure, text, "has no closing bracket");
    if (close[1] != '\0' &&
        (close[1] != ':' || !target_parse_port(&target->port, close + 2, false)))
        return reject_target(failure, text, "does not end in \"]\" or in a port from 1 to 65535");

    *close = '\0';
    memmove(target->name, target->name + 1, strlen(target->name));
    if (!address_parse(&target->address, target->name) || !strchr(target->name, ':'))
        return reject_v6(failure, target->name);
    return check_address(&target->address, target->name, failure);
}

/* Instance names may begin with a bracket, too. */
static bool is_bracketed_attempt(const char *text)
{
    size_t length = text[0] == '[' ? strspn(text + 1, HEX_DIGITS ":.") : 0;

    return length > 0 && strcspn(text + 1, ":.") < length && strchr("]%", text[1 + length]);
}

/* Moves a port behind the only colon of name to port. Other names keep their colons. */
static enum ota_error split_port(struct target *target, const char *text,
                                 struct ota_failure *failure)
{
    char *colon = strchr(target->name, ':');

    if (!colon || strchr(colon + 1, ':'))
        return OTA_OK;

    *colon = '\0';
    bool is_host = name_consists_of(target->name, HOST_CHARACTERS);
    if (target_parse_port(&target->port, colon + 1, false)) {
        if (colon == target->name)
            return reject_target(failure, text, "has no name or address before the port");
        return OTA_OK;
    }

    /* "kitchen:lamp" is an instance's name, "10.0.0.7:http", "kitchen:" and "kitchen:0" are not. */
    if (is_host && (name_consists_of(colon + 1, DIGITS) || strchr(target->name, '.')))
        return reject_target(failure, text, "has no port from 1 to 65535 after the colon");
    *colon = ':';
    return OTA_OK;
}

/* The labels of a host name. */
struct labels {
    const char *last;
    size_t count;
    size_t longest;
    bool any_empty;
    bool any_edge_hyphen; /* a label begins or ends with one, as no host name may */
};

static struct labels examine_labels(const char *name)
{
    struct labels labels = {.last = name};

    for (const char *start = name;; start = labels.last + strcspn(labels.last, ".") + 1) {
        size_t length = strcspn(start, ".");

        labels.last = start;
        labels.count++;
        labels.any_empty |= length == 0;
        labels.any_edge_hyphen |= start[0] == '-' || (length > 0 && start[length - 1] == '-');
        if (length > labels.longest)
            labels.longest = length;
        if (start[length] == '\0')
            return labels;
    }
}

static enum ota_error set_instance(struct target *target, const char *text,
                                   struct ota_failure *failure)
{
    char why[WHY_MAX];

    if (strlen(target->name) > INSTANCE_MAX) {
        snprintf(why, sizeof why, "is longer than the %d bytes that a board's name can have",
                 INSTANCE_MAX);
        return reject_target(failure, text, why);
    }
    target->kind = TARGET_INSTANCE;
    return OTA_OK;
}

/* Handles a name under .local, or one that consists only of letters, digits, "-", "_" and dots. */
static enum ota_error set_host(struct target *target, const char *text, bool is_ascii,
                               struct ota_failure *failure)
{
    char *name = target->name, why[WHY_MAX];
    size_t length = strlen(name);
    struct in_addr ignored;

    if (length > 1 && name[length - 1] == '.')
        name[--length] = '\0';

    struct labels labels = examine_labels(name);
    bool is_local = labels.count > 1 && strcasecmp(labels.last, "local") == 0;
    if (labels.any_empty)
        return reject_target(failure, text,
                             "is not a host name: there is nothing between two dots");

    /* inet_aton() would also accept "1 lamp.local". */
    if (labels.count > 1 && name_consists_of(name, HOST_CHARACTERS) &&
        inet_aton(name, &ignored) != 0)
        return reject_v4(failure, text);

    if (labels.any_edge_hyphen)
        return set_instance(target, text, failure);
    /* Only multicast DNS has names beyond ASCII, and no domain ends in a number. */
    if (!is_local && (!is_ascii || inet_aton(labels.last, &ignored) != 0))
        return set_instance(target, text, failure);
    if (labels.longest > LABEL_MAX || length > HOST_MAX) {
        snprintf(why, sizeof why,
                 "is not a host name: it is longer than %d characters, or %d between dots",
                 HOST_MAX, LABEL_MAX);
        return reject_target(failure, text, why);
    }

    if (is_local)
        target->kind = TARGET_LOCAL;
    else
        target->kind = labels.count > 1 ? TARGET_HOST : TARGET_LABEL;
    return OTA_OK;
}

static bool ends_in_local(const char *name)
{
    size_t length = strlen(name);

    if (length > 0 && name[length - 1] == '.')
        length--;
    return length > strlen(".local") &&
           strncasecmp(name + length - strlen(".local"), ".local", strlen(".local")) == 0;
}

enum { SERVICE_SUFFIX_MAX = TARGET_FULL_MAX - TARGET_NAME_MAX };

/* Writes what follows an instance's name where other tools show it in full, such as
 * "._arduino._tcp.local". Returns its length. */
static size_t make_service_suffix(char suffix[SERVICE_SUFFIX_MAX], enum service service)
{
    return (size_t)snprintf(suffix, SERVICE_SUFFIX_MAX, ".%s.local", service_type(service));
}

/* Moves the service from "NAME._arduino._tcp.local" to target->service. */
static bool strip_service(struct target *target)
{
    size_t length = strlen(target->name);

    if (length > 0 && target->name[length - 1] == '.')
        length--;
    for (int service = 0; service < SERVICE_COUNT; service++) {
        char suffix[SERVICE_SUFFIX_MAX];
        const size_t size = make_service_suffix(suffix, (enum service)service);

        if (length > size && strncasecmp(target->name + length - size, suffix, size) == 0) {
            target->name[length - size] = '\0';
            target->service = (enum service)service;
            return true;
        }
    }
    return false;
}

/* Removes the service, and a port behind it, from a full name. False: it is none, and stays as it
 * is. Whatever stands before the service is an instance's name, even if it reads as an address. */
static bool split_full_name(struct target *target)
{
    char *colon = strrchr(target->name, ':');
    uint16_t port = 0;

    if (strip_service(target))
        return true;
    if (!colon || !target_parse_port(&port, colon + 1, false))
        return false;

    *colon = '\0';
    if (strip_service(target)) {
        target->port = port;
        return true;
    }
    *colon = ':';
    return false;
}

/* is_full: the name of an instance, from its full name. */
static enum ota_error parse_name(struct target *target, const char *text, bool is_full,
                                 struct ota_failure *failure)
{
    const char *name = target->name;
    bool is_ascii = true;
    bool is_host = !is_full;

    if (name[0] == ' ' || name[strlen(name) - 1] == ' ')
        return reject_target(failure, text, "begins or ends with a space");

    for (const char *c = name; *c != '\0'; c++) {
        is_ascii &= (*c & 0x80) == 0;
        is_host &= (*c & 0x80) != 0 || strchr(HOST_CHARACTERS, *c);
    }

    /* Boards accept any text as their host name. */
    return is_host || (!is_full && ends_in_local(name)) ? set_host(target, text, is_ascii, failure)
                                                        : set_instance(target, text, failure);
}

static enum ota_error check_text(const char *text, struct ota_failure *failure)
{
    if (*text == '\0')
        return ota_fail(failure, OTA_E_USAGE, "the name or address of the board is empty");
    if (!escape_is_harmless(text))
        return reject_target(failure, text, "has control characters in it or is not valid UTF-8");
    if (strlen(text) >= TARGET_NAME_MAX)
        return reject_target(failure, text, "is too long for a name or an address");
    return OTA_OK;
}

/* Parses a text that has been checked and names one board. */
static enum ota_error parse_board(struct target *target, const char *text,
                                  struct ota_failure *failure)
{
    memset(target, 0, sizeof *target);
    memcpy(target->name, text, strlen(text));

    if (split_full_name(target))
        return parse_name(target, text, true, failure);
    if (is_bracketed_attempt(text))
        return parse_bracketed(target, text, failure);
    if (!address_parse(&target->address, text)) {
        if (is_v6_attempt(text))
            return reject_v6(failure, text);
        if (split_port(target, text, failure) != OTA_OK)
            return failure->error;
    }

    if (address_parse(&target->address, target->name))
        return check_address(&target->address, text, failure);
    if (is_v4_attempt(target->name))
        return reject_v4(failure, text);
    return parse_name(target, text, false, failure);
}

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
    return parse_board(&target, text, &ignored) == OTA_OK ? target.kind : TARGET_INSTANCE;
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

/* Rejects a URL or a path, and suggests the host alone. */
static enum ota_error reject_but_host(struct ota_failure *failure, const char *text,
                                      const char *what, const char *host, size_t length)
{
    char shown[SHOWN_MAX], shown_host[SHOWN_MAX];

    escape_board(shown, sizeof shown, text);
    escape_text(shown_host, sizeof shown_host, host, length);
    return ota_fail(failure, OTA_E_USAGE, "\"%s\" %s: write only \"%s\"", shown, what, shown_host);
}

/* Whether text must be meant as a pattern, perhaps with a port. Letters may be any beyond ASCII. */
static bool is_pattern(const char *text)
{
    if (!strchr(text, '*') && !strstr(text, "??"))
        return false;
    while (*text && ((unsigned char)*text >= 0x80 || strchr(HOST_CHARACTERS "*?[]:", *text)))
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

/* Whether the text is "10.0.0.0/24". */
static bool is_network(const char *text)
{
    const size_t length = strcspn(text, "/");
    struct address ignored;
    char address[TARGET_NAME_MAX];

    snprintf(address, sizeof address, "%.*s", (int)length, text);
    return text[length] && text[length + 1] && name_consists_of(text + length + 1, DIGITS) &&
           address_parse(&ignored, address);
}

/* Whether the text is "10.0.0.1-40", or with two addresses. */
static bool is_address_range(const char *text)
{
    const size_t length = strcspn(text, "-");
    struct address ignored;
    char address[TARGET_NAME_MAX];

    snprintf(address, sizeof address, "%.*s", (int)length, text);
    return text[length] && text[length + 1] && name_consists_of(text + length + 1, DIGITS ".") &&
           address_parse(&ignored, address);
}

/* Rejects what comes from lists of other programs. What stands behind a separator is not shown, as
 * it may be a password. */
static enum ota_error check_list(const char *text, struct ota_failure *failure)
{
    const size_t listed = count_listed(text, false);
    const size_t length = strcspn(text, ",;");
    char shown[SHOWN_MAX];

    if (strcmp(text, "-") == 0)
        return reject_target(failure, text, "is not the name of a board; write the name alone");
    if (is_network(text) || is_address_range(text))
        return reject_target(failure, text,
                             "means several addresses, but -i takes one board; --all, --match and "
                             "--board select boards that announce themselves");
    if (listed > 1)
        return reject_target(failure, text, "names several boards: give each its own -i or line");
    if (listed == 1 && text[length])
        return reject_target(failure, text,
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

/* Rejects likely mistakes, which would otherwise count as names of instances. */
static enum ota_error check_mistakes(const char *text, struct ota_failure *failure)
{
    size_t length = strcspn(text, "/");
    struct target full;

    if (has_password(text))
        return ota_fail(failure, OTA_E_USAGE,
                        "a password in the name of a board is seen by others; give it with "
                        "--auth-file, and write only the board");
    snprintf(full.name, sizeof full.name, "%s", text);
    if (split_full_name(&full))
        return OTA_OK;
    if (target_is_serial_port(text))
        return reject_target(failure, text,
                             "is a serial port, but images are sent over the network: give the "
                             "board's name or address (\"esp-ota -l\" lists the boards)");
    if (check_list(text, failure) != OTA_OK)
        return failure->error;
    if (text[length] == '/' && text[length + 1] && is_host_part(text, length))
        return reject_target(failure, text,
                             "has a path behind the host: write http:// before it for an update "
                             "page, or leave the path out");
    if (text[length] == '/' && is_host_part(text, length))
        return reject_but_host(failure, text, "has a slash behind the host", text, length);
    if (is_pattern(text))
        return reject_target(failure, text,
                             "is a pattern, but -i takes one board; use --match for a pattern");
    return OTA_OK;
}

/* -- URLs -- */

static const char SCHEME_END[] = "://";

static const struct target_scheme *find_scheme(const struct target_schemes *schemes,
                                               const char *text, size_t length)
{
    for (size_t i = 0; i < schemes->count; i++)
        if (strlen(schemes->list[i].name) == length &&
            strncasecmp(schemes->list[i].name, text, length) == 0)
            return &schemes->list[i];
    return NULL;
}

/* The scheme that may be meant; NULL: none is similar. */
static const char *find_similar_scheme(const struct target_schemes *schemes, const char *text,
                                       size_t length)
{
    struct suggestions similar = {0};
    char name[16];

    if (length == 0 || length >= sizeof name)
        return NULL;
    snprintf(name, sizeof name, "%.*s", (int)length, text);
    for (size_t i = 0; i < schemes->count; i++)
        suggest_offer(&similar, name, schemes->list[i].name);
    suggest_keep_similar(&similar);
    if (similar.count == 0)
        return NULL;
    return find_scheme(schemes, similar.best[0].name, strlen(similar.best[0].name))->name;
}

/* Rejects a URL, and lists the schemes that there are, or names the one that is meant. Its port is
 * not suggested, as it belongs to its scheme. */
static enum ota_error reject_scheme(struct ota_failure *failure, const char *text, const char *host,
                                    const struct target_schemes *schemes)
{
    char what[256] = "is a URL with another scheme than ";
    size_t length = host[0] == '[' ? strcspn(host, "]/?#") : strcspn(host, ":/?#");

    if (host[length] == ']')
        length++;

    for (size_t i = 0; i < schemes->count; i++)
        text_append(what, sizeof what, "%s%s%s", text_separator(i, schemes->count, " and "),
                    schemes->list[i].name, SCHEME_END);

    const char *likely = find_similar_scheme(schemes, text, strcspn(text, ":"));
    if (likely)
        snprintf(what, sizeof what, "is a URL with an unknown scheme; did you mean %s%s?", likely,
                 SCHEME_END);

    /* The part before an @ may be a password. */
    if (strchr(host, '@') && likely)
        return ota_fail(failure, OTA_E_USAGE, "a URL that names a board has %s",
                        what + strlen("is a URL with "));
    if (strchr(host, '@'))
        return ota_fail(failure, OTA_E_USAGE,
                        "a URL that names a board %s: write only the host in it",
                        what + strlen("is a URL "));
    if (length == 0)
        return reject_target(failure, text, "is a URL without a host");
    if (likely)
        return reject_target(failure, text, what);
    return reject_but_host(failure, text, what, host, length);
}

/* Moves the user before the @ of *board, if there is one, to target. */
static enum ota_error split_user(struct target *target, const char **board,
                                 struct ota_failure *failure)
{
    const struct target_scheme *scheme = target->scheme;
    const size_t length = strcspn(*board, "/?#");
    const char *at = memchr(*board, '@', length);

    if (!at)
        return OTA_OK;
    if (!scheme->takes_user)
        return ota_fail(failure, OTA_E_USAGE, "%s:// takes no user; write only the board behind it",
                        scheme->name);
    if (memchr(*board, ':', (size_t)(at - *board)))
        return ota_fail(failure, OTA_E_USAGE,
                        "a password in a URL is seen by others; leave it out, with its colon, and "
                        "give it with --auth-file");

    snprintf(target->user, sizeof target->user, "%.*s", (int)(at - *board), *board);
    *board = at + 1;
    return OTA_OK;
}

/* Moves the path behind board, if there is one, to target. A slash or a question mark alone is
 * none. What follows '#' is for browsers, and no server gets it. */
static enum ota_error split_path(struct target *target, char *board, const char *text,
                                 struct ota_failure *failure)
{
    const struct target_scheme *scheme = target->scheme;
    board[strcspn(board, "#")] = '\0';
    char *path = board + strcspn(board, "/?");
    char why[128];

    if (!text_is_url_path(path))
        return reject_target(failure, text,
                             "has a character in its path that a URL cannot have: write a space as "
                             "%20, and others as the browser does");
    const bool is_root = strcmp(path, "/") == 0 || strcmp(path, "?") == 0;
    snprintf(target->path, sizeof target->path, "%s", is_root ? "" : path);
    *path = '\0';
    if (*board == '\0')
        return reject_target(failure, text, "is a URL without a host");
    if (!*target->path || scheme->takes_path)
        return OTA_OK;

    snprintf(why, sizeof why, "has a path, but %s:// takes only a board", scheme->name);
    return reject_target(failure, text, why);
}

/* text has been checked, and has this scheme before its board. */
static enum ota_error parse_url(struct target *target, const struct target_scheme *scheme,
                                const char *text, const char *board, struct ota_failure *failure)
{
    struct target url = {.scheme = scheme};
    char name[TARGET_NAME_MAX];

    if (split_user(&url, &board, failure) != OTA_OK)
        return failure->error;
    snprintf(name, sizeof name, "%s", board);
    if (split_path(&url, name, text, failure) != OTA_OK ||
        check_mistakes(name, failure) != OTA_OK || parse_board(target, name, failure) != OTA_OK)
        return failure->error;

    target->scheme = url.scheme;
    memcpy(target->user, url.user, sizeof target->user);
    memcpy(target->path, url.path, sizeof target->path);
    return OTA_OK;
}

/* Returns the length of the escape at text, as Avahi's and Apple's tools print it, and the byte
 * that it stands for; 0: it is none. */
static size_t read_dns_escape(char *byte, const char *text)
{
    unsigned value = 0;

    if (text[0] != '\\')
        return 0;
    if (text[1] != '\0' && strchr(" .\\", text[1])) {
        *byte = text[1];
        return 2;
    }
    for (size_t i = 1; i <= 3; i++) {
        if (text[i] < '0' || text[i] > '9')
            return 0;
        value = 10 * value + (unsigned)(text[i] - '0');
    }
    *byte = (char)value;
    return value <= UCHAR_MAX ? 4 : 0;
}

/* Replaces these escapes ("Living\\032room"), unless there are other backslashes, or the name would
 * be one that check_text() rejects. */
static void revert_dns_escapes(char name[TARGET_NAME_MAX])
{
    char plain[TARGET_NAME_MAX];
    size_t length = 0;

    for (const char *at = name; *at != '\0'; length++) {
        size_t size = read_dns_escape(&plain[length], at);

        if (size == 0 && *at == '\\')
            return;
        if (size == 0) {
            plain[length] = *at;
            size = 1;
        }
        at += size;
    }
    plain[length] = '\0';
    if (strlen(plain) == length && escape_is_harmless(plain))
        memcpy(name, plain, length + 1);
}

/* Replaces escapes, those of ours or those of other tools. text has been checked. */
static void copy_without_escapes(char name[TARGET_NAME_MAX], const char *text)
{
    snprintf(name, TARGET_NAME_MAX, "%s", text);
    escape_revert(name);
    if (strcmp(name, text) == 0)
        revert_dns_escapes(name);
}

/* Refuses a scheme that is followed by less than "://". */
static enum ota_error check_scheme_end(const char *name, const char *text,
                                       const struct target_schemes *schemes,
                                       struct ota_failure *failure)
{
    const char *colon = strchr(name, ':'), *slashes = strstr(name, "//");
    const bool has_scheme = colon && find_scheme(schemes, name, (size_t)(colon - name));
    uint16_t port;

    if (has_scheme && colon[1] == '/')
        return reject_target(failure, text, "is a URL with one slash; write two behind the colon");
    if (has_scheme && colon[1] && !target_parse_port(&port, colon + 1, false))
        return reject_target(failure, text, "is a URL without slashes; write two behind the colon");
    if (slashes && find_scheme(schemes, name, (size_t)(slashes - name)))
        return reject_target(failure, text,
                             "is a URL without a colon; write it before the two slashes");
    return OTA_OK;
}

enum ota_error target_parse(struct target *target, const char *text,
                            const struct target_schemes *schemes, struct ota_failure *failure)
{
    char name[TARGET_NAME_MAX];

    memset(target, 0, sizeof *target);
    if (check_text(text, failure) != OTA_OK)
        return failure->error;

    copy_without_escapes(name, text);

    const char *scheme_end = strstr(name, SCHEME_END);
    if (scheme_end) {
        const char *board = scheme_end + strlen(SCHEME_END);
        const struct target_scheme *scheme =
            find_scheme(schemes, name, (size_t)(scheme_end - name));

        return scheme ? parse_url(target, scheme, name, board, failure)
                      : reject_scheme(failure, name, board, schemes);
    }

    if (check_scheme_end(name, text, schemes, failure) != OTA_OK ||
        check_mistakes(name, failure) != OTA_OK)
        return failure->error;
    return parse_board(target, name, failure);
}

bool target_lists_hosts(const struct target *target)
{
    return target->kind == TARGET_INSTANCE && strpbrk(target->name, ",;") &&
           count_listed(target->name, true) > 0;
}

bool target_suits_certificate(const struct target *target)
{
    const char *dot = strrchr(target->name, '.');
    struct in_addr ignored;

    if (target->kind == TARGET_ADDRESS)
        return true;
    return name_consists_of(target->name, HOST_CHARACTERS) &&
           inet_aton(dot ? dot + 1 : target->name, &ignored) == 0;
}

/* Whether the name of an instance reads as a board with a path behind it. */
static bool has_path(const char *name)
{
    const char *query = strchr(name, '?');

    return strchr(name, '/') || (query && query[1] != '\0');
}

static void write_with_service(char text[TARGET_FULL_MAX], const struct target *target)
{
    char suffix[SERVICE_SUFFIX_MAX];

    make_service_suffix(suffix, target->service);
    snprintf(text, TARGET_FULL_MAX, "%s%s", target->name, suffix);
}

/* Whether the name of an instance has to be written in full: it reads as that of another target,
 * perhaps with a port or path, or only its full name can be typed. */
static bool is_mistakable(const struct target *target)
{
    const struct target_schemes none = {0};
    const char *name = target->name;
    char full_name[TARGET_FULL_MAX];
    struct target other;
    struct ota_failure ignored;

    if (has_path(name))
        return true;
    if (target_parse(&other, name, &none, &ignored) != OTA_OK) {
        write_with_service(full_name, target);
        return target_parse(&other, full_name, &none, &ignored) == OTA_OK;
    }
    return (other.kind != TARGET_INSTANCE && other.kind != TARGET_LABEL) || other.port ||
           strcmp(other.name, name) != 0;
}

const char *target_full_name(char text[TARGET_FULL_MAX], const struct target *target)
{
    if (target->kind == TARGET_INSTANCE && is_mistakable(target))
        write_with_service(text, target);
    else
        snprintf(text, TARGET_FULL_MAX, "%s", target->name);
    return text;
}

bool target_is_https(const struct target *target)
{
    return target->scheme && strcmp(target->scheme->name, "https") == 0;
}

bool target_names_equal(const struct target *a, const struct target *b)
{
    if (a->kind != b->kind)
        return false;
    return a->kind == TARGET_ADDRESS ? address_equal(&a->address, &b->address)
                                     : strcasecmp(a->name, b->name) == 0;
}

bool target_equal(const struct target *a, const struct target *b)
{
    return target_names_equal(a, b) && a->port == b->port && strcmp(a->path, b->path) == 0;
}
