/*
 * fuzz-metrics.c: any file is one of --metrics, of which no line is lost when it is written again,
 * or is rejected with a printable sentence.
 */
#include "base/escape.h"
#include "output/metrics.h"
#include "require.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Parses the text, and returns what is written then; NULL: it is no such file. */
static char *parse(const char *text, size_t length, size_t *written)
{
    struct ota_failure failure;
    struct metrics *metrics = metrics_new("file");
    char *again = NULL;

    require(metrics != NULL);
    if (metrics_parse(metrics, text, length, &failure) == OTA_OK)
        again = metrics_text(metrics, written);
    else
        require(failure.error == OTA_E_USAGE && escape_is_printable(failure.message));
    metrics_free(metrics);
    return again;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t first_length, second_length, third_length;
    char *text = malloc(size + 1);

    if (!text)
        return 0;
    memcpy(text, data, size);
    text[size] = '\0';
    char *first = parse(text, size, &first_length);
    if (first) {
        char *second = parse(first, first_length, &second_length);
        require(second && second_length == first_length);
        /* From now on the boards are in the order of their first lines. */
        char *third = parse(second, second_length, &third_length);
        require(third && third_length == second_length &&
                memcmp(second, third, second_length) == 0);
        free(third);
        free(second);
    }
    free(first);
    free(text);
    return 0;
}
