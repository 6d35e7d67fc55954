/*
 * discovery.h: Arduino's pluggable-discovery protocol over the boards that announce themselves.
 */
#ifndef ESP_OTA_PLUGGABLE_DISCOVERY_H
#define ESP_OTA_PLUGGABLE_DISCOVERY_H

#include "base/loop.h"
#include "esp-ota/error.h"

#include <stdint.h>

struct discovery;

/* Answers an IDE on standard input and output until it sends QUIT or goes, which ends the loop, as
 * does a failure, which is left in *failure. Multicast DNS is searched for timeout_us at most at a
 * time. NULL with *failure. */
struct discovery *discovery_start(struct loop *loop, int64_t timeout_us,
                                  struct ota_failure *failure);
void discovery_free(struct discovery *discovery);

#endif
