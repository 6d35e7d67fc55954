/*
 * command_line.c: lets popt parse a masked command line (argv_mask.h), reports mistakes in it and
 * wipes the password from argv. Only this file and aliases.c call popt.
 */
#include "cli/command_line.h"

#include "base/error.h"
#include "base/escape.h"
#include "base/secret.h"
#include "base/text.h"
#include "base/units.h"
#include "cli/abbreviation.h"
#include "cli/aliases.h"
#include "cli/argv_mask.h"
#include "cli/config_options.h"
#include "cli/operands.h"
#include "cli/placeholder.h"
#include "cli/spelling.h"
#include "crypto/digest.h"

#include <ctype.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { OPTION_ALIASES_SIZE = OPTION_COUNT };
enum { FAULT_MAX = 64 };

/* What popt parses: the options, and where an alias begins. */
static const struct poptOption popt_rows[] = {
    {.longName = ALIASES_SIZE, .argInfo = POPT_ARG_STRING, .val = OPTION_ALIASES_SIZE},
    {.argInfo = POPT_ARG_INCLUDE_TABLE, .arg = (void *)options_groups},
    POPT_TABLEEND};

struct reader {
    struct command_line *line;
    struct argv_mask argv_mask;
    poptContext popt;
    int password_at;            /* index in argv of the argument with the password; -1: none */
    int value_at[OPTION_COUNT]; /* the same for the value of each option */
};

/* Returns the argument that popt parsed last. An option from an alias has the alias as argument. */
static const char *current_argument(const struct reader *reader)
{
    return poptBadOption(reader->popt, POPT_BADOPTION_NOALIAS);
}

/* Whether a long option's name ends at this byte, instead of going on in a mark. */
static bool ends_name(char byte)
{
    return byte == '\0' || byte == '=';
}

/* "--port 3232" as one word, which a line of PlatformIO's upload_flags becomes. */
static enum ota_error reject_blank(const char *name, const struct poptOption *row,
                                   struct ota_failure *failure)
{
    bool takes_value = options_takes_value(row);

    return ota_fail(failure, OTA_E_USAGE,
                    "option '%s' is followed by a space in the same word; %s%s%s", name,
                    takes_value ? "write " : "end the word there", takes_value ? name : "",
                    takes_value ? "=VALUE" : "");
}

static enum ota_error reject_unknown_name(const struct reader *reader, const char *argument,
                                          struct ota_failure *failure)
{
    char buffer[SPELLING_MAX], candidates[ABBREVIATION_LIST_MAX];
    size_t length = strcspn(argument, SPELLING_NAME_END) - 2;
    const char *original = argv_mask_argument(&reader->argv_mask, argument);
    const struct poptOption *row = options_find_name(argument + 2, length);

    spelling_name(buffer, argument);
    if (row && original != argument && isblank((unsigned char)original[2 + length]))
        return reject_blank(buffer, row, failure);

    const char *likely = options_suggest(argument + 2, length);
    if (ends_name(argument[length + 2]) &&
        abbreviation_list(candidates, argument + 2, length) > 1) {
        bool is_synonym = likely && strncmp(likely, argument + 2, length) != 0;

        return ota_fail(failure, OTA_E_USAGE, "option '%s' is ambiguous: it may be %s%s%s%s",
                        buffer, candidates, is_synonym ? "; did you mean '--" : "",
                        is_synonym ? likely : "", is_synonym ? "'?" : "");
    }
    if (!likely)
        return ota_fail(failure, OTA_E_USAGE, "unknown option '%s'; esp-ota --help lists all",
                        buffer);
    return ota_fail(failure, OTA_E_USAGE, "unknown option '%s'; did you mean '--%s'?", buffer,
                    likely);
}

/* Returns the first letter of a cluster that is not an option, or the last one. */
static const char *find_unknown_letter(const char *cluster)
{
    const char *letter = cluster + 1;

    while (letter[0] && letter[1] && options_find_letter(*letter))
        letter++;
    return letter;
}

/* Returns the length of the character, which may be UTF-8; 0 at the end of the text. */
static size_t character_length(const char *character)
{
    size_t length = *character != '\0';

    while (length && ((unsigned char)character[length] & 0xc0) == 0x80)
        length++;
    return length;
}

/* Blames the first letter of a cluster that is not an option. */
static enum ota_error reject_unknown_letter(const char *argument, struct ota_failure *failure)
{
    char buffer[SPELLING_MAX];
    const char *letter = find_unknown_letter(argument);

    if (isblank((unsigned char)*letter) && letter > argument + 1) {
        snprintf(buffer, sizeof buffer, "-%c", letter[-1]);
        return reject_blank(buffer, options_find_letter(letter[-1]), failure);
    }

    size_t length = character_length(letter);
    escape_text(buffer, sizeof buffer, letter, length);
    const char *likely = options_suggest(letter, length);
    if (!likely)
        return ota_fail(failure, OTA_E_USAGE, "unknown option '-%s'; esp-ota --help lists all",
                        buffer);
    return ota_fail(failure, OTA_E_USAGE, "unknown option '-%s'; did you mean '--%s'?", buffer,
                    likely);
}

/* Blames an option of an alias. Text behind an unknown letter may be a password. */
static enum ota_error reject_in_alias(const char *alias, const char *option,
                                      struct ota_failure *failure)
{
    char shown_alias[SPELLING_MAX], shown[SPELLING_MAX] = "-";

    if (option[1] == '-') {
        spelling_name(shown, option);
    } else {
        const char *letter = find_unknown_letter(option);
        escape_text(shown + 1, sizeof shown - 1, letter, character_length(letter));
    }
    return ota_fail(failure, OTA_E_USAGE, "the popt alias '%s' contains an unknown option, '%s'",
                    spelling_name(shown_alias, alias), shown);
}

static enum ota_error reject_unknown_option(const struct reader *reader,
                                            struct ota_failure *failure)
{
    const char *argument = current_argument(reader);
    const char *option = poptBadOption(reader->popt, 0); /* perhaps of an alias */

    if (option != argument)
        return reject_in_alias(argument, option, failure);
    return argument[1] == '-' ? reject_unknown_name(reader, argument, failure)
                              : reject_unknown_letter(argument, failure);
}

/* Writes the last option of an argument, whose value popt found missing or unwanted. */
static const char *show_last_option(char buffer[SPELLING_MAX], const char *argument)
{
    size_t length = strcspn(argument, SPELLING_NAME_END);
    if (argument[1] == '-' || length <= 2)
        return spelling_name(buffer, argument);

    char letter[] = {'-', argument[length - 1], '\0'};
    return escape_string(buffer, SPELLING_MAX, letter);
}

static enum ota_error reject_for_popt(const struct reader *reader, int code,
                                      struct ota_failure *failure)
{
    char buffer[SPELLING_MAX];

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

/* True if the current argument is a long name behind one dash ("-ip HOST", "-host HOST"), which
 * popt takes for a cluster of letters. Then fills in mistake, before a password is wiped. letter is
 * the option that popt found, or '\0': if the argument begins with another one, it is the value of
 * an option. */
static bool lacks_dash(const struct reader *reader, char letter, struct ota_failure *mistake)
{
    char name[SPELLING_MAX], spelled[SPELLING_MAX];
    const char *shown = current_argument(reader);
    if (shown[0] != '-' || shown[1] == '-' || (letter && shown[1] != letter))
        return false;

    const char *argument = argv_mask_argument(&reader->argv_mask, shown);
    if (!argument[1] || !argument[2])
        return false;

    spelling_name(name, argument);
    if (spelling_correct(spelled, argument))
        ota_fail(mistake, OTA_E_USAGE, "'%s' has only one dash; write '%s'", name, spelled);
    else if (spelling_translate(spelled, argument))
        ota_fail(mistake, OTA_E_USAGE, "unknown option '%s'; did you mean '%s'?", name, spelled);
    else
        return false;
    return true;
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

/* Marks the option as not given, unless it has a former value. */
static void forget_option(struct command_line *line, enum option option)
{
    const struct strings *list = command_line_list(line, option);
    bool has_value = option == OPTION_AUTH ? line->password != NULL
                     : list                ? list->count > 0
                                           : line->value[option] != NULL;

    line->given[option] = has_value;
}

/* Moves the password from argv, where its bytes are overwritten, to the line. It replaces an
 * earlier password. One that begins like an option is taken only from "--auth=VALUE": in
 * "-a -f x" the value is missing. */
static enum ota_error store_password(struct reader *reader, struct ota_failure *failure)
{
    char *marked = poptGetOptArg(reader->popt);
    if (!marked)
        return ota_fail_no_memory(failure);

    struct command_line *line = reader->line;
    char *password = argv_mask_reveal(&reader->argv_mask, marked, secret_alloc);
    bool is_separate_word = strcmp(marked, current_argument(reader)) == 0;
    argv_mask_wipe(&reader->argv_mask, marked);
    reader->password_at = argv_mask_index(&reader->argv_mask, marked);
    free_value(marked); /* an alias can have put secret text around the mark */
    if (!password)
        return ota_fail_no_memory(failure);

    char swallowed[SPELLING_MAX];
    if (is_separate_word && spelling_correct(swallowed, password)) {
        secret_free(password);
        return ota_fail(failure, OTA_E_USAGE,
                        "option '-a' needs a value, but an option follows; write --auth=PASSWORD "
                        "for a password that begins with a dash");
    }

    if (command_line_skips(line, "-a", password)) {
        secret_free(password);
        forget_option(line, OPTION_AUTH);
        return OTA_OK;
    }
    secret_free(line->password);
    line->password = password;
    return OTA_OK;
}

/* True if the option must not have two different values, as only one of them could be used. */
static bool is_conflict(const struct command_line *line, enum option option, const char *value)
{
    bool is_single = option == OPTION_FILE || option == OPTION_HOSTS || option == OPTION_RESUME ||
                     option == OPTION_MATCH || option == OPTION_BOARD;
    const char *former = line->value[option];

    return is_single && former && strcmp(former, value) != 0;
}

static bool is_letters(const char *argument)
{
    return argument[0] == '-' && argument[1] != '-';
}

/* Whether some argument is the value, and the one before it ends in the option's letter. Several
 * values may be "-". */
static bool follows_letter(const struct argv_mask *argv_mask, enum option option,
                           const char *marked)
{
    const char letter = options_find(option)->shortName;

    for (int i = 2; letter && i < argv_mask->argc; i++) {
        const char *before = argv_mask->shown[i - 1];
        if (strcmp(argv_mask->shown[i], marked) == 0 && is_letters(before) &&
            before[strlen(before) - 1] == letter)
            return true;
    }
    return false;
}

/* Notes how the option was written, and where its marked value (NULL: none) stands. */
static void note_place(struct reader *reader, enum option option, const char *marked,
                       bool is_separate_word)
{
    const struct argv_mask *argv_mask = &reader->argv_mask;

    reader->line->is_letter[option] = is_separate_word ? follows_letter(argv_mask, option, marked)
                                                       : is_letters(current_argument(reader));
    if (marked)
        reader->value_at[option] = argv_mask_index(argv_mask, marked);
}

/* What to do instead of giving one of these options twice. */
static const char *advice_on_second(enum option option)
{
    switch (option) {
    case OPTION_HOSTS:
        return "put all boards into one list";
    case OPTION_RESUME:
        return "put all boards into one report";
    case OPTION_MATCH:
    case OPTION_BOARD:
        return "write one pattern for all boards, or name each with -i";
    default:
        return "name the one image to send";
    }
}

/* A copy of the value that popt has given: "" for an optional one that is missing. NULL: there is
 * none, or memory ran out. */
static char *copy_marked_value(struct reader *reader, enum option option, const char *marked)
{
    if (marked)
        return argv_mask_reveal(&reader->argv_mask, marked, malloc);
    return options_value_is_optional(options_find(option)) ? strdup("") : NULL;
}

/* "-p 3232" as one word, which a line of PlatformIO's upload_flags becomes, is a number for
 * espota.py. */
static void drop_leading_blanks(char *value)
{
    size_t blanks = strspn(value, " \t");

    memmove(value, value + blanks, strlen(value + blanks) + 1);
}

/* Whether an option stands at text: its whole name, or letters of which only the last one takes a
 * value, perhaps in the same word ("-zaPASSWORD"). If it takes no text, an option that is unknown
 * is also one. Then writes the name, or the first letter, and nothing behind it: that may be a
 * password. */
static bool is_option_at(char spelled[SPELLING_MAX], const char *text, bool takes_text)
{
    const size_t dash = spelling_long_dash(text) ? spelling_long_dash(text) : text[0] == '-';
    const char *letter = text + dash;

    if (spelling_correct(spelled, text))
        return true;
    if (dash == 0)
        return false;
    if (*letter == '-') {
        spelling_name(spelled, text);
        return !takes_text;
    }

    snprintf(spelled, SPELLING_MAX, "-%.*s", (int)character_length(letter), letter);
    if (!takes_text && isalpha((unsigned char)*letter))
        return true;
    for (; *letter && !isblank((unsigned char)*letter); letter++) {
        const struct poptOption *row = options_find_letter(*letter);
        if (!row || options_takes_value(row))
            return row != NULL;
    }
    return letter > text + dash;
}

/* Whether " -a" in a value belongs to the value, and is not the rest of a command line. It does if
 * the option takes text, and the value is a word of its own, and so was quoted, or names an
 * existing file. */
static bool is_quoted_text(enum option option, const char *value, bool is_separate_word)
{
    const struct poptOption *row = options_find(option);

    return options_takes_text(row) && (is_separate_word || access(value, F_OK) == 0);
}

/* Fails if the value is an option, as in "-f -z", or has one in it, as the line
 * "--port=3232 --auth=PASSWORD" of PlatformIO's upload_flags has. Patterns may contain anything. */
static enum ota_error check_swallowed(const char *name, enum option option, const char *value,
                                      bool is_separate_word, struct ota_failure *failure)
{
    char swallowed[SPELLING_MAX];

    if (is_separate_word && spelling_correct(swallowed, value))
        return ota_fail(failure, OTA_E_USAGE, "option '%s' needs a value, but '%s' follows", name,
                        swallowed);
    if (option == OPTION_EXPECT || option == OPTION_REJECT ||
        is_quoted_text(option, value, is_separate_word))
        return OTA_OK;

    for (const char *at = strpbrk(value, " \t"); at; at = strpbrk(at + 1, " \t"))
        if (is_option_at(swallowed, at + 1, options_takes_text(options_find(option))))
            return ota_fail(failure, OTA_E_USAGE,
                            "the value of '%s' has another option in it, '%s'; make two words of "
                            "them",
                            name, swallowed);
    return OTA_OK;
}

/* Returns the value that popt has given to the option, and writes the option's name for messages.
 * NULL: memory ran out, or the value cannot be meant. */
static char *read_value(struct reader *reader, enum option option, char name[COMMAND_LINE_NAME_MAX],
                        struct ota_failure *failure)
{
    char *marked = poptGetOptArg(reader->popt);
    char *value = copy_marked_value(reader, option, marked);
    bool is_separate_word = marked && strcmp(marked, current_argument(reader)) == 0;

    note_place(reader, option, marked, is_separate_word);
    free_value(marked);
    if (!value) {
        ota_fail_no_memory(failure);
        return NULL;
    }

    command_line_name(name, reader->line, option);
    if (!is_separate_word && reader->line->is_letter[option] && option != OPTION_FILE)
        drop_leading_blanks(value);

    if (check_swallowed(name, option, value, is_separate_word, failure) != OTA_OK) {
        free_value(value);
        argv_mask_wipe(&reader->argv_mask, current_argument(reader));
        return NULL;
    }
    return value;
}

/* Stores the value of an option. It replaces an earlier value, unless the option collects a list.
 * An optional value that is missing is stored as "". */
static enum ota_error store_value(struct reader *reader, enum option option,
                                  struct ota_failure *failure)
{
    if (option == OPTION_AUTH)
        return store_password(reader, failure);

    struct command_line *line = reader->line;
    char name[COMMAND_LINE_NAME_MAX];
    char *value = read_value(reader, option, name, failure);
    if (!value)
        return failure->error;

    if (command_line_skips(line, name, value)) {
        free(value);
        forget_option(line, option);
        reader->value_at[option] = -1;
        return OTA_OK;
    }

    struct strings *list = command_line_list(line, option);
    if (list)
        return append_value(list, value, failure);

    if (is_conflict(line, option, value)) {
        free(value);
        return ota_fail(failure, OTA_E_USAGE, "option '%s' is given twice; %s", name,
                        advice_on_second(option));
    }

    free_value(line->value[option]);
    line->value[option] = value;
    return OTA_OK;
}

static enum ota_error store_option(struct reader *reader, int code, struct ota_failure *failure)
{
    struct ota_failure mistake;
    char letter = '\0';

    if (code >= 0)
        letter = options_find((enum option)code)->shortName;
    bool has_one_dash = (code < 0 || letter) && lacks_dash(reader, letter, &mistake);

    if (code < 0) {
        /* An argument that popt rejects may be a mistyped --auth=PASSWORD. */
        reject_for_popt(reader, code, failure);
        argv_mask_wipe(&reader->argv_mask, current_argument(reader));
        if (has_one_dash)
            *failure = mistake;
        return failure->error;
    }

    /* "-host HOST" prints no help: status 0 would say that HOST has been updated. */
    enum option option = (enum option)code;
    if (has_one_dash && option == OPTION_HELP && strcmp(current_argument(reader), "-help") != 0) {
        *failure = mistake;
        return failure->error;
    }

    reader->line->given[option] = true;
    reader->line->is_taken_back[option] = false;
    if (!options_takes_value(options_find(option)))
        note_place(reader, option, NULL, false);
    else if (store_value(reader, option, failure) != OTA_OK)
        return failure->error;
    if (!has_one_dash)
        return OTA_OK;
    *failure = mistake;
    return failure->error;
}

/* Whether popt goes on with the whole name of an option that it did not find: "--prog=x" is
 * --progress=x. An alias of that name would have been found. */
static bool expand_abbreviation(const struct reader *reader)
{
    const char *argument = current_argument(reader);
    if (argument[0] != '-' || argument[1] != '-' || poptBadOption(reader->popt, 0) != argument)
        return false;

    size_t length = strcspn(argument, SPELLING_NAME_END);
    const struct poptOption *row = abbreviation_find(argument + 2, length - 2);
    if (!row || !ends_name(argument[length]))
        return false;

    const char *rest = argument + length;
    size_t size = strlen("--") + strlen(row->longName) + strlen(rest) + 1;
    char *whole = malloc(size);
    if (!whole)
        return false;

    snprintf(whole, size, "--%s%s", row->longName, rest);
    const char *arguments[] = {whole, NULL};
    bool is_expanded = poptStuffArgs(reader->popt, arguments) == 0;
    free(whole);
    return is_expanded;
}

/* --no-NAME: afterwards neither the line so far nor a configuration has set the flag. */
static bool take_back(const struct reader *reader)
{
    static const char no[] = "--no-";
    const char *argument = poptBadOption(reader->popt, 0);
    const char *name = argument + sizeof no - 1;

    if (strncmp(argument, no, sizeof no - 1) != 0)
        return false;
    const struct poptOption *row = options_find_name(name, strlen(name));
    if (!row || !config_options_is_flag((enum option)row->val))
        return false;

    free_value(reader->line->value[row->val]);
    reader->line->value[row->val] = NULL;
    reader->line->given[row->val] = false;
    reader->line->is_taken_back[row->val] = true;
    return true;
}

/* Adds the length of the alias that popt begins with. Returns whether something is wrong with the
 * aliases, and writes to fault what it is. Without aliases in aliases, nothing is. */
static bool has_faulty_aliases(const struct reader *reader, uint64_t *size, char fault[FAULT_MAX])
{
    char *text = poptGetOptArg(reader->popt);
    uint64_t length;
    const char *end;
    const bool is_too_deep = text && strcmp(text, ALIASES_TOO_DEEP) == 0;

    /* Without a number it is not ours, but stands in the file. */
    if (text && parse_decimal(text, ALIASES_SIZE_MAX, &length, &end))
        *size += length;
    free(text);
    if (is_too_deep)
        snprintf(fault, FAULT_MAX, "are nested more than %d levels deep", ALIASES_LEVELS_MAX);
    else if (*size > ALIASES_WORDS_MAX)
        snprintf(fault, FAULT_MAX, "stand for more than %d KiB of words", ALIASES_WORDS_MAX / KIB);
    else
        return false;
    return true;
}

/* Gives up, as aliases in aliases multiply. Passwords that were not reached are wiped with all
 * else. */
static enum ota_error reject_aliases(struct reader *reader, const char *fault, enum ota_error first,
                                     struct ota_failure *failure)
{
    char alias[SPELLING_MAX];

    spelling_name(alias, current_argument(reader));
    for (int i = 1; i < reader->argv_mask.argc; i++)
        argv_mask_wipe(&reader->argv_mask, reader->argv_mask.shown[i]);
    if (first != OTA_OK)
        return first;
    return ota_fail(failure, OTA_E_USAGE, "popt aliases such as '%s' %s; shorten them", alias,
                    fault);
}

static enum ota_error read_options(struct reader *reader, struct ota_failure *failure)
{
    enum ota_error first = OTA_OK;
    uint64_t size = 0; /* of what aliases stand for */
    char fault[FAULT_MAX];
    int code;

    while ((code = poptGetNextOpt(reader->popt)) != -1) {
        if (code == OPTION_ALIASES_SIZE) {
            if (has_faulty_aliases(reader, &size, fault))
                return reject_aliases(reader, fault, first, failure);
            continue;
        }
        struct ota_failure further; /* only the first mistake is reported */
        if (code == POPT_ERROR_BADOPT && (take_back(reader) || expand_abbreviation(reader)))
            continue;
        enum ota_error error = store_option(reader, code, first == OTA_OK ? failure : &further);
        if (first == OTA_OK)
            first = error;
    }

    if (first != OTA_OK)
        return first;

    const struct operands operands = {.line = reader->line,
                                      .argv_mask = &reader->argv_mask,
                                      .password_at = reader->password_at,
                                      .value_at = reader->value_at};
    return operands_store(&operands, poptGetArgs(reader->popt), failure);
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

/* Options may stand behind words, whatever the shell has set for other programs. popt has no flag
 * for that. */
static void ignore_posix_order(void)
{
    unsetenv("POSIXLY_CORRECT");
    unsetenv("POSIX_ME_HARDER");
}

enum ota_error command_line_read(struct command_line *line, int argc, char **argv,
                                 struct ota_failure *failure)
{
    struct reader reader = {.line = line, .password_at = -1};
    char letters[OPTION_COUNT];
    enum ota_error error;

    *line = (struct command_line){0};
    for (size_t i = 0; i < OPTION_COUNT; i++)
        reader.value_at[i] = -1;
    collect_letters(letters);
    if (argv_mask_init(&reader.argv_mask, argc, argv, letters) < 0)
        return ota_fail_no_memory(failure);

    ignore_posix_order();
    reader.popt =
        poptGetContext("esp-ota", argc, (const char **)reader.argv_mask.shown, popt_rows, 0);
    if (!reader.popt || aliases_add(reader.popt, letters, &line->unread) < 0) {
        error = ota_fail_no_memory(failure);
        goto cleanup;
    }

    error = read_options(&reader, failure);
    memcpy(line->typed, line->given, sizeof line->typed);

cleanup:
    poptFreeContext(reader.popt);
    argv_mask_free(&reader.argv_mask);
    return error;
}

struct strings *command_line_list(const struct command_line *line, enum option option)
{
    const struct strings *list = option == OPTION_IP       ? &line->boards
                                 : option == OPTION_EXPECT ? &line->expected
                                 : option == OPTION_REJECT ? &line->rejected
                                                           : NULL;

    return (struct strings *)list; /* of the caller, as strchr() does */
}

const char *command_line_name(char name[COMMAND_LINE_NAME_MAX], const struct command_line *line,
                              enum option option)
{
    const struct poptOption *row = options_find(option);

    if (line->origin[option])
        snprintf(name, COMMAND_LINE_NAME_MAX, "%s", row->longName);
    else if (line->is_letter[option] && row->shortName)
        snprintf(name, COMMAND_LINE_NAME_MAX, "-%c", row->shortName);
    else
        snprintf(name, COMMAND_LINE_NAME_MAX, "--%s", row->longName);
    return name;
}

bool command_line_skips(struct command_line *line, const char *name, const char *value)
{
    const char *caller = placeholder_caller(value);
    char note[2 * SPELLING_MAX], shown[SPELLING_MAX];

    if (!caller)
        return false;
    snprintf(note, sizeof note, "%s did not fill in '%s'%s%s; it counts as not given", caller,
             escape_string(shown, sizeof shown, value), name ? " of " : "", name ? name : "");
    char *copy = strdup(note);
    if (!copy || strings_add(&line->unfilled, copy) < 0)
        free(copy); /* only the note is lost */
    return true;
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
    strings_free(&line->unfilled);
    strings_free(&line->unread);
}
