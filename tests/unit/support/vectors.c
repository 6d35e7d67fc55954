/*
 * vectors.c: reads tables of test vectors, and finds images of real builds.
 */
#include "support/vectors.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { FIELDS_MAX = 8, LINE_MAX_SIZE = 4096 };

/* Valid until the next call. */
static const char *path_in(const char *directory, const char *name)
{
    static char path[512];

    snprintf(path, sizeof path, "%s/%s", directory, name);
    return path;
}

const char *vectors_image_path(const char *name)
{
    const char *directory = getenv("ESP_OTA_IMAGES");

    if (directory == NULL)
        return NULL;

    const char *path = path_in(directory, name);
    return access(path, R_OK) == 0 ? path : NULL;
}

size_t vectors_each(const char *name, size_t count, vectors_row_fn *check)
{
    char line[LINE_MAX_SIZE];
    const char *directory = getenv("ESP_OTA_VECTORS");
    size_t rows = 0;

    assert_non_null(directory);
    FILE *file = fopen(path_in(directory, name), "re");
    assert_non_null(file);
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
