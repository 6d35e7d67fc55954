/*
 * choose.c: a numbered table, a question and its answer. It runs before anything else is under way,
 * so it may wait.
 */
#include "choose.h"

#include "error.h"
#include "escape.h"
#include "listing.h"
#include "log.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ANSWER_MAX = 1024, SHOWN_MAX = 64, PATIENCE_MS = 600000 };

/* A number from 1 to count; 0: there is none. *end points behind the digits. */
static size_t parse_number(const char *text, size_t count, const char **end)
{
    size_t number = 0;
    for (; *text >= '0' && *text <= '9'; text++)
        if (number <= count)
            number = number * 10 + (size_t)(*text - '0');
    *end = text;
    return number <= count ? number : 0;
}

/* "3", "3-5" or "all"; false when it is something else. */
static bool parse_word(const char *word, size_t length, size_t count, bool *chosen)
{
    const char *end;
    size_t first = 1, last = count;
    if (length != 3 || memcmp(word, "all", 3) != 0) {
        first = last = parse_number(word, count, &end);
        if (*end == '-' && end > word)
            last = parse_number(end + 1, count, &end);
        if (end != word + length || first == 0 || last < first)
            return false;
    }
    for (size_t number = first; number <= last; number++)
        chosen[number - 1] = true;
    return true;
}

enum ota_error choose_parse(const char *answer, size_t count, bool *chosen,
                            struct ota_failure *failure)
{
    static const char separators[] = " ,\t";
    char shown[SHOWN_MAX];
    const char *word = answer + strspn(answer, separators);
    memset(chosen, 0, count * sizeof *chosen);
    if (!*word)
        return fail(failure, OTA_E_USAGE, "no board was chosen");
    while (*word) {
        size_t length = strcspn(word, separators);
        if (!parse_word(word, length, count, chosen))
            return fail(
                failure, OTA_E_USAGE,
                "'%s' is neither a number from 1 to %zu nor a range such as 1-%zu nor 'all'",
                escape_text(shown, sizeof shown, word, length), count, count);
        word += length;
        word += strspn(word, separators);
    }
    return OTA_OK;
}

/* The table of --list with a number in front of each board. */
static enum ota_error show(const struct boards *boards, struct ota_failure *failure)
{
    char *table = NULL;
    size_t size, number = 0;
    FILE *stream = open_memstream(&table, &size);
    if (stream)
        listing_print_table(stream, boards);
    if (!stream || fclose(stream) != 0) {
        free(table);
        return fail(failure, OTA_E_INTERNAL, "out of memory");
    }
    char *rest = table;
    for (char *line; (line = strsep(&rest, "\n")) && rest; number++) {
        if (number == 0)
            log_info("     %s", line);
        else
            log_info("%3zu  %s", number, line);
    }
    free(table);
    return OTA_OK;
}

/* One line without its end; false at the end of input, or when nobody answers. */
static bool read_answer(char answer[ANSWER_MAX])
{
    size_t length = 0;
    struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
    while (length < ANSWER_MAX - 1 && poll(&input, 1, PATIENCE_MS) > 0 &&
           read(STDIN_FILENO, answer + length, 1) == 1 && answer[length] != '\n')
        length++;
    bool is_line = length < ANSWER_MAX - 1 && answer[length] == '\n';
    answer[length] = '\0';
    return is_line;
}

enum ota_error choose_boards(const struct boards *boards, bool *chosen, struct ota_failure *failure)
{
    char answer[ANSWER_MAX] = "";
    if (show(boards, failure) != OTA_OK)
        return failure->error;
    for (;;) {
        log_status("Which ones? (numbers, ranges such as 1-3, or all) ");
        bool is_answered = read_answer(answer);
        log_status_forget();
        if (!is_answered)
            return fail(failure, OTA_E_USAGE, "no board was chosen");
        if (choose_parse(answer, boards->count, chosen, failure) == OTA_OK)
            return OTA_OK;
        if (!answer[strspn(answer, " ,\t")])
            return failure->error;
        log_info("%s", failure->message);
    }
}
