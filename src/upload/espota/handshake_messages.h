/*
 * handshake_messages.h: the sentences of a handshake, above all for the ways in which it fails. Pure.
 * handshake.c is their only user.
 */
#ifndef ESP_OTA_UPLOAD_ESPOTA_HANDSHAKE_MESSAGES_H
#define ESP_OTA_UPLOAD_ESPOTA_HANDSHAKE_MESSAGES_H

#include "crypto/auth.h"
#include "upload/espota/protocol.h"
#include "upload/espota/session.h"

enum { HANDSHAKE_QUOTED_MAX = PROTOCOL_TEXT_MAX + 16 };

/* Datagrams that were no reply. Starts as {0}. */
struct gibberish {
    unsigned count;
    char first[PROTOCOL_TEXT_MAX]; /* escaped */
};

/* text: what the datagram says, escaped; "" where it may not be shown. */
void handshake_count_gibberish(struct gibberish *gibberish, const char *text);

/* ', at first "..."' where there is gibberish that may be shown, or "". Returns quoted. */
const char *handshake_quote_first(char quoted[HANDSHAKE_QUOTED_MAX],
                                  const struct gibberish *gibberish);

/* A board that had sent a challenge did not answer the last invitations, within limit_us. */
void handshake_fell_silent(struct ota_failure *failure, const char *address, unsigned invitations,
                           int64_t limit_us);
/* A challenge came, and nothing that judges the answer to it within limit_us. */
void handshake_no_verdict_on_answer(struct ota_failure *failure, const char *address,
                                    int64_t limit_us, const struct gibberish *gibberish);
/* What to say before a board at this port gets an answer with MD5. */
const char *handshake_weak_auth_notice(const struct session_config *config, uint16_t port);
/* Why it gets none. */
void handshake_weak_auth(struct ota_failure *failure, const struct session_config *config);
/* A password was given, and the board did not ask for it: where that is to be refused, and where
 * not. */
void handshake_not_asked(struct ota_failure *failure, const char *address);
const char *handshake_not_asked_notice(char message[OTA_MESSAGE_MAX],
                                       const struct session_config *config);
/* It asked for one before, and now says OK without. */
void handshake_asks_no_longer(struct ota_failure *failure, const char *address);
/* It said OK, and then asked again or rejected the answer, more often than may be. */
void handshake_took_ok_back(struct ota_failure *failure, const char *address, unsigned times);
/* A connection came from peer before the board can have said OK, or where none was invited. */
const char *handshake_early_notice(char message[OTA_MESSAGE_MAX],
                                   const struct session_config *config, const struct address *peer,
                                   bool was_invited);
/* Whether the error (an errno) comes from this computer and stays: its firewall, -I, a broadcast
 * address. */
bool handshake_is_local(const struct session_config *config, int reason);
/* Nothing can be sent to address; reason is an errno. */
void handshake_cannot_send(struct ota_failure *failure, const struct session_config *config,
                           const char *address, int reason);
/* local: the address to which the board should have connected; NULL: not known. is_elsewhere: the
 * board is in another network than this computer. start_us: when the handshake began. */
void handshake_no_connection(struct ota_failure *failure, const struct session_config *config,
                             const struct address *local, bool is_elsewhere, int64_t start_us);
void handshake_wrong_password(struct ota_failure *failure, const struct session_config *config,
                              enum auth_scheme scheme);
void handshake_refused(struct ota_failure *failure, const struct session_config *config,
                       const struct reply *reply);

#endif
