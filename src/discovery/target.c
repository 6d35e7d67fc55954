/*
 * target.c: a board as the user names it: a URL, or a name or address alone (target_name.c).
 */
#include "discovery/target_internal.h"

#include "base/error.h"
#include "base/escape.h"
#include "base/suggest.h"
#include "base/text.h"

#include <arpa/inet.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

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
        return target_reject(failure, text, "is a URL without a host");
    if (likely)
        return target_reject(failure, text, what);
    return target_reject_but_host(failure, text, what, host, length);
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
        return target_reject(failure, text,
                             "has a character in its path that a URL cannot have: write a space as "
                             "%20, and others as the browser does");
    const bool is_root = strcmp(path, "/") == 0 || strcmp(path, "?") == 0;
    snprintf(target->path, sizeof target->path, "%s", is_root ? "" : path);
    *path = '\0';
    if (*board == '\0')
        return target_reject(failure, text, "is a URL without a host");
    if (!*target->path || scheme->takes_path)
        return OTA_OK;

    snprintf(why, sizeof why, "has a path, but %s:// takes only a board", scheme->name);
    return target_reject(failure, text, why);
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
        target_check_mistakes(name, failure) != OTA_OK ||
        target_parse_board(target, name, failure) != OTA_OK)
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
        return target_reject(failure, text, "is a URL with one slash; write two behind the colon");
    if (has_scheme && colon[1] && !target_parse_port(&port, colon + 1, false))
        return target_reject(failure, text, "is a URL without slashes; write two behind the colon");
    if (slashes && find_scheme(schemes, name, (size_t)(slashes - name)))
        return target_reject(failure, text,
                             "is a URL without a colon; write it before the two slashes");
    return OTA_OK;
}

static enum ota_error check_text(const char *text, struct ota_failure *failure)
{
    if (*text == '\0')
        return ota_fail(failure, OTA_E_USAGE, "the name or address of the board is empty");
    if (!escape_is_harmless(text))
        return target_reject(failure, text, "has control characters in it or is not valid UTF-8");
    if (strlen(text) >= TARGET_NAME_MAX)
        return target_reject(failure, text, "is too long for a name or an address");
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
        target_check_mistakes(name, failure) != OTA_OK)
        return failure->error;
    return target_parse_board(target, name, failure);
}

bool target_suits_certificate(const struct target *target)
{
    const char *dot = strrchr(target->name, '.');
    struct in_addr ignored;

    if (target->kind == TARGET_ADDRESS)
        return true;
    return target_consists_of(target->name, TARGET_HOST_CHARACTERS) &&
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
    char suffix[TARGET_SUFFIX_MAX];

    target_service_suffix(suffix, target->service);
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
