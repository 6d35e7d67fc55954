/*
 * command_line.c: lets popt parse a masked command line (argv_mask.h), reports mistakes in it and
 * wipes the password from argv. This is the only file that calls popt.
 */
#include "cli/command_line.h"

#include "base/error.h"
#include "base/escape.h"
#include "base/secret.h"
#include "base/text.h"
#include "cli/argv_mask.h"
#include "crypto/digest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SHOWN_MAX = 160 }; /* size of an argument in a message */

/* The name of an option ends at these bytes, which begin its value or a mark. */
#define NAME_END "=\x01"

struct reader {
    struct command_line *line;
    struct argv_mask argv_mask;
    poptContext popt;
    int password_at; /* index in argv of the argument with the password; -1: none */
    int file_at;     /* index in argv of the argument with the value of -f; -1: none */
};

/* Returns the argument that popt parsed last. An option from an alias has the alias as argument. */
static const char *current_argument(const struct reader *reader)
{
    return poptBadOption(reader->popt, POPT_BADOPTION_NOALIAS);
}

/* Writes the name of the option in argument, without its value, safe to show. */
static const char *show_name(char buffer[SHOWN_MAX], const char *argument)
{
    return escape_text(buffer, SHOWN_MAX, argument, strcspn(argument, NAME_END));
}

/* Returns the length of an en or em dash at the beginning of text. Web pages and word processors
 * write these for "-" and "--". */
static size_t long_dash_length(const char *text)
{
    return strncmp(text, "\xe2\x80\x93", 3) == 0 || strncmp(text, "\xe2\x80\x94", 3) == 0 ? 3 : 0;
}

/* If text is an option, perhaps with the wrong dashes, writes its correct spelling. Otherwise
 * returns false. Text behind an option's letter makes it no option. */
static bool spell_option(char buffer[SHOWN_MAX], const char *text)
{
    size_t hyphens = strspn(text, "-");
    size_t dashes = long_dash_length(text);
    if (dashes == 0)
        dashes = hyphens < 2 ? hyphens : 2;

    const char *name = text + dashes;
    size_t length = strcspn(name, NAME_END);
    if (name == text || length == 0)
        return false;

    if (options_find_name(name, length))
        snprintf(buffer, SHOWN_MAX, "--%.*s", (int)length, name);
    else if (hyphens < 2 && name[1] == '\0' && options_find_letter(*name))
        snprintf(buffer, SHOWN_MAX, "-%c", *name);
    else
        return false;
    return true;
}

static enum ota_error reject_unknown_name(const char *argument, struct ota_failure *failure)
{
    char buffer[SHOWN_MAX];

    show_name(buffer, argument);
    const char *likely = options_suggest(argument + 2, strcspn(argument, NAME_END) - 2);
    if (!likely)
        return ota_fail(failure, OTA_E_USAGE, "unknown option '%s'; esp-ota --help lists all",
                        buffer);
    return ota_fail(failure, OTA_E_USAGE, "unknown option '%s'; did you mean '--%s'?", buffer,
                    likely);
}

/* Blames the first letter of a cluster that is not an option. */
static enum ota_error reject_unknown_letter(const char *argument, struct ota_failure *failure)
{
    char buffer[SHOWN_MAX];
    const char *letter = argument + 1;

    while (letter[1] && options_find_letter(*letter))
        letter++;

    size_t length = 1; /* length of the character, which may be UTF-8 */
    while (((unsigned char)letter[length] & 0xc0) == 0x80)
        length++;

    escape_text(buffer, sizeof buffer, letter, length);
    const char *likely = options_suggest(letter, length);
    if (!likely)
        return ota_fail(failure, OTA_E_USAGE, "unknown option '-%s'; esp-ota --help lists all",
                        buffer);
    return ota_fail(failure, OTA_E_USAGE, "unknown option '-%s'; did you mean '--%s'?", buffer,
                    likely);
}

static enum ota_error reject_unknown_option(const struct reader *reader,
                                            struct ota_failure *failure)
{
    char alias[SHOWN_MAX], option[SHOWN_MAX];
    const char *argument = current_argument(reader);
    const char *in_alias = poptBadOption(reader->popt, 0);

    if (in_alias != argument)
        return ota_fail(failure, OTA_E_USAGE,
                        "the popt alias '%s' contains an unknown option, '%s'",
                        show_name(alias, argument), show_name(option, in_alias));
    return argument[1] == '-' ? reject_unknown_name(argument, failure)
                              : reject_unknown_letter(argument, failure);
}

/* Writes the last option of an argument, whose value popt found missing or unwanted. */
static const char *show_last_option(char buffer[SHOWN_MAX], const char *argument)
{
    size_t length = strcspn(argument, NAME_END);
    if (argument[1] == '-' || length <= 2)
        return show_name(buffer, argument);

    char letter[] = {'-', argument[length - 1], '\0'};
    return escape_string(buffer, SHOWN_MAX, letter);
}

static enum ota_error reject_for_popt(const struct reader *reader, int code,
                                      struct ota_failure *failure)
{
    char buffer[SHOWN_MAX];

    if (code == POPT_ERROR_BADOPT)
        return reject_unknown_option(reader, failure);

    show_last_option(buffer, current_argument(reader));
    if (code == POPT_ERROR_NOARG)
        return ota_fail(failure, OTA_E_USAGE, "option '%s' needs a value", buffer);
    if (code == POPT_ERROR_UNWANTEDARG)
        return ota_fail(failure, OTA_E_USAGE, "option '%s' takes no value", buffer);
    return ota_fail(failure, code == POPT_ERROR_MALLOC ? OTA_E_INTERNAL : OTA_E_USAGE,
                    "option '%s': %s", buffer, poptStrerror(code));
}

/* True if the current argument is a long name behind one dash ("-ip HOST"), which popt takes for a
 * cluster of letters. Then writes its correct spelling. letter is the option that popt found, or
 * '\0': if the argument begins with another one, it is the value of an option. */
static bool lacks_dash(const struct reader *reader, char letter, char spelled[SHOWN_MAX])
{
    const char *shown = current_argument(reader);
    if (shown[0] != '-' || shown[1] == '-' || (letter && shown[1] != letter))
        return false;

    const char *argument = argv_mask_argument(&reader->argv_mask, shown);
    return argument[1] && argument[2] && spell_option(spelled, argument);
}

/* Returns the list that collects the option's values. NULL: only the last value counts. */
static struct strings *list_for(struct command_line *line, enum option option)
{
    if (option == OPTION_IP)
        return &line->boards;
    if (option == OPTION_EXPECT)
        return &line->expected;
    if (option == OPTION_REJECT)
        return &line->rejected;
    return NULL;
}

/* Takes ownership of value. */
static enum ota_error append_value(struct strings *list, char *value, struct ota_failure *failure)
{
    if (strings_add(list, value) == 0)
        return OTA_OK;

    free(value);
    return ota_fail_no_memory(failure);
}

/* Overwrites text before it is freed: it may be a password in the wrong place. */
static void free_value(char *text)
{
    if (text)
        digest_cleanse(text, strlen(text));
    free(text);
}

/* Moves the password from argv, where its bytes are overwritten, to the line. It replaces an
 * earlier password. It may look like an option. */
static enum ota_error store_password(struct reader *reader, struct ota_failure *failure)
{
    char *marked = poptGetOptArg(reader->popt);
    if (!marked)
        return ota_fail_no_memory(failure);

    secret_free(reader->line->password);
    reader->line->password = argv_mask_reveal(&reader->argv_mask, marked, secret_alloc);
    argv_mask_wipe(&reader->argv_mask, marked);
    reader->password_at = argv_mask_index(&reader->argv_mask, marked);
    free_value(marked); /* an alias can have put secret text around the mark */
    return reader->line->password ? OTA_OK : ota_fail_no_memory(failure);
}

/* True if the option must not have two different values, as only one of them could be used. */
static bool is_conflict(const struct command_line *line, enum option option, const char *value)
{
    bool is_single = option == OPTION_HOSTS || option == OPTION_RESUME;
    const char *former = line->value[option];

    return is_single && former && strcmp(former, value) != 0;
}

/* Stores the value of an option. It replaces an earlier value, unless the option collects a list.
 * An optional value that is missing is stored as "". */
static enum ota_error store_value(struct reader *reader, enum option option,
                                  struct ota_failure *failure)
{
    if (option == OPTION_AUTH)
        return store_password(reader, failure);

    struct command_line *line = reader->line;
    char *marked = poptGetOptArg(reader->popt);
    char *value = marked ? argv_mask_reveal(&reader->argv_mask, marked, malloc) : NULL;
    if (!marked && options_value_is_optional(options_find(option)))
        value = strdup("");

    bool is_separate_word = marked && strcmp(marked, current_argument(reader)) == 0;
    if (marked && option == OPTION_FILE)
        reader->file_at = argv_mask_index(&reader->argv_mask, marked);
    free_value(marked);
    if (!value)
        return ota_fail_no_memory(failure);

    /* In "-f -z" the value is missing. The swallowed option may be --auth=PASSWORD. */
    char name[SHOWN_MAX];
    if (is_separate_word && spell_option(name, value)) {
        free_value(value);
        argv_mask_wipe(&reader->argv_mask, current_argument(reader));
        return ota_fail(failure, OTA_E_USAGE, "option '--%s' needs a value, but '%s' follows",
                        options_find(option)->longName, name);
    }

    struct strings *list = list_for(line, option);
    if (list)
        return append_value(list, value, failure);

    if (is_conflict(line, option, value)) {
        free(value);
        return ota_fail(failure, OTA_E_USAGE,
                        "option '--%s' is given twice; put all boards into one %s",
                        options_find(option)->longName, option == OPTION_HOSTS ? "list" : "report");
    }

    free_value(line->value[option]);
    line->value[option] = value;
    return OTA_OK;
}

static enum ota_error reject_one_dash(const char *spelled, struct ota_failure *failure)
{
    return ota_fail(failure, OTA_E_USAGE, "'%s' has only one dash; write '%s'", spelled + 1,
                    spelled);
}

static enum ota_error store_option(struct reader *reader, int code, struct ota_failure *failure)
{
    char spelled[SHOWN_MAX];
    char letter = '\0';

    if (code >= 0)
        letter = options_find((enum option)code)->shortName;
    bool has_one_dash = (code < 0 || letter) && lacks_dash(reader, letter, spelled);

    if (code < 0) {
        /* An argument that popt rejects may be a mistyped --auth=PASSWORD. */
        reject_for_popt(reader, code, failure);
        argv_mask_wipe(&reader->argv_mask, current_argument(reader));
        return has_one_dash ? reject_one_dash(spelled, failure) : failure->error;
    }

    enum option option = (enum option)code;
    reader->line->given[option] = true;
    if (options_takes_value(options_find(option)) && store_value(reader, option, failure) != OTA_OK)
        return failure->error;
    return has_one_dash ? reject_one_dash(spelled, failure) : OTA_OK;
}

static enum ota_error reject_argument(const struct command_line *line, const char *text,
                                      struct ota_failure *failure)
{
    char buffer[SHOWN_MAX];
    const char *option = NULL;

    if (!line->given[OPTION_FILE])
        option = "-f";
    else if (!line->given[OPTION_IP])
        option = "-i";

    escape_string(buffer, sizeof buffer, text);
    if (option)
        return ota_fail(failure, OTA_E_USAGE, "unexpected argument '%s'; did you mean %s %s?",
                        buffer, option, buffer);
    return ota_fail(failure, OTA_E_USAGE,
                    "unexpected argument '%s'; a value that contains spaces needs quotes", buffer);
}

/* Does not show an argument that is no option: it may be "-a" and the password. */
static enum ota_error reject_long_dash(const char *text, struct ota_failure *failure)
{
    char spelled[SHOWN_MAX];

    if (!spell_option(spelled, text))
        return ota_fail(
            failure, OTA_E_USAGE,
            "an argument begins with a long dash, perhaps copied from a web page; options "
            "begin with '-' or '--'");
    return ota_fail(failure, OTA_E_USAGE,
                    "'%.3s%s' begins with a long dash, perhaps copied from a web page; write '%s'",
                    text, spelled + strspn(spelled, "-"), spelled);
}

static void wipe_remaining(struct reader *reader, const char *argument)
{
    for (; argument; argument = poptGetArg(reader->popt))
        argv_mask_wipe(&reader->argv_mask, argument);
}

static enum ota_error reject_and_wipe(struct reader *reader, const char *argument,
                                      const char *message, struct ota_failure *failure)
{
    wipe_remaining(reader, argument);
    return ota_fail(failure, OTA_E_USAGE, "%s", message);
}

/* A shell makes several words of "-f *.bin", or of a name with spaces. argument is the first word
 * behind the value of -f; the message lists the words up to the next option. */
static enum ota_error reject_several_files(struct reader *reader, const char *argument,
                                           struct ota_failure *failure)
{
    enum { NAMED_MAX = 3 };
    char file[SHOWN_MAX], list[NAMED_MAX * (SHOWN_MAX + 4)] = "", more[32] = "";
    size_t count = 0;
    int index = reader->file_at;
    bool is_file = true;

    while (is_file && argument && argv_mask_index(&reader->argv_mask, argument) == ++index) {
        char shown[SHOWN_MAX];
        char *text = argv_mask_reveal(&reader->argv_mask, argument, malloc);
        if (!text)
            return ota_fail_no_memory(failure);

        /* The words after an option with a long dash may be a password. */
        is_file = !long_dash_length(text);
        if (is_file && count++ < NAMED_MAX)
            text_append(list, sizeof list, "%s'%s'", *list ? ", " : "",
                        escape_string(shown, sizeof shown, text));

        free_value(text);
        argument = poptGetArg(reader->popt);
    }

    if (count > NAMED_MAX)
        snprintf(more, sizeof more, " and %zu more", count - NAMED_MAX);
    wipe_remaining(reader, argument);
    return ota_fail(
        failure, OTA_E_USAGE,
        "-f takes one file, but '%s' is followed by %s%s; name the one to send, and put a "
        "name that contains spaces in quotes",
        escape_string(file, sizeof file, reader->line->value[OPTION_FILE]), list, more);
}

/* Rejects arguments that are not options, as there are no operands. An argument behind "--" is not
 * shown, nor is the second word behind -a: it may be a password. */
static enum ota_error check_arguments(struct reader *reader, struct ota_failure *failure)
{
    const char *argument = poptGetArg(reader->popt);
    if (!argument)
        return OTA_OK;

    if (argument[0] == '-' && argument[1] != '\0')
        return reject_and_wipe(reader, argument,
                               "unexpected arguments after '--'; leave the '--' out", failure);

    int index = argv_mask_index(&reader->argv_mask, argument);
    if (index > 0 && index - 1 == reader->password_at)
        return reject_and_wipe(reader, argument,
                               "unexpected argument after the password; if the password contains "
                               "spaces, put it in quotes",
                               failure);

    char *text = argv_mask_reveal(&reader->argv_mask, argument, malloc);
    if (!text)
        return ota_fail_no_memory(failure);

    enum ota_error error;
    if (long_dash_length(text)) {
        error = reject_long_dash(text, failure);
        wipe_remaining(reader, argument); /* the next argument may be a password */
    } else if (reader->file_at > 0 && index == reader->file_at + 1) {
        error = reject_several_files(reader, argument, failure);
    } else {
        error = reject_argument(reader->line, text, failure);
    }
    free_value(text);
    return error;
}

static enum ota_error read_options(struct reader *reader, struct ota_failure *failure)
{
    enum ota_error first = OTA_OK;
    int code;

    while ((code = poptGetNextOpt(reader->popt)) != -1) {
        struct ota_failure further; /* only the first mistake is reported */
        enum ota_error error = store_option(reader, code, first == OTA_OK ? failure : &further);
        if (first == OTA_OK)
            first = error;
    }

    if (first != OTA_OK)
        return first;
    return check_arguments(reader, failure);
}

/* Writes the letters of all options that take a value, as a string. */
static void collect_letters(char letters[OPTION_COUNT])
{
    const struct poptOption *row;

    for (size_t n = 0; (row = options_row(n)); n++)
        if (row->shortName && options_takes_value(row))
            *letters++ = row->shortName;
    *letters = '\0';
}

enum ota_error command_line_read(struct command_line *line, int argc, char **argv,
                                 struct ota_failure *failure)
{
    struct reader reader = {.line = line, .password_at = -1, .file_at = -1};
    char letters[OPTION_COUNT];
    enum ota_error error;

    *line = (struct command_line){0};
    collect_letters(letters);
    if (argv_mask_init(&reader.argv_mask, argc, argv, letters) < 0)
        return ota_fail_no_memory(failure);

    /* NO_EXEC: a line in ~/.popt must not make popt replace this program by another. */
    reader.popt = poptGetContext("esp-ota", argc, (const char **)reader.argv_mask.shown,
                                 options_groups, POPT_CONTEXT_NO_EXEC);
    if (!reader.popt) {
        error = ota_fail_no_memory(failure);
        goto cleanup;
    }

    line->is_config_broken = poptReadDefaultConfig(reader.popt, 0) != 0;
    error = read_options(&reader, failure);

cleanup:
    poptFreeContext(reader.popt);
    argv_mask_free(&reader.argv_mask);
    return error;
}

void command_line_free(struct command_line *line)
{
    for (int i = 0; i < OPTION_COUNT; i++) {
        free_value(line->value[i]);
        line->value[i] = NULL;
    }

    secret_free(line->password);
    line->password = NULL;
    strings_free(&line->boards);
    strings_free(&line->expected);
    strings_free(&line->rejected);
}
