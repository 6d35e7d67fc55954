/*
 * hosts.c: the list of boards behind --hosts. The parser is fed bytes; only hosts_read() touches a
 * file, and that is the list itself.
 */
#include "fleet/hosts.h"

#include "base/array.h"
#include "base/error.h"
#include "base/escape.h"
#include "base/input.h"
#include "base/utf8.h"
#include "boardlog/expect.h"
#include "secrets/shown.h"
#include "upload/protocols.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { NAME_SHOWN = 256, WORD_SHOWN = 160 };

/* The line that is being parsed. */
struct parser {
    const char *name; /* of the list, escaped */
    size_t number;    /* of the line, from 1 */
    const char *at;   /* what has not been parsed yet */
    const char *end;
    char *word; /* the last one, without its quotes; HOSTS_LINE_MAX + 1 bytes */
    struct ota_failure *failure;
};

static enum ota_error reject_line(const struct parser *parser, const char *why)
{
    return ota_fail(parser->failure, OTA_E_USAGE, "%s, line %zu: %s", parser->name, parser->number,
                    why);
}

static enum ota_error reject_word(const struct parser *parser, const char *why)
{
    char shown[WORD_SHOWN];
    return ota_fail(parser->failure, OTA_E_USAGE, "%s, line %zu: \"%s\" %s", parser->name,
                    parser->number, escape_board(shown, sizeof shown, parser->word), why);
}

/* The word may have a secret behind one of these characters. */
static enum ota_error reject_setting(const struct parser *parser, const char *ends, const char *why)
{
    char shown[SHOWN_WORD_MAX];

    return ota_fail(parser->failure, OTA_E_USAGE, "%s, line %zu: \"%s\" %s", parser->name,
                    parser->number, shown_word(shown, parser->word, ends), why);
}

/* The word may be a misplaced secret, so it is not shown. Of NAME=VALUE, only the name is. */
static enum ota_error reject_unknown_setting(const struct parser *parser)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-";
    static const char why[] =
        "is not one of port=N, auth-file=PATH, file=PATH, min-auth=SCHEME, "
        "encryption-key-file=PATH, page=NAME, field=NAME, user=NAME, protocol=NAME and "
        "expect=REGEX (put a word with spaces in double quotes)";
    const char *value = parser->word + strspn(parser->word, letters);
    const bool has_name = value > parser->word && *value == '=' && value[1] && value[1] != '=';

    if (has_name)
        return reject_setting(parser, "=", why);
    return ota_fail(parser->failure, OTA_E_USAGE,
                    "%s, line %zu: a word behind the board (not shown, as it may be a password) %s",
                    parser->name, parser->number, why);
}

/* -- words -- */

static bool is_blank_char(char c)
{
    return c == ' ' || c == '\t';
}

/* Moves to the beginning of the next word. False if there is none. */
static bool find_word(struct parser *parser)
{
    while (parser->at < parser->end && is_blank_char(*parser->at))
        parser->at++;
    return parser->at < parser->end && *parser->at != '#';
}

/* Takes one word. Quotes may open and close anywhere in it, as in file="my firmware.bin". */
static enum ota_error take_word(struct parser *parser)
{
    bool is_quoted = false;
    char *target = parser->word;

    for (; parser->at < parser->end && (is_quoted || !is_blank_char(*parser->at)); parser->at++) {
        if (*parser->at == '"') {
            is_quoted = !is_quoted;
            continue;
        }
        if (is_quoted && *parser->at == '\\') {
            parser->at++;
            if (parser->at == parser->end || (*parser->at != '"' && *parser->at != '\\'))
                return reject_line(parser, "a backslash in quotes is written \\\\, a quote \\\"");
        }
        *target++ = *parser->at;
    }
    *target = '\0';
    return is_quoted ? reject_line(parser, "a quote is not closed") : OTA_OK;
}

/* -- what the words mean -- */

static enum ota_error reject_second(struct ota_failure *failure)
{
    return ota_fail(failure, OTA_E_USAGE, "is a second one for this board; leave one of them out");
}

static enum ota_error set_host_port(struct host_line *line, const char *value,
                                    struct ota_failure *failure)
{
    if (line->target.port != 0)
        return ota_fail(failure, OTA_E_USAGE,
                        "is a second port for this board; leave one of them out");
    if (!target_parse_port(&line->target.port, value, false))
        return ota_fail(failure, OTA_E_USAGE, "is not a port from 1 to 65535");
    return OTA_OK;
}

static enum ota_error set_host_path(char **path, const char *value, struct ota_failure *failure)
{
    if (*path)
        return reject_second(failure);
    if (*value == '\0')
        return ota_fail(failure, OTA_E_USAGE, "has no file name after it");
    *path = strdup(value);
    return *path ? OTA_OK : ota_fail_no_memory(failure);
}

static enum ota_error set_secret_path(char **path, const char *value, struct ota_failure *failure)
{
    if (input_is_standard(value))
        return ota_fail(failure, OTA_E_USAGE,
                        "is possible on the command line only, for all boards at once");
    return set_host_path(path, value, failure);
}

static enum ota_error set_auth_file(struct host_line *line, const char *value,
                                    struct ota_failure *failure)
{
    return set_secret_path(&line->auth_file, value, failure);
}

static enum ota_error set_key_file(struct host_line *line, const char *value,
                                   struct ota_failure *failure)
{
    return set_secret_path(&line->key_file, value, failure);
}

static enum ota_error set_host_file(struct host_line *line, const char *value,
                                    struct ota_failure *failure)
{
    if (input_is_standard(value))
        return ota_fail(failure, OTA_E_USAGE,
                        "is possible on the command line only (-f), for all boards");
    return set_host_path(&line->file, value, failure);
}

static enum ota_error set_host_min_auth(struct host_line *line, const char *value,
                                        struct ota_failure *failure)
{
    if (line->has_min_auth)
        return reject_second(failure);
    if (!auth_find_least(&line->min_auth, value))
        return ota_fail(failure, OTA_E_USAGE, "is neither md5 nor sha256");
    line->has_min_auth = true;
    return OTA_OK;
}

static enum ota_error set_host_protocol(struct host_line *line, const char *value,
                                        struct ota_failure *failure)
{
    char names[WORD_SHOWN];

    if (line->protocol)
        return reject_second(failure);
    line->protocol = protocols_find(value);
    if (line->protocol)
        return OTA_OK;
    return ota_fail(failure, OTA_E_USAGE, "is not known; there is %s",
                    protocols_list(names, sizeof names));
}

/* Compiles all of the board's patterns again. */
static enum ota_error set_host_expect(struct host_line *line, const char *value,
                                      struct ota_failure *failure)
{
    char *copy = strdup(value);

    if (!copy || strings_add(&line->expected, copy) < 0) {
        free(copy);
        return ota_fail_no_memory(failure);
    }
    expect_free(line->expect);
    if (expect_new(&line->expect, (const char *const *)line->expected.items, line->expected.count,
                   NULL, 0, failure) == OTA_OK)
        return OTA_OK;
    ota_prefix(failure, "cannot be used: ");
    return failure->error;
}

static enum ota_error set_host_own(struct host_line *line, enum upload_own_key key,
                                   const char *value, struct ota_failure *failure)
{
    char why[UPLOAD_OWN_WHY_MAX];
    char **own = &line->own.values[key];

    if (*own)
        return reject_second(failure);
    if (!protocols_check_own(key, value, why))
        return ota_fail(failure, OTA_E_USAGE, "%s", why);
    *own = strdup(value);
    return *own ? OTA_OK : ota_fail_no_memory(failure);
}

static enum ota_error set_host_page(struct host_line *line, const char *value,
                                    struct ota_failure *failure)
{
    return set_host_own(line, UPLOAD_OWN_PAGE, value, failure);
}

static enum ota_error set_host_field(struct host_line *line, const char *value,
                                     struct ota_failure *failure)
{
    return set_host_own(line, UPLOAD_OWN_FIELD, value, failure);
}

static enum ota_error set_host_user(struct host_line *line, const char *value,
                                    struct ota_failure *failure)
{
    return set_host_own(line, UPLOAD_OWN_USER, value, failure);
}

static const struct host_key keys[] = {
    {"port", false, HOSTS_SERVED_TOLD, set_host_port},
    {"auth-file", true, HOSTS_SERVED_TOLD, set_auth_file},
    {"file", true, HOSTS_SERVED_ALL, set_host_file},
    {"min-auth", false, HOSTS_SERVED_TOLD, set_host_min_auth},
    {"encryption-key-file", true, HOSTS_SERVED_NONE, set_key_file},
    {"page", false, HOSTS_SERVED_NONE, set_host_page},
    {"field", false, HOSTS_SERVED_NONE, set_host_field},
    {"user", false, HOSTS_SERVED_TOLD, set_host_user},
    {"protocol", false, HOSTS_SERVED_TOLD, set_host_protocol},
    {"expect", false, HOSTS_SERVED_NONE, set_host_expect},
};

enum { KEY_COUNT = sizeof keys / sizeof *keys };

const struct host_key *hosts_find_key(const char *name, size_t length)
{
    for (size_t i = 0; i < KEY_COUNT; i++)
        if (strlen(keys[i].name) == length && memcmp(name, keys[i].name, length) == 0)
            return &keys[i];
    return NULL;
}

const char *hosts_find_unserved(const struct host_line *line, bool is_told)
{
    const enum hosts_served needed = is_told ? HOSTS_SERVED_TOLD : HOSTS_SERVED_ALL;

    for (size_t i = 0; i < KEY_COUNT; i++)
        if ((line->keys & 1U << i) != 0 && keys[i].served < needed)
            return keys[i].name;
    return NULL;
}

/* The key of a word such as port=8266; NULL if it has none. */
static const struct host_key *find_word_key(const char *text, size_t length)
{
    const char *equals = memchr(text, '=', length);

    return equals ? hosts_find_key(text, (size_t)(equals - text)) : NULL;
}

static enum ota_error take_target(struct host_line *line, struct parser *parser)
{
    /* In quotes it is an unusual name of a board. */
    bool is_key = find_word_key(parser->at, (size_t)(parser->end - parser->at)) != NULL;

    if (take_word(parser) != OTA_OK)
        return parser->failure->error;
    if (is_key)
        return reject_setting(parser, "=", "stands where the board's name or address should be");

    if (*parser->word == '@')
        return reject_word(parser,
                           "is a group of the configuration, which a list cannot have; write "
                           "its boards, or give it with -i");

    line->is_rest = strcmp(parser->word, "*") == 0;
    if (line->is_rest) {
        line->target = (struct target){.kind = TARGET_INSTANCE, .name = "*"};
        return OTA_OK;
    }

    struct ota_failure cause;
    if (target_parse(&line->target, parser->word, &protocol_schemes, &cause) != OTA_OK)
        return reject_line(parser, cause.message);
    return OTA_OK;
}

static enum ota_error take_setting(struct host_line *line, struct parser *parser)
{
    if (take_word(parser) != OTA_OK)
        return parser->failure->error;
    const struct host_key *key = find_word_key(parser->word, strlen(parser->word));
    if (!key)
        return reject_unknown_setting(parser);

    struct ota_failure cause;
    line->keys |= 1U << (key - keys);
    if (key->set(line, parser->word + strlen(key->name) + 1, &cause) == OTA_OK)
        return OTA_OK;
    if (cause.error == OTA_E_USAGE)
        return reject_setting(parser, key->set == set_host_user ? ":" : "", cause.message);
    *parser->failure = cause;
    return cause.error;
}

/* -- lines -- */

struct host_line *hosts_add(struct hosts *hosts)
{
    struct host_line *lines =
        array_grow(hosts->lines, hosts->count, &hosts->capacity, sizeof *lines);
    if (!lines)
        return NULL;

    hosts->lines = lines;
    struct host_line *line = &hosts->lines[hosts->count++];
    *line = (struct host_line){0};
    return line;
}

/* NULL and failure if there is no room for a further line. */
static struct host_line *append_host_line(struct hosts *hosts, const struct parser *parser)
{
    if (hosts->count == HOSTS_COUNT_MAX) {
        ota_fail(parser->failure, OTA_E_USAGE, "%s names more than %d boards", parser->name,
                 HOSTS_COUNT_MAX);
        return NULL;
    }

    struct host_line *line = hosts_add(hosts);
    if (line)
        line->number = parser->number;
    else
        ota_fail_no_memory(parser->failure);
    return line;
}

static enum ota_error parse_line(struct hosts *hosts, struct parser *parser)
{
    size_t length = (size_t)(parser->end - parser->at);
    char too_long[64];

    if (length > 0 && parser->end[-1] == '\r') {
        parser->end--;
        length--;
    }
    if (length > HOSTS_LINE_MAX) {
        snprintf(too_long, sizeof too_long, "the line is longer than %d KiB", HOSTS_LINE_MAX / KIB);
        return reject_line(parser, too_long);
    }
    if (memchr(parser->at, '\0', length))
        return reject_line(parser,
                           "the line has a NUL byte in it, but the list should be UTF-8 text");
    if (!find_word(parser))
        return OTA_OK;
    struct host_line *line = append_host_line(hosts, parser);
    if (!line)
        return parser->failure->error;
    enum ota_error error = take_target(line, parser);
    while (error == OTA_OK && find_word(parser))
        error = take_setting(line, parser);
    return error;
}

static enum ota_error parse_lines(struct hosts *hosts, struct parser *parser, const char *at,
                                  const char *end)
{
    while (at < end) {
        const char *line_end = memchr(at, '\n', (size_t)(end - at));
        parser->number++;
        parser->at = at;
        parser->end = line_end ? line_end : end;
        if (parse_line(hosts, parser) != OTA_OK)
            return parser->failure->error;
        at = line_end ? line_end + 1 : end;
    }
    if (hosts->count == 0)
        return ota_fail(parser->failure, OTA_E_USAGE,
                        "%s names no board: each line should begin with a name or an address",
                        parser->name);
    return OTA_OK;
}

enum ota_error hosts_parse(struct hosts *hosts, const char *name, const char *text, size_t length,
                           struct ota_failure *failure)
{
    char shown[NAME_SHOWN];
    struct parser parser = {.name = input_show(shown, sizeof shown, name),
                            .word = malloc(HOSTS_LINE_MAX + 1),
                            .failure = failure};

    *hosts = (struct hosts){0};
    if (!parser.word)
        return ota_fail_no_memory(failure);

    const enum ota_error error =
        parse_lines(hosts, &parser, text + utf8_mark(text, length), text + length);
    free(parser.word);
    return error;
}

/* -- the file -- */

static enum ota_error read_list(struct hosts *hosts, int descriptor, const char *name,
                                struct ota_failure *failure)
{
    char shown[NAME_SHOWN];
    char *text = malloc(HOSTS_SIZE_MAX + 1);
    if (!text)
        return ota_fail_no_memory(failure);

    input_show(shown, sizeof shown, name);
    ssize_t length = input_read_all(descriptor, text, HOSTS_SIZE_MAX + 1);
    if (length < 0)
        ota_fail_errno(failure, OTA_E_USAGE, errno, "cannot read the list of boards from %s: %s",
                       shown, input_error(errno));
    else if (length > HOSTS_SIZE_MAX)
        ota_fail(failure, OTA_E_USAGE, "%s is longer than %d MiB, too long for a list of boards",
                 shown, HOSTS_SIZE_MAX / MIB);
    else
        failure->error = hosts_parse(hosts, name, text, (size_t)length, failure);
    free(text);
    return failure->error;
}

enum ota_error hosts_read(struct hosts *hosts, const char *path, struct ota_failure *failure)
{
    *hosts = (struct hosts){0};
    if (input_is_standard(path))
        return read_list(hosts, STDIN_FILENO, path, failure);
    int descriptor = input_open(path);
    if (descriptor < 0) {
        char shown[NAME_SHOWN];
        return ota_fail_errno(failure, OTA_E_USAGE, errno, "cannot open the list of boards %s: %s",
                              escape_string(shown, sizeof shown, path),
                              input_open_error(path, errno));
    }
    enum ota_error error = read_list(hosts, descriptor, path, failure);
    close(descriptor);
    return error;
}

void hosts_free_line(struct host_line *line)
{
    free(line->label);
    free(line->similar);
    free(line->auth_file);
    free(line->key_file);
    free(line->file);
    for (size_t i = 0; i < UPLOAD_OWN_COUNT; i++)
        free(line->own.values[i]);
    expect_free(line->expect);
    strings_free(&line->expected);
    *line = (struct host_line){0};
}

void hosts_free(struct hosts *hosts)
{
    for (size_t i = 0; i < hosts->count; i++)
        hosts_free_line(&hosts->lines[i]);
    free(hosts->lines);
    *hosts = (struct hosts){0};
}
