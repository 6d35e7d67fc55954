/*
 * aliases.c: see aliases.h. popt itself does not read the files, as it would do more with them: after
 * a line "esp-ota exec --dry-run PROGRAM", it drops that option even if it may not run the program.
 * It would also read files of any owner and size, and wait for the writer of a pipe.
 */
#include "cli/aliases.h"

#include "base/escape.h"
#include "base/input.h"
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

/* Makes the words of the alias: its size, and what it stands for. Returns 0, or an error of popt, also if
 * it stands for nothing. */
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
static int add_line(poptContext popt, char *line)
{
    struct poptItem_s item = {.option = {.argInfo = POPT_ARGFLAG_DOC_HIDDEN}};
    const char *program = cut_word(&line), *kind = cut_word(&line), *name = cut_word(&line);

    if (strcmp(program, "esp-ota") != 0 || strcmp(kind, "alias") != 0)
        return 0;
    if (strncmp(name, "--", 2) == 0)
        item.option.longName = name + 2;
    else if (name[0] == '-' && strlen(name) == 2)
        item.option.shortName = name[1];
    else
        return 0;

    const int code = split_words(&item, line);
    if (code != 0)
        return code == POPT_ERROR_MALLOC ? -1 : 0;
    drop_descriptions(&item);
    if (poptAddItem(popt, &item, 0) == 0)
        return 0;
    free(item.argv);
    return -1;
}

int aliases_add_text(poptContext popt, char *text)
{
    for (char *line; (line = cut_line(&text));)
        if (add_line(popt, line) < 0)
            return -1;
    return 0;
}

/* -- files -- */

static int note(struct strings *notes, const char *path, const char *why)
{
    char shown[SHOWN_MAX], text[SHOWN_MAX + 128];

    snprintf(text, sizeof text, "%s is not read: %s", escape_string(shown, sizeof shown, path),
             why);
    char *copy = strdup(text);
    if (copy && strings_add(notes, copy) == 0)
        return 0;
    free(copy);
    return -1;
}

/* text has room for a file of the largest size, one byte more, and NUL. */
static int read_file(poptContext popt, struct strings *notes, const char *path, int fd, char *text)
{
    struct stat status;
    if (fstat(fd, &status) < 0)
        return note(notes, path, strerror(errno));

    const char *why = config_distrust(&status, true);
    if (why)
        return note(notes, path, why);

    const ssize_t size = input_read_all(fd, text, ALIASES_SIZE_MAX + 1);
    if (size < 0)
        return errno == ENOMEM ? -1 : note(notes, path, input_error(errno));
    if (size > ALIASES_SIZE_MAX)
        return note(notes, path, "it is longer than 1 MiB");

    text[size] = '\0';
    return aliases_add_text(popt, text);
}

static int add_file(poptContext popt, struct strings *notes, const char *path)
{
    if (input_is_null_device(path))
        return 0;

    const int fd = input_open(path);
    if (fd < 0)
        return errno == ENOENT ? 0 : note(notes, path, input_error(errno));

    char *text = calloc(1, ALIASES_SIZE_MAX + 2);
    const int result = text ? read_file(popt, notes, path, fd, text) : -1;
    if (text)
        digest_cleanse(text, ALIASES_SIZE_MAX + 2); /* an alias may have a password */
    free(text);
    close(fd);
    return result;
}

int aliases_add(poptContext popt, struct strings *notes)
{
    const char *home = getenv("HOME");
    char path[PATH_MAX];

    if (add_file(popt, notes, "/etc/popt") < 0)
        return -1;
    if (!home || snprintf(path, sizeof path, "%s/.popt", home) >= PATH_MAX)
        return 0;
    return add_file(popt, notes, path);
}
