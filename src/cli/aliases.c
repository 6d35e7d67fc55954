/*
 * aliases.c: see aliases.h. popt itself does not read the files, as it would do more with them:
 * after a line "esp-ota exec --dry-run PROGRAM", it drops that option even if it may not run the
 * program. It would also read files of any owner and size, and wait for the writer of a pipe.
 */
#include "cli/aliases.h"

#include "base/array.h"
#include "base/escape.h"
#include "base/input.h"
#include "base/origin.h"
#include "config/config_find.h"
#include "crypto/digest.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SHOWN_MAX = 512 };

struct alias {
    char *name; /* "--name" or "-n" */
    size_t order;
    struct poptItem_s item; /* its words are popt's once it has them; longName is part of name */
    unsigned levels;        /* of aliases: 1 if it has no other alias in it */
};

/* All are read before popt gets them, as an alias may use others of later lines and files. */
struct alias_list {
    struct alias *items;
    size_t count, capacity;
    const char *letters; /* of options that take a value */
};

static const char BLANKS[] = " \t\r\f\v";

/* -- lines -- */

/* Cuts the first line off *rest. A backslash at its end continues it. Returns NULL at the end. */
static char *cut_line(char **rest)
{
    char *line = *rest, *from = line, *to = line;

    if (*line == '\0')
        return NULL;
    while (*from != '\0' && *from != '\n') {
        const bool is_joined = from[0] == '\\' && from[1] == '\n';
        const size_t length = is_joined || (from[0] == '\\' && from[1] != '\0') ? 2 : 1;

        if (!is_joined) {
            memmove(to, from, length);
            to += length;
        }
        from += length;
    }
    *rest = from + (*from == '\n');
    *to = '\0';
    return line;
}

static const char *cut_word(char **rest)
{
    char *word = *rest + strspn(*rest, BLANKS);
    char *end = word + strcspn(word, BLANKS);

    *rest = end + (*end != '\0');
    *end = '\0';
    return word;
}

/* Removes what describes the alias in the help of other programs. */
static void drop_descriptions(struct poptItem_s *item)
{
    int kept = 0;

    for (int i = 0; i < item->argc; i++)
        if (strncmp(item->argv[i], "--POPTdesc=", strlen("--POPTdesc=")) != 0 &&
            strncmp(item->argv[i], "--POPTargs=", strlen("--POPTargs=")) != 0)
            item->argv[kept++] = item->argv[i];
    item->argv[kept] = NULL;
    item->argc = kept;
}

/* Makes the words of the alias: its size, and what it stands for. Returns 0, or an error of popt,
 * also if it stands for nothing. */
static int split_words(struct poptItem_s *item, const char *line)
{
    const size_t length = strlen(line), size = length + 64;

    if (line[strspn(line, BLANKS)] == '\0')
        return POPT_ERROR_NOARG;
    char *text = malloc(size);
    if (!text)
        return POPT_ERROR_MALLOC;

    snprintf(text, size, "--" ALIASES_SIZE "=%zu %s", length, line);
    const int code = poptParseArgvString(text, &item->argc, &item->argv);
    digest_cleanse(text, size);
    free(text);
    return code;
}

/* Adds the alias of a line; like popt, ignores lines that are none. -1: out of memory. */
static int add_line(struct alias_list *list, char *line)
{
    struct alias alias = {.item = {.option = {.argInfo = POPT_ARGFLAG_DOC_HIDDEN}},
                          .order = list->count};
    const char *program = cut_word(&line), *kind = cut_word(&line), *name = cut_word(&line);

    if (strcmp(program, "esp-ota") != 0 || strcmp(kind, "alias") != 0)
        return 0;
    if (strncmp(name, "--", 2) != 0 && (name[0] != '-' || strlen(name) != 2))
        return 0;

    const int code = split_words(&alias.item, line);
    if (code != 0)
        return code == POPT_ERROR_MALLOC ? -1 : 0;
    drop_descriptions(&alias.item);

    struct alias *items = array_grow(list->items, list->count, &list->capacity, sizeof *items);
    if (items)
        list->items = items;
    alias.name = items ? strdup(name) : NULL;
    if (!alias.name) {
        free(alias.item.argv);
        return -1;
    }
    if (name[1] == '-')
        alias.item.option.longName = alias.name + 2;
    else
        alias.item.option.shortName = name[1];
    list->items[list->count++] = alias;
    return 0;
}

static int add_text(struct alias_list *list, char *text)
{
    for (char *line; (line = cut_line(&text));)
        if (add_line(list, line) < 0)
            return -1;
    return 0;
}

static void free_list(struct alias_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        free(list->items[i].name);
        free(list->items[i].item.argv);
    }
    free(list->items);
}

/* -- aliases in aliases -- */

static int compare_names(const void *a, const void *b)
{
    const struct alias *first = a, *second = b;

    return strcmp(first->name, second->name);
}

/* Of aliases with one name, the last one is first. */
static int compare_aliases(const void *a, const void *b)
{
    const struct alias *first = a, *second = b;
    const int names = compare_names(a, b);

    return names != 0 ? names : (first->order < second->order) - (first->order > second->order);
}

/* Sorts by name, and keeps the last alias of each name, the one that popt would use. */
static void sort_list(struct alias_list *list)
{
    size_t kept = 0;

    if (list->count > 0)
        qsort(list->items, list->count, sizeof *list->items, compare_aliases);
    for (size_t i = 0; i < list->count; i++) {
        struct alias *alias = &list->items[i];

        if (kept > 0 && strcmp(list->items[kept - 1].name, alias->name) == 0) {
            free(alias->name);
            free(alias->item.argv);
        } else {
            list->items[kept++] = *alias;
        }
    }
    list->count = kept;
}

/* The levels of the alias that user has in it by this name. 0: it is an option, as popt takes the
 * name of an alias in that alias for. */
static unsigned find_levels(const struct alias_list *list, const struct alias *user,
                            const char *name)
{
    const struct alias wanted = {.name = (char *)name};
    const struct alias *found = list->count > 0 ? bsearch(&wanted, list->items, list->count,
                                                          sizeof *list->items, compare_names)
                                                : NULL;

    return found && found != user ? found->levels : 0;
}

/* The most levels of aliases in a word of user: an option, or letters up to one that takes a
 * value. */
static unsigned word_levels(const struct alias_list *list, const struct alias *user, char *word)
{
    unsigned most = 0;

    if (word[0] != '-')
        return 0;
    if (word[1] == '-') {
        char *end = word + strcspn(word, "=");
        const char byte = *end;

        *end = '\0';
        most = find_levels(list, user, word);
        *end = byte;
        return most;
    }
    for (const char *letter = word + 1; *letter; letter++) {
        const char name[] = {'-', *letter, '\0'};
        const unsigned levels = find_levels(list, user, name);

        if (levels == 0 && strchr(list->letters, *letter))
            break;
        most = levels > most ? levels : most;
    }
    return most;
}

/* Counts levels, up to one more than popt follows: aliases that use each other have no end. */
static void count_levels(const struct alias_list *list)
{
    bool has_changed = true;

    for (unsigned round = 0; has_changed && round < ALIASES_LEVELS_MAX; round++) {
        has_changed = false;
        for (size_t i = 0; i < list->count; i++) {
            struct alias *alias = &list->items[i];

            for (int n = 1; n < alias->item.argc && strcmp(alias->item.argv[n], "--") != 0; n++) {
                const unsigned levels = 1 + word_levels(list, alias, (char *)alias->item.argv[n]);

                if (levels > alias->levels && alias->levels <= ALIASES_LEVELS_MAX) {
                    alias->levels = levels;
                    has_changed = true;
                }
            }
        }
    }
}

static int give_to_popt(poptContext popt, struct alias_list *list)
{
    sort_list(list);
    for (size_t i = 0; i < list->count; i++)
        list->items[i].levels = 1;
    count_levels(list);

    for (size_t i = 0; i < list->count; i++) {
        struct alias *alias = &list->items[i];

        if (alias->levels > ALIASES_LEVELS_MAX)
            alias->item.argv[0] = "--" ALIASES_SIZE "=" ALIASES_TOO_DEEP;
        if (poptAddItem(popt, &alias->item, 0) != 0)
            return -1;
        alias->item.argv = NULL;
    }
    return 0;
}

/* result: of what has filled the list, which is freed. */
static int finish_list(poptContext popt, struct alias_list *list, int result)
{
    if (result == 0)
        result = give_to_popt(popt, list);
    free_list(list);
    return result;
}

int aliases_add_text(poptContext popt, const char *letters, char *text)
{
    struct alias_list list = {.letters = letters};

    return finish_list(popt, &list, add_text(&list, text));
}

/* -- files -- */

static int note(struct strings *notes, const char *path, const char *why)
{
    char shown[SHOWN_MAX], text[SHOWN_MAX + ORIGIN_TEXT_MAX + 32];

    snprintf(text, sizeof text, "%s is not read: %s", escape_string(shown, sizeof shown, path),
             why);
    char *copy = strdup(text);
    if (copy && strings_add(notes, copy) == 0)
        return 0;
    free(copy);
    return -1;
}

/* text has room for a file of the largest size, one byte more, and NUL. */
static int read_file(struct alias_list *list, struct strings *notes, const char *path, size_t given,
                     int fd, char *text)
{
    const struct origin origin = {.path = path, .given = given, .owner = geteuid()};
    char too_long[64], unclear[ORIGIN_TEXT_MAX];
    struct stat status;

    if (fstat(fd, &status) < 0)
        return note(notes, path, strerror(errno));

    const char *why = config_distrust(fd, &status, true);
    if (!why && !origin_is_clear(&origin, &status, unclear))
        why = unclear;
    if (why)
        return note(notes, path, why);

    const ssize_t size = input_read_all(fd, text, ALIASES_SIZE_MAX + 1);
    if (size < 0)
        return errno == ENOMEM ? -1 : note(notes, path, input_error(errno));
    if (size > ALIASES_SIZE_MAX) {
        snprintf(too_long, sizeof too_long, "it is longer than %d MiB", ALIASES_SIZE_MAX / MIB);
        return note(notes, path, too_long);
    }

    text[size] = '\0';
    return add_text(list, text);
}

/* given: as in struct origin. */
static int add_file(struct alias_list *list, struct strings *notes, const char *path, size_t given)
{
    if (input_is_null_device(path))
        return 0;

    const int fd = input_open(path);
    if (fd < 0)
        return errno == ENOENT ? 0 : note(notes, path, input_error(errno));

    char *text = calloc(1, ALIASES_SIZE_MAX + 2);
    const int result = text ? read_file(list, notes, path, given, fd, text) : -1;
    if (text)
        digest_cleanse(text, ALIASES_SIZE_MAX + 2); /* an alias may have a password */
    free(text);
    close(fd);
    return result;
}

static int add_files(struct alias_list *list, struct strings *notes)
{
    const char *home = getenv("HOME");
    char path[PATH_MAX];

    if (add_file(list, notes, "/etc/popt", strlen("/etc")) < 0)
        return -1;
    if (!home || snprintf(path, sizeof path, "%s/.popt", home) >= PATH_MAX)
        return 0;
    return add_file(list, notes, path, strlen(home));
}

int aliases_add(poptContext popt, const char *letters, struct strings *notes)
{
    struct alias_list list = {.letters = letters};

    return finish_list(popt, &list, add_files(&list, notes));
}
