/*
 * fuzz-hosts.c: any list gives boards that satisfy the contract of hosts.h, or is rejected with a
 * printable sentence.
 */
#include "base/escape.h"
#include "fleet/hosts.h"
#include "require.h"
#include "target_promise.h"
#include "upload/protocols.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct host_line *line)
{
    char why[UPLOAD_OWN_WHY_MAX];

    if (line->is_rest)
        require(strcmp(line->target.name, "*") == 0);
    else
        require_target(&line->target);
    require(line->number > 0);

    if (line->auth_file)
        require(*line->auth_file != '\0' && strcmp(line->auth_file, "-") != 0);
    if (line->file)
        require(*line->file != '\0');
    for (size_t i = 0; i < UPLOAD_OWN_COUNT; i++)
        require(!line->own.values[i] ||
                protocols_check_own((enum upload_own_key)i, line->own.values[i], why));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct hosts hosts;
    struct ota_failure failure;
    /* The copy has exactly this size, so that AddressSanitizer reports a read behind it. */
    char *text = malloc(size ? size : 1);
    if (!text)
        return 0;

    memcpy(text, data, size);
    if (hosts_parse(&hosts, "list", text, size, &failure) == OTA_OK) {
        require(hosts.count > 0);
        for (size_t i = 0; i < hosts.count; i++)
            check(&hosts.lines[i]);
    } else {
        require(failure.error == OTA_E_USAGE && escape_is_printable(failure.message));
        require(memcmp(failure.message, "list", 4) == 0);
    }
    hosts_free(&hosts);
    free(text);
    return 0;
}
