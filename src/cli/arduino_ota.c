/* arduino_ota.c: a table of arduinoOTA's flags. As Go reads them, each has one dash or two, and a
 * value in the next word or behind '='. */
#include "cli/arduino_ota.h"

#include "base/error.h"
#include "base/escape.h"
#include "base/secret.h"
#include "crypto/digest.h"

#include <stdio.h>
#include <string.h>

enum arduino_flag {
    FLAG_ADDRESS,
    FLAG_PORT,
    FLAG_USERNAME,
    FLAG_PASSWORD,
    FLAG_SKETCH,
    FLAG_UPLOAD,
    FLAG_TIMEOUT,
    FLAG_VALUES, /* those before have a value */
    FLAG_BINARY = FLAG_VALUES,
    FLAG_VERBOSE,
    FLAG_QUIET,
    FLAG_VERSION,
    FLAG_COUNT
};

static const char *const flag_names[FLAG_COUNT] = {
    [FLAG_ADDRESS] = "address",   [FLAG_PORT] = "port",      [FLAG_USERNAME] = "username",
    [FLAG_PASSWORD] = "password", [FLAG_SKETCH] = "sketch",  [FLAG_UPLOAD] = "upload",
    [FLAG_TIMEOUT] = "t",         [FLAG_BINARY] = "b",       [FLAG_VERBOSE] = "v",
    [FLAG_QUIET] = "q",           [FLAG_VERSION] = "version"};

bool arduino_ota_is_called(const char *program)
{
    const char *slash = program ? strrchr(program, '/') : NULL;

    return program && strcmp(slash ? slash + 1 : program, "arduinoOTA") == 0;
}

static enum arduino_flag find_flag(const char *name, size_t length)
{
    int flag = 0;

    while (flag < FLAG_COUNT &&
           (strlen(flag_names[flag]) != length || memcmp(flag_names[flag], name, length) != 0))
        flag++;
    return (enum arduino_flag)flag;
}

/* Stores the value of each flag; that of a flag without a value is its name, unless it is false. */
static enum ota_error read_flags(char *values[FLAG_COUNT], int argc, char **argv,
                                 struct ota_failure *failure)
{
    for (int i = 1; i < argc; i++) {
        char *name = argv[i] + strspn(argv[i], "-");
        size_t dashes = (size_t)(name - argv[i]), length = strcspn(name, "=");
        enum arduino_flag flag = find_flag(name, length);
        char *value = name[length] ? name + length + 1 : NULL, shown[128];

        if (dashes < 1 || dashes > 2 || flag == FLAG_COUNT)
            return ota_fail(failure, OTA_E_USAGE,
                            "called as arduinoOTA, which takes -address, -port, -username, "
                            "-password, -sketch, -upload, -t, -b, -v and -q here; not '%s'",
                            escape_text(shown, sizeof shown, argv[i], dashes + length));
        if (flag < FLAG_VALUES && !value)
            value = i + 1 < argc ? argv[++i] : NULL;
        if (flag < FLAG_VALUES && !value)
            return ota_fail(failure, OTA_E_USAGE, "-%s of arduinoOTA needs a value",
                            flag_names[flag]);
        if (flag == FLAG_PASSWORD && values[flag]) /* the process list shows the former one */
            digest_cleanse(values[flag], strlen(values[flag]));
        values[flag] = flag < FLAG_VALUES || !value || strcmp(value, "false") != 0
                           ? (value ? value : name)
                           : NULL;
    }
    return OTA_OK;
}

/* Only sketch servers are uploaded to: the other endpoints are those of boards with Linux. */
static enum ota_error check_flags(char *values[FLAG_COUNT], struct ota_failure *failure)
{
    const char *upload = values[FLAG_UPLOAD], *user = values[FLAG_USERNAME];

    if (values[FLAG_VERSION])
        return OTA_OK;
    if (!values[FLAG_ADDRESS] || !values[FLAG_SKETCH] || !upload)
        return ota_fail(failure, OTA_E_USAGE,
                        "called as arduinoOTA, which needs -address, -sketch and -upload");
    if (strcmp(upload, "/sketch") != 0 && strcmp(upload, "/data") != 0)
        return ota_fail(
            failure, OTA_E_USAGE,
            "-upload of arduinoOTA can be /sketch here, or /data for a filesystem image");
    if (user && *user && strcmp(user, "arduino") != 0)
        return ota_fail(
            failure, OTA_E_USAGE,
            "-username of arduinoOTA can only be arduino: the boards know no other user");
    return OTA_OK;
}

static void add_word(struct arduino_ota *result, const char *word)
{
    result->words[result->count++] = (char *)word;
}

static void add_option(struct arduino_ota *result, const char *option, char *value)
{
    if (!value)
        return;
    add_word(result, option);
    add_word(result, value);
}

/* One word, so that no password looks like an option. */
static bool take_password(struct arduino_ota *result, char *password)
{
    static const char option[] = "--auth=";

    if (!password)
        return true;
    result->auth = secret_alloc(sizeof option + strlen(password));
    if (!result->auth)
        return false;
    snprintf(result->auth, sizeof option + strlen(password), "%s%s", option, password);
    digest_cleanse(password, strlen(password));
    return true;
}

enum ota_error arduino_ota_translate(struct arduino_ota *result, int argc, char **argv,
                                     struct ota_failure *failure)
{
    static char protocol[] = "sketch", port[] = "80"; /* any value may be wiped, as argv is */
    char *values[FLAG_COUNT] = {NULL};

    *result = (struct arduino_ota){.count = 0};
    enum ota_error error = read_flags(values, argc, argv, failure);
    if (error == OTA_OK)
        error = check_flags(values, failure);
    if (!take_password(result, values[FLAG_PASSWORD]) && error == OTA_OK)
        error = ota_fail_no_memory(failure);
    if (error != OTA_OK)
        return error;

    add_word(result, argv[0]);
    if (result->auth)
        add_word(result, result->auth);
    if (values[FLAG_VERSION]) {
        add_word(result, "--version");
        return OTA_OK;
    }
    add_option(result, "--protocol", protocol);
    add_option(result, "-i", values[FLAG_ADDRESS]);
    add_option(result, "-p", values[FLAG_PORT] ? values[FLAG_PORT] : port);
    add_option(result, "-f", values[FLAG_SKETCH]);
    add_option(result, "--deadline", values[FLAG_TIMEOUT]);
    if (values[FLAG_UPLOAD] && strcmp(values[FLAG_UPLOAD], "/data") == 0)
        add_word(result, "-s");
    if (values[FLAG_QUIET])
        add_word(result, "-q");
    return OTA_OK;
}

void arduino_ota_free(struct arduino_ota *result)
{
    secret_free(result->auth);
    result->auth = NULL;
}
