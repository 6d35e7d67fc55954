/* rivals.c: asks the addresses of one name for a sign of life. */
#include "discovery/rivals.h"

#include "base/error.h"
#include "net/alive.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct rivals {
    struct rivals_config config;
    struct address addresses[CLAIMS_MAX]; /* different boards' if all of them answer */
    size_t count;
    struct alive *alive;
};

static void describe_boards(struct ota_failure *failure, const struct address *const *there,
                            size_t count)
{
    char a[ADDRESS_TEXT_MAX], b[ADDRESS_TEXT_MAX];

    address_text(a, there[0]);
    address_text(b, there[1]);
    ota_fail(failure, OTA_E_AMBIGUOUS,
             "%s boards have this name, at %s and %s%s; choose one by its address, as in -i %s",
             count == 2 ? "two" : "several", a, b, count == 2 ? "" : " and others", a);
}

static void describe_shortage(struct ota_failure *failure, int reason)
{
    ota_fail_errno(failure, OTA_E_INTERNAL, reason,
                   "whether several boards have this name cannot be found out: %s",
                   strerror(reason));
}

static void on_alive(const bool *is_alive, int shortage, void *userdata)
{
    struct rivals *rivals = userdata;
    const struct address *there[CLAIMS_MAX];
    struct ota_failure failure;
    size_t count = 0;

    for (size_t i = 0; i < rivals->count; i++)
        if (is_alive[i])
            there[count++] = &rivals->addresses[i];

    if (count >= 2 || shortage) {
        if (count >= 2)
            describe_boards(&failure, there, count);
        else
            describe_shortage(&failure, shortage);
        rivals->config.on_done(&failure, rivals->config.userdata);
        return;
    }

    if (count == 1)
        for (size_t i = 0; i < rivals->count; i++)
            if (!is_alive[i])
                finding_drop_address(rivals->config.finding, &rivals->addresses[i]);
    rivals->config.on_done(NULL, rivals->config.userdata);
}

bool rivals_check(struct rivals **started, const struct rivals_config *config,
                  struct ota_failure *failure)
{
    struct address addresses[CLAIMS_MAX];
    const ssize_t count = claims_find_rivals(addresses, &config->finding->resolution.claims);

    *started = NULL;
    if (count < 0)
        describe_shortage(failure, errno);
    if (count <= 0)
        return count == 0;

    struct rivals *rivals = malloc(sizeof *rivals);
    if (!rivals) {
        describe_shortage(failure, ENOMEM);
        return false;
    }

    *rivals = (struct rivals){.config = *config, .count = (size_t)count};
    for (size_t i = 0; i < rivals->count; i++)
        rivals->addresses[i] = addresses[i];

    rivals->alive =
        alive_start(config->loop, addresses, rivals->count, config->source, on_alive, rivals);
    if (!rivals->alive) {
        free(rivals);
        describe_shortage(failure, ENOMEM);
        return false;
    }

    *started = rivals;
    return true;
}

void rivals_free(struct rivals *rivals)
{
    if (!rivals)
        return;

    alive_free(rivals->alive);
    free(rivals);
}
