/* page_words.c: a table of words, and the members of JSON that tell a result. */
#include "upload/web/page_words.h"

#include "base/json_memory.h"
#include "upload/reason.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

/* Maybe: these deny a yes behind them; "t" is that of "can't". */
static const struct {
    const char *word;
    enum page_says says;
} words[] = {{"ok", PAGE_SAYS_YES},           {"true", PAGE_SAYS_YES},
             {"yes", PAGE_SAYS_YES},          {"success", PAGE_SAYS_YES},
             {"successful", PAGE_SAYS_YES},   {"successfully", PAGE_SAYS_YES},
             {"succeeded", PAGE_SAYS_YES},    {"done", PAGE_SAYS_YES},
             {"complete", PAGE_SAYS_YES},     {"completed", PAGE_SAYS_YES},
             {"finished", PAGE_SAYS_YES},     {"updated", PAGE_SAYS_YES},
             {"uploaded", PAGE_SAYS_YES},     {"accepted", PAGE_SAYS_YES},
             {"received", PAGE_SAYS_YES},     {"written", PAGE_SAYS_YES},
             {"flashed", PAGE_SAYS_YES},      {"rebooting", PAGE_SAYS_YES},
             {"restarting", PAGE_SAYS_YES},   {"installed", PAGE_SAYS_YES},
             {"no", PAGE_SAYS_MAYBE},         {"not", PAGE_SAYS_MAYBE},
             {"t", PAGE_SAYS_MAYBE},          {"never", PAGE_SAYS_MAYBE},
             {"nothing", PAGE_SAYS_MAYBE},    {"without", PAGE_SAYS_MAYBE},
             {"cannot", PAGE_SAYS_MAYBE},     {"unable", PAGE_SAYS_MAYBE},
             {"false", PAGE_SAYS_NO},         {"nok", PAGE_SAYS_NO},
             {"rejected", PAGE_SAYS_NO},      {"refused", PAGE_SAYS_NO},
             {"denied", PAGE_SAYS_NO},        {"aborted", PAGE_SAYS_NO},
             {"canceled", PAGE_SAYS_NO},      {"cancelled", PAGE_SAYS_NO},
             {"incomplete", PAGE_SAYS_NO},    {"unsuccessful", PAGE_SAYS_NO},
             {"unsuccessfully", PAGE_SAYS_NO}};

/* What these say if they are all of a text. The last two are the updater's. */
static const struct {
    const char *text;
    enum page_says says;
} whole_texts[] = {{"no", PAGE_SAYS_NO},        {"ko", PAGE_SAYS_NO},
                   {"ng", PAGE_SAYS_NO},        {"nok", PAGE_SAYS_NO},
                   {"false", PAGE_SAYS_NO},     {"bad argument", PAGE_SAYS_NO},
                   {"unknown", PAGE_SAYS_MAYBE}};

const char *page_find_failure(const struct page *page, const char *text)
{
    for (size_t i = 0; i < PAGE_WORDS_MAX && page->failure[i]; i++)
        if (strcasestr(text, page->failure[i]))
            return page->failure[i];
    return NULL;
}

static enum page_says word_says(const char *word, size_t length)
{
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strlen(words[i].word) == length && strncasecmp(word, words[i].word, length) == 0)
            return words[i].says;
    return PAGE_SAYS_NOTHING;
}

/* Whether it is an error of the updater. "MD5" alone may be that of an image that was taken; of
 * another one the updater says that the comparison failed. */
static bool is_reason(const char *text)
{
    const enum ota_cause cause = reason_cause(text);

    return cause != OTA_CAUSE_NONE && cause != OTA_CAUSE_UNSAID && cause != OTA_CAUSE_MD5;
}

static enum page_says whole_text_says(const char *text)
{
    for (size_t i = 0; i < sizeof whole_texts / sizeof *whole_texts; i++)
        if (strcasecmp(text, whole_texts[i].text) == 0)
            return whole_texts[i].says;
    return PAGE_SAYS_NOTHING;
}

struct word {
    const char *text;
    size_t length;
};

static bool is_word(const struct word *word, const char *text)
{
    return strlen(text) == word->length && strncasecmp(word->text, text, word->length) == 0;
}

/* "Do not power off" and "don't" are requests, "if not" denies nothing, and "T: 23" is no
 * "can't". */
static bool is_denial(const struct word *word, const struct word *before)
{
    if (is_word(word, "t") && (before->length == 0 || word->text[-1] != '\''))
        return false;
    return !is_word(before, "do") && !is_word(before, "don") && !is_word(before, "if");
}

/* Whether the last word is an answer: "Updated: no". */
static bool is_answered_no(const struct word *last)
{
    return is_word(last, "no") && !last->text[last->length] && strchr(":=? ", last->text[-1]);
}

enum page_says page_text_says(const char *text)
{
    bool says_yes = false, says_no = false, is_yes_denied = false, is_denied = false;
    struct word word = {text, 0}, before = {"", 0};

    if (whole_text_says(text) != PAGE_SAYS_NOTHING)
        return whole_text_says(text);
    for (; *word.text; word.text += word.length ? word.length : 1) {
        word.length = 0;
        while (isalpha((unsigned char)word.text[word.length]))
            word.length++;
        if (word.length == 0) {
            is_denied = is_denied && !strchr(".,;!?", *word.text);
            continue;
        }

        const enum page_says says = word_says(word.text, word.length);
        says_no |= says == PAGE_SAYS_NO;
        is_denied |= says == PAGE_SAYS_MAYBE && is_denial(&word, &before);
        is_yes_denied |= says == PAGE_SAYS_YES && is_denied;
        says_yes |= says == PAGE_SAYS_YES;
        before = word;
    }
    says_no |= before.length && is_answered_no(&before);
    if (is_yes_denied || (says_yes && says_no))
        return PAGE_SAYS_MAYBE;
    if (says_yes)
        return PAGE_SAYS_YES;
    return says_no || is_reason(text) ? PAGE_SAYS_NO : PAGE_SAYS_NOTHING;
}

/* -- JSON -- */

static const char *skip_blanks(const char *body)
{
    static const char mark[] = "\xef\xbb\xbf";

    if (strncmp(body, mark, sizeof mark - 1) == 0)
        body += sizeof mark - 1;
    return body + strspn(body, " \t\r\n");
}

json_t *page_load_json(const char *body)
{
    body = skip_blanks(body);
    json_memory_watch();
    return json_memory_load(body, strlen(body), JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, NULL);
}

bool page_begins_json(const char *body)
{
    return *skip_blanks(body) == '{';
}

/* Whether the value of "error" or "failed" says that there was none. */
static bool is_none(const json_t *value)
{
    return json_is_false(value) || json_is_null(value) ||
           (json_is_string(value) && !*json_string_value(value)) ||
           (json_is_number(value) && json_number_value(value) == 0) ||
           (json_is_array(value) && json_array_size(value) == 0) ||
           (json_is_object(value) && json_object_size(value) == 0);
}

static enum page_says string_says(const struct page *page, const json_t *value)
{
    const char *text = json_string_value(value);

    return page_find_failure(page, text) ? PAGE_SAYS_NO : page_text_says(text);
}

/* What the value of a member for the result says. Of numbers, the status of HTTP says nothing, and
 * 0 may mean a no as well as no error. */
static enum page_says result_says(const struct page *page, bool is_truth, const json_t *value,
                                  unsigned status)
{
    if (json_is_string(value)) {
        const enum page_says says = string_says(page, value);

        return says == PAGE_SAYS_NOTHING ? PAGE_SAYS_MAYBE : says;
    }
    if (json_is_object(value) || json_is_array(value) || json_integer_value(value) == status)
        return PAGE_SAYS_NOTHING;
    if (json_is_true(value) || json_integer_value(value) == 1)
        return PAGE_SAYS_YES;
    return json_is_false(value) || (is_truth && json_is_integer(value) && is_none(value))
               ? PAGE_SAYS_NO
               : PAGE_SAYS_MAYBE;
}

/* What the members that were heard say: those for the result, those whose names say something, and
 * the texts of all others. */
struct answers {
    enum page_says result, name, text;
};

static void add(enum page_says *answer, enum page_says says)
{
    if (says > *answer)
        *answer = says;
}

/* The member is not for the result, but its name may say what is true or false, as "updated". A
 * restart may come later. */
static void hear_name(struct answers *answers, const char *key, const json_t *value)
{
    const enum page_says says = page_text_says(key);
    const bool is_restart = strcasestr(key, "reboot") || strcasestr(key, "restart");

    if (says == PAGE_SAYS_NO && json_is_true(value))
        add(&answers->name, PAGE_SAYS_NO);
    else if (says == PAGE_SAYS_YES && json_is_true(value))
        add(&answers->text, PAGE_SAYS_YES);
    else if (says == PAGE_SAYS_YES && !is_restart &&
             (json_is_boolean(value) || json_is_integer(value)) && is_none(value))
        add(&answers->name, PAGE_SAYS_MAYBE);
}

static void hear(struct answers *answers, const struct page *page, const char *key,
                 const json_t *value, unsigned status)
{
    const bool is_truth = strcasecmp(key, "success") == 0 || strcasecmp(key, "ok") == 0;
    const char *text = json_string_value(value);

    if (page_find_failure(page, key))
        add(&answers->name, is_none(value) ? PAGE_SAYS_NOTHING : PAGE_SAYS_NO);
    else if (is_truth || strcasecmp(key, "result") == 0 || strcasecmp(key, "status") == 0)
        add(&answers->result, result_says(page, is_truth, value, status));
    else if (!text)
        hear_name(answers, key, value);
    else if (page_find_failure(page, text) || is_reason(text))
        add(&answers->name, PAGE_SAYS_NO);
    else if (whole_text_says(text) == PAGE_SAYS_NOTHING) /* "no" may be about anything */
        add(&answers->text, page_text_says(text));
}

enum page_says page_json_says(const struct page *page, json_t *root, unsigned status)
{
    struct answers answers = {PAGE_SAYS_NOTHING, PAGE_SAYS_NOTHING, PAGE_SAYS_NOTHING};
    json_t *open = json_array(), *value; /* the objects and arrays to be heard; it grows */
    const char *key;
    size_t j;

    hear(&answers, page, "result", root, status);
    json_array_append(open, root);
    for (size_t i = 0; i < json_array_size(open); i++) {
        json_t *all = json_array_get(open, i);

        json_object_foreach(all, key, value)
        {
            hear(&answers, page, key, value, status);
            json_array_append(open, value);
        }
        json_array_foreach(all, j, value)
        {
            hear(&answers, page, "", value, status);
            json_array_append(open, value);
        }
    }
    json_decref(open);
    if (json_memory_has_run_out())
        return PAGE_SAYS_MAYBE;

    if (answers.result == PAGE_SAYS_NOTHING)
        answers.result = answers.text;
    add(&answers.result, answers.name);
    return answers.result == PAGE_SAYS_NOTHING ? PAGE_SAYS_MAYBE : answers.result;
}
