/* A board's replies over UDP, with their faults. */
#ifndef DEVICE_REPLY_H
#define DEVICE_REPLY_H

#include <stddef.h>

struct board;

enum { REPLY_TEXT = 1400 }; /* the longest reply of its own */

enum reply_kind { REPLY_OK, REPLY_AUTH, REPLY_FAILED, REPLY_REFUSAL };

/* Sends text to the caller: the 8266 family to where the invitation came from, an ESP32 to where
 * the datagram it has just read came from. */
void reply_send(struct board *board, enum reply_kind kind, const void *text, size_t length);

/* Ends one late reply: the owner is a struct late_reply. */
void reply_send_late(void *owner);

#endif
