/* page_words.c: a table of words, and the members of JSON that tell a result. */
#include "upload/web/page_words.h"

#include "base/json_memory.h"
#include "upload/reason.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Weaker than a yes: boards also restart after a failure. */
enum { RESTARTS = PAGE_SAYS_NO + 1 };

/* Maybe: these deny something, or tell of trouble. */
static const struct {
    const char *word;
    unsigned says;
} words[] = {{"ok", PAGE_SAYS_YES},           {"true", PAGE_SAYS_YES},
             {"yes", PAGE_SAYS_YES},          {"success", PAGE_SAYS_YES},
             {"successful", PAGE_SAYS_YES},   {"successfully", PAGE_SAYS_YES},
             {"succeeded", PAGE_SAYS_YES},    {"done", PAGE_SAYS_YES},
             {"complete", PAGE_SAYS_YES},     {"completed", PAGE_SAYS_YES},
             {"finished", PAGE_SAYS_YES},     {"updated", PAGE_SAYS_YES},
             {"uploaded", PAGE_SAYS_YES},     {"accepted", PAGE_SAYS_YES},
             {"received", PAGE_SAYS_YES},     {"written", PAGE_SAYS_YES},
             {"flashed", PAGE_SAYS_YES},      {"installed", PAGE_SAYS_YES},
             {"rebooting", RESTARTS},         {"restarting", RESTARTS},
             {"no", PAGE_SAYS_MAYBE},         {"not", PAGE_SAYS_MAYBE},
             {"never", PAGE_SAYS_MAYBE},      {"nothing", PAGE_SAYS_MAYBE},
             {"none", PAGE_SAYS_MAYBE},       {"without", PAGE_SAYS_MAYBE},
             {"cannot", PAGE_SAYS_MAYBE},     {"cant", PAGE_SAYS_MAYBE},
             {"couldnt", PAGE_SAYS_MAYBE},    {"didnt", PAGE_SAYS_MAYBE},
             {"doesnt", PAGE_SAYS_MAYBE},     {"isnt", PAGE_SAYS_MAYBE},
             {"wasnt", PAGE_SAYS_MAYBE},      {"wont", PAGE_SAYS_MAYBE},
             {"neither", PAGE_SAYS_MAYBE},    {"nor", PAGE_SAYS_MAYBE},
             {"only", PAGE_SAYS_MAYBE},       {"half", PAGE_SAYS_MAYBE},
             {"partly", PAGE_SAYS_MAYBE},     {"partially", PAGE_SAYS_MAYBE},
             {"rollback", PAGE_SAYS_MAYBE},   {"restored", PAGE_SAYS_MAYBE},
             {"unable", PAGE_SAYS_MAYBE},     {"bad", PAGE_SAYS_MAYBE},
             {"wrong", PAGE_SAYS_MAYBE},      {"unknown", PAGE_SAYS_MAYBE},
             {"missing", PAGE_SAYS_MAYBE},    {"too", PAGE_SAYS_MAYBE},
             {"login", PAGE_SAYS_MAYBE},      {"timeout", PAGE_SAYS_MAYBE},
             {"busy", PAGE_SAYS_MAYBE},       {"disabled", PAGE_SAYS_MAYBE},
             {"fail", PAGE_SAYS_NO},          {"failed", PAGE_SAYS_NO},
             {"failure", PAGE_SAYS_NO},       {"error", PAGE_SAYS_NO},
             {"err", PAGE_SAYS_NO},           {"ko", PAGE_SAYS_NO},
             {"incompatible", PAGE_SAYS_NO},  {"insufficient", PAGE_SAYS_NO},
             {"exceeds", PAGE_SAYS_NO},       {"skipped", PAGE_SAYS_NO},
             {"reverted", PAGE_SAYS_NO},      {"falha", PAGE_SAYS_NO},
             {"erro", PAGE_SAYS_NO},          {"erreur", PAGE_SAYS_NO},
             {"fehler", PAGE_SAYS_NO},        {"fehlgeschlagen", PAGE_SAYS_NO},
             {"fallo", PAGE_SAYS_NO},         {"gagal", PAGE_SAYS_NO},
             {"blad", PAGE_SAYS_NO},          {"fallito", PAGE_SAYS_NO},
             {"chyba", PAGE_SAYS_NO},         {"hata", PAGE_SAYS_NO},
             {"basarisiz", PAGE_SAYS_NO},     {"echoue", PAGE_SAYS_NO},
             {"echouee", PAGE_SAYS_NO},       {"incorrect", PAGE_SAYS_NO},
             {"false", PAGE_SAYS_NO},         {"nok", PAGE_SAYS_NO},
             {"rejected", PAGE_SAYS_NO},      {"refused", PAGE_SAYS_NO},
             {"denied", PAGE_SAYS_NO},        {"forbidden", PAGE_SAYS_NO},
             {"unauthorized", PAGE_SAYS_NO},  {"aborted", PAGE_SAYS_NO},
             {"canceled", PAGE_SAYS_NO},      {"cancelled", PAGE_SAYS_NO},
             {"stopped", PAGE_SAYS_NO},       {"interrupted", PAGE_SAYS_NO},
             {"incomplete", PAGE_SAYS_NO},    {"mismatch", PAGE_SAYS_NO},
             {"corrupt", PAGE_SAYS_NO},       {"corrupted", PAGE_SAYS_NO},
             {"unsupported", PAGE_SAYS_NO},   {"unsuccessful", PAGE_SAYS_NO},
             {"unsuccessfully", PAGE_SAYS_NO}};

/* What these mean if they are all of a text. */
static const struct {
    const char *text;
    bool is_true;
} truths[] = {{"true", true}, {"yes", true}, {"ok", true},    {"1", true},
              {"no", false},  {"ko", false}, {"ng", false},   {"nok", false},
              {"0", false},   {"", false},   {"false", false}};

/* For a failure, in letters that ASCII lacks, or in several words; strstr() knows no case of the
 * former. "choué" is the end of "échoué". */
static const char *const foreign_failures[] = {
    "Échec",    "échec",    "choué",    "CHOUÉ",    "błąd",  "Błąd",  "nie powiod", "başarısız",
    "thất bại", "THẤT BẠI", "that bai", "THAT BAI", "ошибк", "Ошибк", "ОШИБК",      "омилк",
    "ОМИЛК",    "失败",     "失敗",     "错误",     "錯誤",  "실패",  "오류"};

const char *page_find_failure(const struct page *page, const char *text)
{
    for (size_t i = 0; i < PAGE_WORDS_MAX && page->failure[i]; i++)
        if (strcasestr(text, page->failure[i]))
            return page->failure[i];
    return NULL;
}

/* Whether it has an error of the updater. "MD5" alone may be that of an image that was taken; of
 * another one the updater says that the comparison failed. */
static bool has_reason(const char *text)
{
    const enum ota_cause cause = reason_cause(text);

    return (cause != OTA_CAUSE_NONE && cause != OTA_CAUSE_UNSAID && cause != OTA_CAUSE_MD5) ||
           strcasestr(text, "bad argument");
}

static bool has_foreign_failure(const char *text)
{
    for (size_t i = 0; i < sizeof foreign_failures / sizeof *foreign_failures; i++)
        if (strstr(text, foreign_failures[i]))
            return true;
    return false;
}

/* Of ASCII. */
static bool is_blank_or_mark(char c)
{
    return isspace((unsigned char)c) || ispunct((unsigned char)c);
}

/* Whether it is one of the truths, but for punctuation around it. */
static bool find_truth(bool *is_true, const char *text)
{
    size_t length = strlen(text);
    const bool is_blank = strspn(text, " \t\r\n") == length;

    for (; length && is_blank_or_mark(*text); text++)
        length--;
    while (length && is_blank_or_mark(text[length - 1]))
        length--;
    if (length == 0 && !is_blank)
        return false;
    for (size_t i = 0; i < sizeof truths / sizeof *truths; i++)
        if (strlen(truths[i].text) == length && strncasecmp(text, truths[i].text, length) == 0) {
            *is_true = truths[i].is_true;
            return true;
        }
    return false;
}

/* Letters, perhaps with an apostrophe between them, or digits. */
struct word {
    const char *text;
    size_t length;
    bool is_contracted;
};

static bool is_word(const struct word *word, const char *text)
{
    return strlen(text) == word->length && strncasecmp(word->text, text, word->length) == 0;
}

static unsigned word_says(const struct word *word)
{
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (is_word(word, words[i].word))
            return words[i].says;
    return PAGE_SAYS_NOTHING;
}

static size_t apostrophe_length(const char *text)
{
    static const char *const marks[] = {"'",      "`",      "’",       "&#39;",
                                        "&#x27;", "&apos;", "&#8217;", "&rsquo;"};

    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++)
        if (strncasecmp(text, marks[i], strlen(marks[i])) == 0)
            return strlen(marks[i]);
    return 0;
}

/* A capital letter behind a small one begins another word, as in "updateOk". */
static size_t letters_length(const char *text)
{
    size_t length = 0;

    while (isalpha((unsigned char)text[length]) &&
           !(length && islower((unsigned char)text[length - 1]) &&
             isupper((unsigned char)text[length])))
        length++;
    return length;
}

/* The word that text begins with; its length is 0 if there is none. */
static struct word read_word(const char *text)
{
    struct word word = {.text = text, .length = strspn(text, "0123456789")};

    if (word.length)
        return word;
    word.length = letters_length(text);

    const size_t mark = word.length ? apostrophe_length(text + word.length) : 0;
    const size_t rest = mark ? letters_length(text + word.length + mark) : 0;
    if (rest) {
        word.is_contracted = true;
        word.length += mark + rest;
    }
    return word;
}

/* What the parts of a text say. */
struct speech {
    bool says_yes, says_no, restarts;
    bool is_doubtful; /* something is denied, or troubles */
};

/* A request denies nothing ("do not power off"), nor does a condition ("if it does not reload"). A
 * "0" may answer "success", and count bytes. */
static void hear_word(struct speech *speech, const struct word *word, const struct word *before,
                      bool is_condition)
{
    const unsigned says = word_says(word);
    const bool is_zero =
        is_word(word, "0") && (is_word(before, "success") || is_word(before, "ok"));
    const bool has_none = is_word(before, "0") && strncasecmp(word->text, "byte", 4) == 0;
    const bool is_not = word->is_contracted && strncasecmp(word->text, "don", 3) != 0 &&
                        tolower((unsigned char)word->text[word->length - 1]) == 't';

    speech->says_no |= says == PAGE_SAYS_NO;
    speech->is_doubtful |= is_condition && says == PAGE_SAYS_YES; /* "if it is complete" */
    if (is_condition)
        return;
    speech->says_yes |= says == PAGE_SAYS_YES;
    speech->restarts |= says == RESTARTS;
    speech->is_doubtful |=
        (says == PAGE_SAYS_MAYBE && !is_word(before, "do")) || is_not || is_zero || has_none;
}

enum page_says page_text_says(const char *text)
{
    struct speech speech = {.says_no = has_reason(text) || has_foreign_failure(text)};
    struct word word, before = {.text = ""};
    bool is_condition = false, is_true;

    if (find_truth(&is_true, text) && *text)
        return is_true ? PAGE_SAYS_YES : PAGE_SAYS_NO;
    for (; *text; text += word.length ? word.length : 1) {
        word = read_word(text);
        if (word.length == 0) {
            is_condition = is_condition && !strchr(".;!?", *text);
            continue;
        }
        is_condition |= is_word(&word, "if");
        hear_word(&speech, &word, &before, is_condition);
        before = word;
    }
    if (speech.says_yes)
        return speech.says_no || speech.is_doubtful ? PAGE_SAYS_MAYBE : PAGE_SAYS_YES;
    if (speech.says_no)
        return PAGE_SAYS_NO;
    if (speech.is_doubtful)
        return PAGE_SAYS_MAYBE;
    return speech.restarts ? PAGE_SAYS_YES : PAGE_SAYS_NOTHING;
}

size_t page_count_verdicts(const char *text)
{
    size_t count = 0;
    struct word word;

    for (; *text; text += word.length ? word.length : 1) {
        word = read_word(text);

        const unsigned says = word_says(&word);
        count += says == PAGE_SAYS_YES || says == RESTARTS || says == PAGE_SAYS_NO;
    }
    return count;
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
    body = skip_blanks(body);
    if (*body != '[')
        return *body == '{';
    body = skip_blanks(body + 1);
    return *body && strchr("{[\"]", *body);
}

/* Whether the value says yes or no, in whatever form; null and what is empty are a no. */
static bool is_truth(bool *is_true, const json_t *value)
{
    const json_int_t number = json_integer_value(value);

    *is_true = json_is_true(value) || number == 1;
    if (json_is_string(value))
        return find_truth(is_true, json_string_value(value));
    if (json_is_integer(value))
        return number == 0 || number == 1;
    return json_is_boolean(value) || json_is_null(value) ||
           (json_is_array(value) && json_array_size(value) == 0) ||
           (json_is_object(value) && json_object_size(value) == 0);
}

/* Whether the value of "error" or "failed" says that there was none. */
static bool is_none(const json_t *value)
{
    const char *text = json_string_value(value);
    bool is_true;

    return (is_truth(&is_true, value) && !is_true) || (text && strcasecmp(text, "none") == 0) ||
           (json_is_real(value) && json_real_value(value) == 0);
}

static enum page_says string_says(const struct page *page, const char *text)
{
    return page_find_failure(page, text) ? PAGE_SAYS_NO : page_text_says(text);
}

/* What the value of a member for the result says. Of numbers, the status of HTTP says nothing. As a
 * result or status, 0 and 1 are a yes in some firmwares and a no in others: ESP3D and Grbl_Esp32
 * send {"status":"1"} when an update has failed. */
static enum page_says result_says(const struct page *page, const char *key, const json_t *value,
                                  unsigned status)
{
    const bool is_number_true = strcasecmp(key, "success") == 0 || strcasecmp(key, "ok") == 0;

    if (json_is_string(value)) {
        const char *text = json_string_value(value);
        const enum page_says says = string_says(page, text);
        const bool is_unclear =
            says == PAGE_SAYS_NOTHING || (strcmp(text, "1") == 0 && !is_number_true);

        return is_unclear ? PAGE_SAYS_MAYBE : says;
    }
    if (json_object_size(value) || json_array_size(value) || json_integer_value(value) == status)
        return PAGE_SAYS_NOTHING;
    if (json_is_true(value) || (is_number_true && json_integer_value(value) == 1))
        return PAGE_SAYS_YES;
    return json_is_false(value) ||
                   (is_number_true && json_is_integer(value) && json_integer_value(value) == 0)
               ? PAGE_SAYS_NO
               : PAGE_SAYS_MAYBE;
}

/* What the members that were heard say. */
struct answers {
    enum page_says result; /* those for the result */
    enum page_says name;   /* those whose names say what is true or false */
    enum page_says text;   /* all other texts */
    enum page_says remark; /* those of them that a result does not outweigh */
};

static void add(enum page_says *answer, enum page_says says)
{
    if (says > *answer)
        *answer = says;
}

/* Whether a word that is the value is about the upload: the name has one of these in it, or is one
 * of them. */
static bool is_about_upload(const char *key, bool is_exact)
{
    static const char *const parts[] = {"message", "msg",    "text",    "info",
                                        "update",  "upload", "upgrade", "firmware",
                                        "flash",   "status", "state",   "result"};

    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (is_exact ? strcasecmp(key, parts[i]) == 0 : strcasestr(key, parts[i]) != NULL)
            return true;
    return strcasecmp(key, "ota") == 0;
}

static void hear_truth(struct answers *answers, const char *key, const json_t *value, bool is_true)
{
    const enum page_says says = page_text_says(key);
    const bool is_restart = strcasestr(key, "reboot") || strcasestr(key, "restart");
    const char *text = json_string_value(value);
    const bool is_about = text ? *text && is_about_upload(key, false) : is_about_upload(key, true);

    if (is_true && says != PAGE_SAYS_NOTHING)
        add(says == PAGE_SAYS_YES ? &answers->text : &answers->name, says);
    else if (is_true && text && is_about && strcasestr(text, "ok"))
        add(&answers->text, PAGE_SAYS_YES);
    else if (!is_true && !is_restart &&
             (says == PAGE_SAYS_YES || (is_about && (text || json_is_false(value)))))
        add(&answers->name, PAGE_SAYS_MAYBE);
}

/* A code of HTTP, or of the program. */
static bool is_trouble(const char *key, const json_t *value)
{
    const size_t length = strlen(key);
    const char *text = json_string_value(value);
    const long long number = text ? strtoll(text, NULL, 10) : json_integer_value(value);
    const bool is_code = (length >= 4 && strcasecmp(key + length - 4, "code") == 0) ||
                         strcasecmp(key, "ret") == 0 || strcasecmp(key, "rc") == 0;

    return is_code && (number < 0 || number >= 400);
}

static bool is_of_failure(const struct page *page, const char *key)
{
    return page_find_failure(page, key) || strcasecmp(key, "err") == 0 ||
           strcasecmp(key, "errno") == 0;
}

static void hear_text(struct answers *answers, const struct page *page, const char *key,
                      const char *text)
{
    const enum page_says says = string_says(page, text);
    const bool is_prose = strchr(text, ' ');

    if (page_find_failure(page, text) || (says == PAGE_SAYS_NO && has_reason(text)))
        add(&answers->name, PAGE_SAYS_NO);
    add(&answers->text, says);
    if (is_prose || is_about_upload(key, false))
        add(&answers->remark, says);
}

static void hear(struct answers *answers, const struct page *page, const char *key,
                 const json_t *value, unsigned status)
{
    static const char *const results[] = {"success", "ok", "result", "status"};
    bool is_true;

    if (is_of_failure(page, key)) {
        add(&answers->name, is_none(value) ? PAGE_SAYS_NOTHING : PAGE_SAYS_NO);
        return;
    }
    for (size_t i = 0; i < sizeof results / sizeof *results; i++)
        if (strcasecmp(key, results[i]) == 0) {
            add(&answers->result, result_says(page, key, value, status));
            return;
        }
    if (is_trouble(key, value))
        add(&answers->name, PAGE_SAYS_MAYBE);
    else if (is_truth(&is_true, value))
        hear_truth(answers, key, value, is_true);
    else if (json_is_string(value))
        hear_text(answers, page, key, json_string_value(value));
}

/* Hears a member, or an item of the array of that name, and keeps it to hear its own ones. */
static void take(struct answers *answers, json_t *open, json_t *names, const struct page *page,
                 const char *key, json_t *value, unsigned status)
{
    hear(answers, page, key, value, status);
    json_array_append(open, value);
    json_array_append_new(names, json_string(key));
}

enum page_says page_json_says(const struct page *page, json_t *root, unsigned status)
{
    struct answers answers = {PAGE_SAYS_NOTHING, PAGE_SAYS_NOTHING, PAGE_SAYS_NOTHING,
                              PAGE_SAYS_NOTHING};
    json_t *open = json_array(), *names = json_array(); /* of what is to be heard; they grow */
    json_t *value;
    const char *key;
    size_t j;

    take(&answers, open, names, page, "result", root, status);
    for (size_t i = 0; i < json_array_size(open); i++) {
        json_t *all = json_array_get(open, i);
        const char *name = json_string_value(json_array_get(names, i));

        json_object_foreach(all, key, value)
        {
            take(&answers, open, names, page, key, value, status);
        }
        json_array_foreach(all, j, value)
        {
            take(&answers, open, names, page, name ? name : "", value, status);
        }
    }
    json_decref(open);
    json_decref(names);
    if (json_memory_has_run_out())
        return PAGE_SAYS_MAYBE;

    if (answers.result == PAGE_SAYS_NOTHING)
        answers.result = answers.text;
    else if (answers.remark > PAGE_SAYS_YES)
        add(&answers.result, PAGE_SAYS_MAYBE);
    add(&answers.result, answers.name);
    return answers.result == PAGE_SAYS_NOTHING ? PAGE_SAYS_MAYBE : answers.result;
}
