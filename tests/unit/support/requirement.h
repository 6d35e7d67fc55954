/*
 * requirement.h: skips tests on computers that lack a requirement, such as root.
 */
#ifndef SUPPORT_REQUIREMENT_H
#define SUPPORT_REQUIREMENT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Ends the running test as skipped. Where ESP_OTA_FORBID_SKIP is 1, as
 * in scripts/check, the test fails instead. */
static inline void requirement_skip(const char *reason)
{
    const char *forbid = getenv("ESP_OTA_FORBID_SKIP");

    print_message("needs what this machine lacks: %s\n", reason);
    if (forbid != NULL && strcmp(forbid, "1") == 0)
        fail_msg("%s", reason);
    skip();
}

#endif
