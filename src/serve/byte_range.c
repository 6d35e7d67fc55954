/* byte_range.c: see byte_range.h. */
#include "serve/byte_range.h"

#include "base/text.h"

#include <stdint.h>
#include <string.h>
#include <strings.h>

static const char UNIT[] = "bytes=";

/* "-500": the last 500 bytes. */
static void set_suffix(struct byte_range *range, uint64_t length, size_t size)
{
    if (length == 0) {
        *range = (struct byte_range){.kind = BYTE_RANGE_UNSATISFIABLE};
        return;
    }
    range->kind = BYTE_RANGE_PART;
    range->size = length < size ? (size_t)length : size;
    range->first = size - range->size;
}

/* last counts, too. */
static void set_span(struct byte_range *range, uint64_t first, uint64_t last, size_t size)
{
    if (first >= size) {
        *range = (struct byte_range){.kind = BYTE_RANGE_UNSATISFIABLE};
        return;
    }
    range->kind = BYTE_RANGE_PART;
    range->first = (size_t)first;
    range->size = (size_t)((last < size ? last : size - 1) - first + 1);
}

/* Parses digits of any length; a number above the limit counts as the limit, which is behind the
 * end of any content. */
static bool parse_position(const char *text, uint64_t *number, const char **end)
{
    if (!parse_decimal(text, INT64_MAX, number, end))
        *number = INT64_MAX;
    return *end != text;
}

void byte_range_parse(struct byte_range *range, const char *value, size_t size)
{
    uint64_t first, last = INT64_MAX;
    const char *end;

    *range = (struct byte_range){.kind = BYTE_RANGE_WHOLE, .size = size};
    if (!value || strncasecmp(value, UNIT, strlen(UNIT)) != 0)
        return;

    value += strlen(UNIT);
    if (*value == '-') {
        if (parse_position(value + 1, &last, &end) && *end == '\0')
            set_suffix(range, last, size);
        return;
    }
    if (!parse_position(value, &first, &end) || *end != '-')
        return;
    if (end[1] != '\0' && (!parse_position(end + 1, &last, &end) || *end != '\0' || last < first))
        return;
    set_span(range, first, last, size);
}

static bool ends_tag(char c)
{
    return c == '\0' || c == ',' || c == ' ' || c == '\t';
}

/* A comma in a tag of another server splits it into two, which match nothing either. */
bool etag_is_listed(const char *list, const char *etag)
{
    const size_t length = strlen(etag);

    while (*list) {
        list += strspn(list, " \t,");
        if (strcmp(list, "*") == 0)
            return true;
        if (strncmp(list, "W/", 2) == 0)
            list += 2;
        if (strncmp(list, etag, length) == 0 && ends_tag(list[length]))
            return true;
        list += strcspn(list, ",");
    }
    return false;
}

bool etag_allows_range(const char *if_range, const char *etag)
{
    return !if_range || strcmp(if_range, etag) == 0;
}
