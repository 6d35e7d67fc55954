/*
 * job_policy.h: the decisions of job.c that need no state, as pure functions.
 */
#ifndef ESP_OTA_FLEET_JOB_POLICY_H
#define ESP_OTA_FLEET_JOB_POLICY_H

#include "esp-ota/error.h"
#include "fleet/job.h"
#include "image/kind.h"

#include <stdint.h>

/* Returns the pause before the next attempt; attempt counts from 1. */
int64_t job_policy_pause_us(unsigned attempt);

/* Whether the board may be off, asleep or restarting. */
bool job_policy_is_absence(enum ota_error error);

/* What a cause says about this computer's way to the board. */
enum job_way {
    JOB_WAY_UNKNOWN,
    JOB_WAY_SUSPECTED, /* because of a silence */
    JOB_WAY_CLOSED,    /* by the kernel's word */
};
enum job_way job_policy_way(enum ota_cause cause);

/* Whether the board is there and answers nothing that takes an upload, for no reason that is known.
 */
bool job_policy_may_be_other_protocol(const struct ota_failure *failure);

/* True if another attempt may cure the failure of this one. attempt counts from 1. A board that
 * never connected gets one more, as its packets may have been lost, and no third: a firewall drops
 * them each time. If a host has refused the invitations for a whole attempt, it is not a restarting
 * board. The same holds if nobody has had its address for as long as a board takes to restart and
 * join the Wi-Fi. If the first attempt found a wrong way to the board, the next would find it,
 * too. A board that would append an upload to the part of an earlier one gets none.
 * before is the code of the last attempt that broke off; OTA_OK: none did. gone_us: how long nobody
 * has had the board's address. */
bool job_policy_is_worth_another(const struct ota_failure *failure, enum ota_error before,
                                 unsigned attempt, int64_t gone_us);

/* The board's family: by a proof of its chip, else by the image, else by its port if that is the
 * default of one family only. NULL if it is unknown. */
const struct kind_family *job_policy_family(const struct kind *kind, const struct image *image,
                                            uint16_t port);

/* Whether the wanted proof can stand in for a lost verdict: not --reject alone, as the old firmware
 * may have nothing to reject either. restart_proves: the board restarts only after a success. */
bool job_policy_can_prove(const struct log_settings *settings, bool restart_proves);

/* Whether the board has refused the image only because it is compressed: ESP8266 cores before 2.7
 * unpack nothing, and look at the first byte only when they have all of it in their flash. */
bool job_policy_wants_plain(const struct image *image, const struct ota_failure *failure);

/* The board's port: as given, and what the board announces of it; else as announced (0: it was
 * not). Otherwise the protocol's default ports for the chips of the image and of the board's kind,
 * in the order to try them. Without --force, ports are left out at which the image would be
 * refused: one of an unknown format is at the Pico W's. Returns how many: 1 to
 * ENDPOINTS_PORTS_MAX. */
size_t job_policy_ports(struct endpoint_port ports[ENDPOINTS_PORTS_MAX],
                        const struct assignment *assignment, uint16_t announced,
                        const struct kind *kind, bool is_forced);

#endif
