/*
 * password.c: reads a secret and leaves no copy of it behind.
 */
#include "secrets/password.h"

#include "base/error.h"
#include "base/escape.h"
#include "base/input.h"
#include "base/secret.h"
#include "base/utf8.h"
#include "crypto/digest.h"
#include "secrets/shown.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PATH_SHOWN = 256, LINE_SIZE = UTF8_MARK + PASSWORD_MAX + 1 };

static const struct {
    const char *name;
    const char *if_none; /* what to do without one */
} kinds[] = {
    [SECRET_PASSWORD] = {"password", " (for no password use --auth=)"},
    [SECRET_ENCRYPTION_KEY] = {"encryption key", ""},
};

/* Reads up to the first line end, byte by byte: the rest of standard input may be meant for another
 * program. Returns the length, LINE_SIZE for a line that does not fit, or -1. */
static ssize_t read_first_line(int fd, char line[LINE_SIZE])
{
    size_t length = 0;

    while (length < LINE_SIZE) {
        ssize_t got = input_read(fd, line + length, 1);
        if (got < 0)
            return -1;
        if (got == 0 || line[length] == '\n')
            break;
        length++;
    }

    if (length > 0 && length < LINE_SIZE && line[length - 1] == '\r')
        length--;
    return (ssize_t)length;
}

static enum ota_error check_line(const char *line, ssize_t length, enum secret_kind kind,
                                 const char *shown, struct ota_failure *failure)
{
    if (length < 0)
        return ota_fail_errno(failure, OTA_E_USAGE, errno, "cannot read the %s from %s: %s",
                              kinds[kind].name, shown, input_error(errno));
    if (length == 0)
        return ota_fail(failure, OTA_E_USAGE,
                        "the first line of %s is empty, but the %s should be there%s", shown,
                        kinds[kind].name, kinds[kind].if_none);
    if (length > PASSWORD_MAX)
        return ota_fail(failure, OTA_E_USAGE,
                        "the first line of %s is longer than %d bytes, too long for a%s %s", shown,
                        PASSWORD_MAX, kind == SECRET_ENCRYPTION_KEY ? "n" : "", kinds[kind].name);
    if (memchr(line, '\0', (size_t)length))
        return ota_fail(failure, OTA_E_USAGE,
                        "the first line of %s holds a NUL byte: not a text file", shown);
    return OTA_OK;
}

static enum ota_error read_secret(char **text, int fd, enum secret_kind kind, const char *shown,
                                  struct ota_failure *failure)
{
    char line[LINE_SIZE];
    ssize_t length = read_first_line(fd, line);
    size_t mark = length > 0 ? utf8_mark(line, (size_t)length) : 0;
    enum ota_error error = check_line(line + mark, length - (ssize_t)mark, kind, shown, failure);

    if (error == OTA_OK) {
        *text = secret_copy_part(line + mark, (size_t)length - mark);
        if (!*text)
            error = ota_fail_no_memory(failure);
    }
    digest_cleanse(line, sizeof line);
    return error;
}

enum ota_error secret_from_file(char **text, const char *path, const char *written,
                                enum secret_kind kind, enum exposure *exposure,
                                struct ota_failure *failure)
{
    *text = NULL;
    *exposure = EXPOSED_TO_NOBODY;
    if (input_is_standard(path))
        return read_secret(text, STDIN_FILENO, kind, "standard input", failure);

    char escaped[PATH_SHOWN], shown[SHOWN_WORD_MAX];
    int fd = input_open(path);
    if (fd < 0)
        return ota_fail_errno(failure, OTA_E_USAGE, errno, "cannot open the %s file %s: %s",
                              kinds[kind].name, shown_path(shown, path, written),
                              input_open_error(path, errno));

    escape_string(escaped, sizeof escaped, path);
    *exposure = exposure_of(fd);
    enum ota_error error = read_secret(text, fd, kind, escaped, failure);
    close(fd);
    return error;
}

enum ota_error password_from_file(char **password, const char *path, const char *written,
                                  enum exposure *exposure, struct ota_failure *failure)
{
    return secret_from_file(password, path, written, SECRET_PASSWORD, exposure, failure);
}

/* The environment may hold a variable several times. */
static void cleanse_variable(const char *name)
{
    size_t length = strlen(name);

    for (char **entry = environ; entry && *entry; entry++)
        if (strncmp(*entry, name, length) == 0 && (*entry)[length] == '=')
            digest_cleanse(*entry + length + 1, strlen(*entry + length + 1));
    unsetenv(name);
}

int secret_from_environment(char **text, const char *name)
{
    const char *value = getenv(name);
    int result = 0;

    *text = NULL;
    if (value && *value != '\0') {
        *text = secret_copy(value);
        result = *text ? 0 : -1;
    }

    cleanse_variable(name);
    return result;
}

int password_from_environment(char **password)
{
    static const char NAME[] = "ESP_OTA_AUTH";

    return secret_from_environment(password, NAME);
}
