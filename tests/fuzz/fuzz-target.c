/*
 * fuzz-target.c: any text gives a target that satisfies the contract of target.h, or is rejected
 * with a printable sentence. Parsing the name of a target, as it is shown, gives the same target
 * again.
 */
#include "base/escape.h"
#include "require.h"
#include "target_promise.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct target *target)
{
    struct target again;
    struct ota_failure failure;
    char shown[4 * TARGET_NAME_MAX]; /* each byte is shown as "\xHH" at most */

    require_target(target);
    /* An instance called "a:80" can only come from "a:80._arduino._tcp.local", a host called "COM8"
     * only from a URL, "fw.bin" from a URL or from "fw.bin.", with the dot of the root, and a
     * number, or several with commas, only with a port, a path or such a dot. */
    if (target->kind == TARGET_INSTANCE || target_is_serial_port(target->name) ||
        target_is_file_name(target->name) ||
        target->name[strspn(target->name, "0123456789,")] == '\0')
        return;

    /* What may be a password before an @ is not shown. */
    if (strchr(target->name, '@'))
        return;

    if (strlen(escape_string(shown, sizeof shown, target->name)) >= TARGET_NAME_MAX)
        return; /* too long to be typed */
    require(target_parse(&again, shown, &some_schemes, &failure) == OTA_OK);
    require(again.kind == target->kind && again.port == 0 && !again.scheme);
    require(strcmp(again.name, target->name) == 0);
    if (target->kind == TARGET_ADDRESS)
        require(address_equal(&again.address, &target->address));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct target target;
    struct ota_failure failure;
    char *text = malloc(size + 1);

    if (!text)
        return 0;

    memcpy(text, data, size);
    text[size] = '\0';
    if (target_parse(&target, text, &some_schemes, &failure) == OTA_OK)
        check(&target);
    else
        require(failure.error == OTA_E_USAGE && escape_is_printable(failure.message));
    free(text);
    return 0;
}
