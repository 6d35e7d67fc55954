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
#include "upload/protocols.h"

#include <errno.h>
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
    char word[HOSTS_LINE_MAX + 1]; /* the last one, without its quotes */
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
                    parser->number, escape_string(shown, sizeof shown, parser->word), why);
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
    return is_quoted ? reject_word(parser, "has no closing quote") : OTA_OK;
}

/* -- what the words mean -- */

static enum ota_error set_host_port(struct host_line *line, const struct parser *parser,
                                    const char *value)
{
    if (line->target.port != 0)
        return reject_word(parser, "is a second port for this board; leave one of them out");
    if (!target_parse_port(&line->target.port, value, false))
        return reject_word(parser, "is not a port from 1 to 65535");
    return OTA_OK;
}

static enum ota_error set_host_path(char **path, const struct parser *parser, const char *value)
{
    if (*path)
        return reject_word(parser, "is a second one for this board; leave one of them out");
    if (*value == '\0')
        return reject_word(parser, "has no file name after it");
    *path = strdup(value);
    return *path ? OTA_OK : ota_fail_no_memory(parser->failure);
}

static enum ota_error set_auth_file(struct host_line *line, const struct parser *parser,
                                    const char *value)
{
    if (input_is_standard(value))
        return reject_word(parser, "is possible on the command line only, for all boards at once");
    return set_host_path(&line->auth_file, parser, value);
}

static enum ota_error set_key_file(struct host_line *line, const struct parser *parser,
                                   const char *value)
{
    if (input_is_standard(value))
        return reject_word(parser, "is possible on the command line only, for all boards at once");
    return set_host_path(&line->key_file, parser, value);
}

static enum ota_error set_host_file(struct host_line *line, const struct parser *parser,
                                    const char *value)
{
    if (input_is_standard(value))
        return reject_word(parser, "is possible on the command line only (-f), for all boards");
    return set_host_path(&line->file, parser, value);
}

static enum ota_error set_host_min_auth(struct host_line *line, const struct parser *parser,
                                        const char *value)
{
    if (line->has_min_auth)
        return reject_word(parser, "is a second one for this board; leave one of them out");
    if (!auth_find_least(&line->min_auth, value))
        return reject_word(parser, "is neither min-auth=md5 nor min-auth=sha256");
    line->has_min_auth = true;
    return OTA_OK;
}

static enum ota_error set_host_own(struct host_line *line, const struct parser *parser,
                                   enum upload_own_key key, const char *value)
{
    char why[UPLOAD_OWN_WHY_MAX];
    char **own = &line->own.values[key];

    if (*own)
        return reject_word(parser, "is a second one for this board; leave one of them out");
    if (!protocols_check_own(key, value, why))
        return reject_word(parser, why);
    *own = strdup(value);
    return *own ? OTA_OK : ota_fail_no_memory(parser->failure);
}

static enum ota_error set_host_page(struct host_line *line, const struct parser *parser,
                                    const char *value)
{
    return set_host_own(line, parser, UPLOAD_OWN_PAGE, value);
}

static enum ota_error set_host_field(struct host_line *line, const struct parser *parser,
                                     const char *value)
{
    return set_host_own(line, parser, UPLOAD_OWN_FIELD, value);
}

static enum ota_error set_host_user(struct host_line *line, const struct parser *parser,
                                    const char *value)
{
    return set_host_own(line, parser, UPLOAD_OWN_USER, value);
}

static const struct key {
    const char *name;
    enum ota_error (*set)(struct host_line *line, const struct parser *parser, const char *value);
} keys[] = {
    {"port=", set_host_port},
    {"auth-file=", set_auth_file},
    {"file=", set_host_file},
    {"min-auth=", set_host_min_auth},
    {"encryption-key-file=", set_key_file},
    {"page=", set_host_page},
    {"field=", set_host_field},
    {"user=", set_host_user},
};

static const struct key *find_key(const char *text, size_t length)
{
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        size_t size = strlen(keys[i].name);
        if (length >= size && memcmp(text, keys[i].name, size) == 0)
            return &keys[i];
    }
    return NULL;
}

static enum ota_error take_target(struct host_line *line, struct parser *parser)
{
    /* In quotes it is an unusual name of a board. */
    bool is_key = find_key(parser->at, (size_t)(parser->end - parser->at)) != NULL;

    if (take_word(parser) != OTA_OK)
        return parser->failure->error;
    if (is_key)
        return reject_word(parser, "stands where the board's name or address should be");

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
    const struct key *key = find_key(parser->word, strlen(parser->word));
    if (!key)
        return reject_word(parser,
                           "is not one of port=N, auth-file=PATH, file=PATH, min-auth=SCHEME, "
                           "encryption-key-file=PATH, page=NAME, field=NAME and user=NAME (put a "
                           "word with spaces in double quotes)");
    return key->set(line, parser, parser->word + strlen(key->name));
}

/* -- lines -- */

/* Appends a line, all zero. NULL and failure if there is no room for it. */
static struct host_line *append_host_line(struct hosts *hosts, const struct parser *parser)
{
    struct host_line *lines;

    if (hosts->count == HOSTS_COUNT_MAX) {
        ota_fail(parser->failure, OTA_E_USAGE, "%s names more than %d boards", parser->name,
                 HOSTS_COUNT_MAX);
        return NULL;
    }

    lines = array_grow(hosts->lines, hosts->count, &hosts->capacity, sizeof *lines);
    if (!lines) {
        ota_fail_no_memory(parser->failure);
        return NULL;
    }
    hosts->lines = lines;

    struct host_line *line = &hosts->lines[hosts->count++];
    *line = (struct host_line){.number = parser->number};
    return line;
}

static enum ota_error parse_line(struct hosts *hosts, struct parser *parser)
{
    size_t length = (size_t)(parser->end - parser->at);

    if (length > 0 && parser->end[-1] == '\r') {
        parser->end--;
        length--;
    }
    if (length > HOSTS_LINE_MAX)
        return reject_line(parser, "the line is longer than 16 KiB");
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

enum ota_error hosts_parse(struct hosts *hosts, const char *name, const char *text, size_t length,
                           struct ota_failure *failure)
{
    char shown[NAME_SHOWN];
    struct parser parser = {.name = input_show(shown, sizeof shown, name), .failure = failure};
    const char *at = text + utf8_mark(text, length), *end = text + length;

    *hosts = (struct hosts){0};
    while (at < end) {
        const char *line_end = memchr(at, '\n', (size_t)(end - at));
        parser.number++;
        parser.at = at;
        parser.end = line_end ? line_end : end;
        if (parse_line(hosts, &parser) != OTA_OK)
            return failure->error;
        at = line_end ? line_end + 1 : end;
    }
    if (hosts->count == 0)
        return ota_fail(failure, OTA_E_USAGE,
                        "%s names no board: each line should begin with a name or an address",
                        shown);
    return OTA_OK;
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
        ota_fail(failure, OTA_E_USAGE, "%s is longer than 4 MiB, too long for a list of boards",
                 shown);
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

void hosts_free(struct hosts *hosts)
{
    for (size_t i = 0; i < hosts->count; i++) {
        free(hosts->lines[i].auth_file);
        free(hosts->lines[i].key_file);
        free(hosts->lines[i].file);
        for (size_t j = 0; j < UPLOAD_OWN_COUNT; j++)
            free(hosts->lines[i].own.values[j]);
    }
    free(hosts->lines);
    *hosts = (struct hosts){0};
}
