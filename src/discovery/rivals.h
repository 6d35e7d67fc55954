/*
 * rivals.h: whether a name with addresses of different boards belongs to one board after all.
 * Multicast DNS remembers a board's former addresses for minutes.
 */
#ifndef ESP_OTA_DISCOVERY_RIVALS_H
#define ESP_OTA_DISCOVERY_RIVALS_H

#include "base/loop.h"
#include "discovery/finding.h"
#include "esp-ota/error.h"

struct rivals;
struct source;

/* Called once, from the loop. failure is OTA_E_AMBIGUOUS with the addresses of the boards, to which
 * the caller adds their name; OTA_E_INTERNAL if this computer could not ask all of them; or NULL if
 * at most one board answers. If one does, the finding has lost the addresses without an answer. */
typedef void rivals_done_fn(const struct ota_failure *failure, void *userdata);

/* Everything must outlive the rivals. */
struct rivals_config {
    struct loop *loop;
    struct finding *finding;
    const struct source *source; /* of the questions */
    rivals_done_fn *on_done;
    void *userdata;
};

/* Asks the addresses of the finding for a sign of life if they may belong to different boards;
 * otherwise sets *rivals to NULL, and on_done is not called. Returns false and the failure, with
 * *rivals NULL, when memory or file descriptors run out. */
bool rivals_check(struct rivals **rivals, const struct rivals_config *config,
                  struct ota_failure *failure);

/* Allowed at any time, also in on_done, and required after it. */
void rivals_free(struct rivals *rivals);

#endif
