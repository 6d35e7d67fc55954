/*
 * board_menu.c: shows a numbered table, asks for boards and parses the answer. It may block, as
 * nothing else is in progress yet.
 */
#include "cli/board_menu.h"

#include "base/diag.h"
#include "base/error.h"
#include "base/escape.h"
#include "base/terminal.h"
#include "base/text.h"
#include "base/text_stream.h"
#include "base/units.h"
#include "output/board_table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BLANKS " \t"
#define SEPARATORS "," BLANKS
#define QUOTES "'\""

enum { ANSWER_MAX = 1024, SHOWN_MAX = 64 };
enum {
    NUMBER_WIDTH = 5, /* of a number and the blanks after it */
    LEAST_WIDTH = 10, /* of a cut text that is still of use */
};

static const int64_t PATIENCE_US = SECONDS(600);

/* The boards of which an answer chooses some. */
struct offer {
    struct choice *choices;
    size_t count;
    struct ota_failure *failure; /* why the answer is refused */
};

/* Parses a number from 1 to count; returns 0 if there is none. *end points behind the digits. */
static size_t parse_board_number(const char *text, size_t count, const char **end)
{
    uint64_t number;

    return parse_decimal(text, count, &number, end) ? (size_t)number : 0;
}

static bool can_be_chosen(const struct choice *choice)
{
    return !*choice->reason;
}

/* Chooses the boards with the numbers from first to last. */
static void choose_range(const struct offer *offer, size_t first, size_t last)
{
    size_t number = 0;

    for (size_t i = 0; i < offer->count; i++) {
        if (!can_be_chosen(&offer->choices[i]))
            continue;
        number++;
        if (number >= first && number <= last)
            offer->choices[i].is_chosen = true;
    }
}

static size_t count_offered(const struct choice *choices, size_t count)
{
    size_t offered = 0;

    for (size_t i = 0; i < count; i++)
        if (can_be_chosen(&choices[i]))
            offered++;
    return offered;
}

/* Parses "3", "3-5" or "all"; false if word is something else. */
static bool parse_range(const char *word, size_t length, size_t count, size_t *first, size_t *last)
{
    const char *end;

    *first = 1;
    *last = count;
    if (length == 3 && memcmp(word, "all", 3) == 0)
        return true;

    *first = parse_board_number(word, count, &end);
    *last = *first;
    if (*end == '-' && end > word)
        *last = parse_board_number(end + 1, count, &end);
    return end == word + length && *first > 0 && *last >= *first;
}

/* Chooses by a text in which each word is a number or a range. False if a word is something else;
 * then nothing is chosen. */
static bool choose_numbers(const struct offer *offer, const char *text, size_t length)
{
    enum { PASS_CHECK, PASS_CHOOSE, PASS_COUNT };
    const size_t offered = count_offered(offer->choices, offer->count);

    for (int pass = PASS_CHECK; pass < PASS_COUNT; pass++) {
        const char *word = text, *end = text + length;

        while (word < end) {
            size_t first, last, size = strcspn(word, SEPARATORS);

            if (word + size > end)
                size = (size_t)(end - word);
            if (size && !parse_range(word, size, offered, &first, &last))
                return false;
            if (size && pass == PASS_CHOOSE)
                choose_range(offer, first, last);

            word += size;
            if (word < end)
                word++;
        }
    }
    return true;
}

/* An address counts only as a whole: a pattern such as "fe*" means names. */
static bool is_called(const struct board *board, const char *text)
{
    struct address address;

    return board_has_name(board, text) ||
           (board->is_resolved && board->has_address && address_parse(&address, text) &&
            address_equal(&address, &board->address));
}

/* Chooses the boards that match this name or pattern, or have this address. False if there are
 * none; *refused is then the matching board that cannot be chosen, or NULL. */
static bool choose_name(const struct offer *offer, const char *text, size_t length,
                        const struct choice **refused)
{
    char pattern[ANSWER_MAX], name[ANSWER_MAX];
    bool is_found = false;

    *refused = NULL;
    if (length == 0 || length >= sizeof pattern)
        return false;

    memcpy(pattern, text, length);
    pattern[length] = '\0';
    memcpy(name, pattern, length + 1);
    escape_revert(name);

    for (size_t i = 0; i < offer->count; i++) {
        struct choice *choice = &offer->choices[i];
        const struct board *board = choice->board;

        /* As it is shown; or a pattern, in which a backslash has a meaning of its own. */
        if (strcmp(board->instance, name) != 0 && !is_called(board, name) &&
            !is_called(board, pattern))
            continue;
        if (can_be_chosen(choice)) {
            choice->is_chosen = true;
            is_found = true;
        } else {
            *refused = choice;
        }
    }
    return is_found;
}

/* Whether a text that chooses nothing was meant as a number or a range. */
static bool looks_like_number(const char *text, size_t length)
{
    return strspn(text, "0123456789-") >= length;
}

/* Takes the quotes off a text that stands in them; a pattern is one in quotes, too. */
static bool unquote(const char **text, size_t *length)
{
    if (*length < 3 || !strchr(QUOTES, **text) || (*text)[*length - 1] != **text)
        return false;
    (*text)++;
    *length -= 2;
    return true;
}

/* Chooses by a text that is not split into names. Fails with OTA_E_USAGE, or with OTA_E_IMAGE for
 * the name of a board that cannot be chosen. */
static enum ota_error choose_text(const struct offer *offer, const char *text, size_t length)
{
    char shown[SHOWN_MAX];
    const struct choice *refused = NULL;
    const bool is_pattern = strcspn(text, "*?[") < length;

    if (choose_numbers(offer, text, length) || choose_name(offer, text, length, &refused) ||
        (!refused && unquote(&text, &length) && choose_name(offer, text, length, &refused)))
        return OTA_OK;

    escape_text(shown, sizeof shown, text, length);
    if (refused)
        return ota_fail(offer->failure, OTA_E_IMAGE, "'%s' cannot be chosen: %s", shown,
                        refused->reason);
    if (looks_like_number(text, length))
        return ota_fail(offer->failure, OTA_E_USAGE,
                        "'%s' is not a number or a range from 1 to %zu", shown,
                        count_offered(offer->choices, offer->count));
    return ota_fail(offer->failure, OTA_E_USAGE, "no board in the list %s '%s'",
                    is_pattern ? "matches" : "has the name or address", shown);
}

/* Moves *text behind leading separators; returns the length without the trailing ones. */
static size_t trim_separators(const char **text, size_t length)
{
    for (; length > 0 && strchr(SEPARATORS, **text); length--)
        (*text)++;
    while (length > 0 && strchr(SEPARATORS, (*text)[length - 1]))
        length--;
    return length;
}

/* The length of the first part; a separator in quotes, which begin a word, ends none. */
static size_t part_length(const char *part, const char *end, const char *separators)
{
    const char *at = part;

    while (at < end && !strchr(separators, *at)) {
        const bool begins = at == part || strchr(SEPARATORS, at[-1]);
        const char *closing =
            begins && strchr(QUOTES, *at) ? memchr(at + 1, *at, (size_t)(end - at) - 1) : NULL;

        at = closing ? closing + 1 : at + 1;
    }
    return (size_t)(at - part);
}

typedef enum ota_error choose_fn(const struct offer *offer, const char *text, size_t length);

/* Chooses by the text as a whole if it is a name or consists of numbers, otherwise by each of its
 * parts. */
static enum ota_error choose_parts(const struct offer *offer, const char *text, size_t length,
                                   const char *separators, choose_fn *choose)
{
    const char *end;

    length = trim_separators(&text, length);
    end = text + length;
    if (length == 0 || choose_text(offer, text, length) == OTA_OK)
        return OTA_OK;
    if (offer->failure->error == OTA_E_IMAGE)
        return offer->failure->error;

    for (const char *part = text; part < end; part++) {
        const size_t size = part_length(part, end, separators);

        if (size && choose(offer, part, size) != OTA_OK)
            return offer->failure->error;
        part += size;
    }
    return OTA_OK;
}

static enum ota_error choose_words(const struct offer *offer, const char *text, size_t length)
{
    return choose_parts(offer, text, length, BLANKS, choose_text);
}

enum ota_error board_menu_parse(const char *answer, struct choice *choices, size_t count,
                                struct ota_failure *failure)
{
    const struct offer offer = {.choices = choices, .count = count, .failure = failure};

    for (size_t i = 0; i < count; i++)
        choices[i].is_chosen = false;

    if (!answer[strspn(answer, SEPARATORS)])
        return ota_fail(failure, OTA_E_USAGE, "no board was chosen");
    return choose_parts(&offer, answer, strlen(answer), ",", choose_words);
}

/* The columns beside the numbers; 0: any width. */
static size_t menu_width(void)
{
    const size_t width = terminal_width(STDERR_FILENO);

    return width > NUMBER_WIDTH ? width - NUMBER_WIDTH : 0;
}

/* Copies the reason without the outcome that it predicts; if that is longer than a line, only what
 * speaks against this board. The whole reason is shown when this board is chosen. */
static void cut_reason(char brief[IMAGE_FIT_REASON_MAX], const struct choice *choice)
{
    const size_t width = menu_width();

    snprintf(brief, IMAGE_FIT_REASON_MAX, "%s", choice->reason);
    char *outcome = strstr(brief, ": ");
    if (outcome)
        *outcome = '\0';
    if (width < LEAST_WIDTH)
        return;
    if (*choice->clue && board_table_width(brief) > width)
        snprintf(brief, IMAGE_FIT_REASON_MAX, "%s", choice->clue);
    board_table_shorten(brief, width);
}

/* Shows a board that cannot be chosen, dimmed if the terminal shows colors. */
static void show_refused(const char *line, const struct choice *choice)
{
    const char *term = getenv("TERM"), *no_color = getenv("NO_COLOR");
    bool is_plain = (no_color && *no_color) || !term || !*term || strcmp(term, "dumb") == 0;
    const char *on = is_plain ? "" : "\x1b[2m", *off = is_plain ? "" : "\x1b[22m";
    char brief[IMAGE_FIT_REASON_MAX];

    cut_reason(brief, choice);
    diag_info("%s  -  %s%s", on, line, off);
    diag_info("%s     %s%s", on, brief, off);
}

static void show_lines(char *table, const struct choice *choices, size_t count)
{
    size_t number = 0;
    char *rest = table;
    char *line = strsep(&rest, "\n");

    diag_info("     %s", line);
    for (size_t i = 0; i < count && (line = strsep(&rest, "\n")); i++)
        if (can_be_chosen(&choices[i]))
            diag_info("%3zu  %s", ++number, line);
        else
            show_refused(line, &choices[i]);
}

/* Shows the table of --list, with a number before each board that can be chosen. */
static enum ota_error show_menu(const struct choice *choices, size_t count,
                                struct ota_failure *failure)
{
    struct text_stream table = {0};
    /* NOLINTNEXTLINE(bugprone-sizeof-expression): an array of pointers it is */
    struct board_list boards = {.items = calloc(count + 1, sizeof *boards.items), .count = count};
    const bool is_open = boards.items && text_stream_open(&table);

    for (size_t i = 0; i < count && boards.items; i++)
        boards.items[i] = choices[i].board;
    if (is_open)
        board_table_print_table(table.file, &boards, menu_width());
    if (!is_open || !text_stream_close(&table))
        ota_fail_no_memory(failure);
    else
        show_lines(table.bytes, choices, count);

    free(boards.items);
    free(table.bytes);
    return failure->error;
}

/* Reads one line, without its end. False at the end of input, or if no answer comes in time. */
static bool read_answer(struct loop *loop, char answer[ANSWER_MAX])
{
    size_t length = 0;

    while (length < ANSWER_MAX - 1 && loop_wait_readable(loop, STDIN_FILENO, PATIENCE_US) &&
           read(STDIN_FILENO, answer + length, 1) == 1 && answer[length] != '\n')
        length++;
    bool is_line = length < ANSWER_MAX - 1 && answer[length] == '\n';
    answer[length] = '\0';
    return is_line;
}

enum ota_error board_menu_choose(struct loop *loop, struct choice *choices, size_t count,
                                 struct ota_failure *failure)
{
    char answer[ANSWER_MAX] = "";

    failure->error = OTA_OK;
    if (show_menu(choices, count, failure) != OTA_OK)
        return failure->error;
    if (count_offered(choices, count) == 0)
        return ota_fail(
            failure, OTA_E_IMAGE,
            "the image is for none of the boards that were found (--force offers them all)");

    for (;;) {
        diag_status("Which ones? (numbers, 1-3, names, 'lab-*', or all) ");
        bool is_answered = read_answer(loop, answer);
        if (is_answered)
            diag_status_forget();
        else
            diag_status_end();

        if (!is_answered)
            return ota_fail(failure, OTA_E_USAGE, "no board was chosen");
        if (board_menu_parse(answer, choices, count, failure) == OTA_OK)
            return OTA_OK;
        if (!answer[strspn(answer, SEPARATORS)])
            return failure->error;
        diag_info("%s; an empty line chooses none", failure->message);
    }
}
