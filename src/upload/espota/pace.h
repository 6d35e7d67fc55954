/*
 * pace.h: how long to wait for a board's reply before a datagram is resent. Pure.
 *
 * A board reads its datagrams once in each turn of the sketch's loop(), which may take seconds. An
 * ESP32 reads only one datagram in each turn, so its queue grows if datagrams are sent faster.
 * Before the first reply, the waits are therefore longer than one turn of most sketches. After it,
 * they follow the reply times of the board.
 */
#ifndef ESP_OTA_UPLOAD_ESPOTA_PACE_H
#define ESP_OTA_UPLOAD_ESPOTA_PACE_H

#include <stdbool.h>
#include <stdint.h>

/* The reply times measured so far. Starts as {0}. */
struct pace {
    int64_t challenge_us; /* longest time from an invitation to its reply; 0: no reply yet */
    int64_t verdict_us;   /* shortest time from a prompt answer to its rejection; 0: none yet */
};

void pace_measure_challenge(struct pace *pace, int64_t reply_us);
void pace_measure_verdict(struct pace *pace, int64_t reply_us);
bool pace_is_known(const struct pace *pace);

/* How long a board that has replied may take to read one more datagram. */
int64_t pace_patience_us(const struct pace *pace);

/* How long to go on inviting a board that has replied. */
int64_t pace_limit_us(const struct pace *pace);

/* How long the board may take to verify an answer. With SHA-256 an ESP32 takes seconds. */
int64_t pace_verdict_us(const struct pace *pace, bool is_sha256);

/* Whether the board replies so quickly that one datagram too many does no harm. */
bool pace_is_quick(const struct pace *pace);

/* How long to wait after sending a datagram for the nth time (from 1), if a reply takes up to
 * patience_us. */
int64_t pace_resend_us(int64_t patience_us, unsigned sendings);

/* How long to wait after the nth invitation (from 1) to a board that has never replied. */
int64_t pace_unheard_us(unsigned invitations);

#endif
