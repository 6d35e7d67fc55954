/*
 * rivals.h: whether a name that different boards claim belongs to one board after all. Multicast
 * DNS remembers addresses for minutes that a board has given up.
 */
#ifndef ESP_OTA_DISCOVERY_RIVALS_H
#define ESP_OTA_DISCOVERY_RIVALS_H

#include "base/loop.h"
#include "discovery/finding.h"

struct rivals;

/* Called once, from the loop. failure: OTA_E_AMBIGUOUS, the message says where the boards are, and
 * the caller adds their name. NULL: at most one board is there, and the finding has lost the
 * addresses at which nothing is; it keeps all of them if nothing is anywhere. */
typedef void rivals_done_fn(const struct ota_failure *failure, void *userdata);

/* Asks the addresses of the finding for a sign of life if they are of different boards. The finding
 * must outlive the rivals. *rivals is NULL if they are of one board, or if false is returned: they
 * cannot be asked, as memory, or file descriptors, ran out. */
bool rivals_check(struct rivals **rivals, struct loop *loop, struct finding *finding,
                  rivals_done_fn *done, void *userdata);

/* Allowed at any time, also in done, and needed after it. */
void rivals_free(struct rivals *rivals);

#endif
