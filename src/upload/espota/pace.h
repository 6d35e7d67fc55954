/*
 * pace.h: how long to wait for a board's reply before a datagram is sent again. Pure.
 *
 * A board reads its datagrams once in each turn of the sketch's loop(), which may take seconds, and
 * an ESP32 then reads one only: whatever is sent faster than that piles up in its queue. So until
 * the first reply the first waits are longer than most loop()s take; from then on they follow the
 * times that the board has needed.
 */
#ifndef ESP_OTA_UPLOAD_ESPOTA_PACE_H
#define ESP_OTA_UPLOAD_ESPOTA_PACE_H

#include <stdbool.h>
#include <stdint.h>

/* Times measured. Starts as {0}. */
struct pace {
    int64_t challenge_us; /* the longest from an invitation to its reply; 0: no reply yet */
    int64_t verdict_us;   /* the least from an answer, sent at once, to its rejection; 0: none */
};

void pace_measure_challenge(struct pace *pace, int64_t reply_us);
void pace_measure_verdict(struct pace *pace, int64_t reply_us);
bool pace_is_known(const struct pace *pace);

/* How long a board that has replied may take to read one more datagram. */
int64_t pace_patience_us(const struct pace *pace);

/* How long to go on inviting it. */
int64_t pace_limit_us(const struct pace *pace);

/* How long it may take to judge an answer; hashes: with SHA-256, which takes an ESP32 seconds. */
int64_t pace_verdict_us(const struct pace *pace, bool hashes);

/* Whether the board replies so quickly that one datagram too many does no harm. */
bool pace_is_quick(const struct pace *pace);

/* How long the n-th sending (from 1) of a datagram waits for a reply that takes patience_us. */
int64_t pace_resend_us(int64_t patience_us, unsigned sendings);

/* How long the n-th invitation (from 1) to a board that has never replied waits for a reply. */
int64_t pace_unheard_us(unsigned invitations);

#endif
