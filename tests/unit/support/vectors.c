/*
 * vectors.c: reads tables of test vectors. It knows nothing of what is in them.
 */
#include "support/vectors.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FIELDS_MAX = 8, LINE_MAX_SIZE = 4096 };

const char *vectors_path(const char *name)
{
    static char path[512];
    const char *directory = getenv("ESP_OTA_SHARED");

    if (directory == NULL)
        return NULL;
    snprintf(path, sizeof path, "%s/%s", directory, name);
    return access(path, R_OK) == 0 ? path : NULL;
}

size_t vectors_each(const char *name, size_t count, vectors_row_fn *check)
{
    char line[LINE_MAX_SIZE];
    const char *path = vectors_path(name);
    FILE *file = path != NULL ? fopen(path, "re") : NULL;
    size_t rows = 0;

    if (file == NULL) {
        printf("%s is not there: only the test's own table was used\n", name);
        return 0;
    }
    while (fgets(line, sizeof line, file) != NULL) {
        char *fields[FIELDS_MAX] = {NULL};
        char *rest = line;

        line[strcspn(line, "\n")] = '\0';
        if (line[0] == '#')
            continue;
        for (size_t i = 0; i < count && i < FIELDS_MAX; i++) {
            char *field = strsep(&rest, "\t");

            fields[i] = field != NULL ? field : line + strlen(line);
        }
        check(fields);
        rows++;
    }
    fclose(file);
    return rows;
}
