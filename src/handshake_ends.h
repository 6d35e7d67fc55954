/*
 * handshake_ends.h: the sentences of a handshake, above all for the ways in which it fails. Pure.
 * handshake.c is their only user.
 */
#ifndef HANDSHAKE_ENDS_H
#define HANDSHAKE_ENDS_H

#include "auth.h"
#include "protocol.h"
#include "session.h"

/* Datagrams that were no reply. Starts as {0}. */
struct gibberish {
    unsigned count;
    char first[PROTOCOL_TEXT_MAX]; /* escaped */
};

/* text: what the datagram says, escaped; "" where it may not be shown. */
void handshake_count_gibberish(struct gibberish *gibberish, const char *text);

/* address: the board's, with port. network_error: errno of the last ICMP report; 0: silence, but
 * for gibberish. */
void handshake_no_answer(struct ota_failure *failure, const struct session_config *config,
                         const char *address, int network_error, unsigned invitations,
                         const struct gibberish *gibberish);
/* A board that had sent a challenge did not answer the last invitations, within limit_us. */
void handshake_fell_silent(struct ota_failure *failure, const char *address, unsigned invitations,
                           int64_t limit_us);
/* A challenge came, and nothing that judges the answer to it within limit_us. */
void handshake_no_verdict_on_answer(struct ota_failure *failure, const char *address,
                                    int64_t limit_us, const struct gibberish *gibberish);
/* What to say of a board that accepted the password; NULL: nothing. */
const char *handshake_advice(const struct session_config *config, enum auth_scheme scheme);
/* What the network says for the first time, while the handshake goes on. */
void handshake_news(struct ota_failure *news, const char *address, int network_error);
/* The socket cannot be made to lead to address; reason is an errno. */
void handshake_cannot_send(struct ota_failure *failure, const char *address, int reason);
/* local: the address to which the board should have connected; NULL: not known. */
void handshake_no_connection(struct ota_failure *failure, const struct session_config *config,
                             const struct address *local);
void handshake_wrong_password(struct ota_failure *failure, const struct session_config *config,
                              enum auth_scheme scheme);
void handshake_refused(struct ota_failure *failure, const struct session_config *config,
                       const struct reply *reply);

#endif
