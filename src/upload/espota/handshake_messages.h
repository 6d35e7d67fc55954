/*
 * handshake_messages.h: the messages of a handshake: its notices, and its failures with their
 * causes. Pure.
 */
#ifndef ESP_OTA_UPLOAD_ESPOTA_HANDSHAKE_MESSAGES_H
#define ESP_OTA_UPLOAD_ESPOTA_HANDSHAKE_MESSAGES_H

#include "crypto/auth.h"
#include "esp-ota/error.h"
#include "upload/espota/protocol.h"
#include "upload/espota/session.h"

#include <stdint.h>

enum { HANDSHAKE_QUOTED_MAX = PROTOCOL_TEXT_MAX + 16 };

/* Datagrams that are not replies of the protocol. Starts as {0}. */
struct gibberish {
    unsigned count;
    char first[PROTOCOL_TEXT_MAX]; /* escaped */
};

/* text: the escaped content of the datagram; "" if it may not be shown. */
void handshake_count_gibberish(struct gibberish *gibberish, const char *text);

/* Writes ', at first "..."', or "" if there is nothing that may be shown. Returns quoted. */
const char *handshake_quote_first(char quoted[HANDSHAKE_QUOTED_MAX],
                                  const struct gibberish *gibberish);

/* A board that had replied before did not reply to the last invitations within limit_us. */
void handshake_fell_silent(struct ota_failure *failure, const char *address, unsigned invitations,
                           int64_t limit_us);
/* Nor does anything listen at its port now. */
void handshake_has_gone(struct ota_failure *failure, const char *address);
/* No verdict on the answer to a challenge came within limit_us. */
void handshake_no_verdict_on_answer(struct ota_failure *failure, const char *address,
                                    int64_t limit_us, const struct gibberish *gibberish);
/* The notice before a board gets an answer with MD5. Neither its port nor the image tells whether
 * it could do better. */
const char *handshake_weak_auth_notice(void);
/* Whether a board at this address is known to speak SHA-256, so that it gets no answer with MD5. */
bool handshake_is_downgrade(const struct session_config *config, const struct address *board);
/* The board asks for an answer with MD5, and gets none. */
void handshake_weak_auth(struct ota_failure *failure, const struct session_config *config,
                         const struct address *board);
/* The board did not ask for the password that was given: as a failure, and as a notice. */
void handshake_not_asked(struct ota_failure *failure, const char *address);
const char *handshake_not_asked_notice(char message[OTA_MESSAGE_MAX],
                                       const struct session_config *config);
/* The board asked for a password before, and now says OK without one. */
void handshake_asks_no_longer(struct ota_failure *failure, const char *address);
/* The board said OK, and then asked again or rejected the answer, too often. */
void handshake_took_ok_back(struct ota_failure *failure, const char *address, unsigned times);
/* The notice about a connection from peer: it came too early, or from an address that was not
 * invited. */
const char *handshake_early_notice(char message[OTA_MESSAGE_MAX],
                                   const struct session_config *config, const struct address *peer,
                                   bool was_invited);
/* Whether reason (an errno) is a permanent error of this computer: its firewall, -I, or a broadcast
 * address. */
bool handshake_is_local(const struct session_config *config, int reason);
/* No datagram can be sent to the board; reason is an errno. */
void handshake_cannot_send(struct ota_failure *failure, const struct session_config *config,
                           const struct address *board, int reason);
/* The board did not connect to the address local (NULL: not known). is_elsewhere: the board is in
 * another network than this computer. start_us: when the handshake began. */
void handshake_no_connection(struct ota_failure *failure, const struct session_config *config,
                             const struct address *local, bool is_elsewhere, int64_t start_us);
void handshake_wrong_password(struct ota_failure *failure, const struct session_config *config,
                              enum auth_scheme scheme);
void handshake_refused(struct ota_failure *failure, const struct session_config *config,
                       const struct reply *reply);

#endif
