/* match_memory.c: see match_memory.h. */
#include "support/match_memory.h"

#include <string.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

int __real_pcre2_match_8(const pcre2_code *code, PCRE2_SPTR subject, PCRE2_SIZE length,
                         PCRE2_SIZE start, uint32_t options, pcre2_match_data *data,
                         pcre2_match_context *context);
int __wrap_pcre2_match_8(const pcre2_code *code, PCRE2_SPTR subject, PCRE2_SIZE length,
                         PCRE2_SIZE start, uint32_t options, pcre2_match_data *data,
                         pcre2_match_context *context);

const char *match_memory_costly_line;

int __wrap_pcre2_match_8(const pcre2_code *code, PCRE2_SPTR subject, PCRE2_SIZE length,
                         PCRE2_SIZE start, uint32_t options, pcre2_match_data *data,
                         pcre2_match_context *context)
{
    const char *costly = match_memory_costly_line;

    if (costly && length == strlen(costly) && memcmp(subject, costly, length) == 0)
        return PCRE2_ERROR_NOMEMORY;
    return __real_pcre2_match_8(code, subject, length, start, options, data, context);
}
