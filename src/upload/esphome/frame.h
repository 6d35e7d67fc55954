/*
 * frame.h: the frames of an encrypted exchange: 01, the length as two bytes (big-endian), and the
 * payload. Pure.
 */
#ifndef ESP_OTA_UPLOAD_ESPHOME_FRAME_H
#define ESP_OTA_UPLOAD_ESPHOME_FRAME_H

#include <stddef.h>

enum {
    FRAME_HEADER_SIZE = 3,
    FRAME_FIRST_BYTE = 1,
    FRAME_PAYLOAD_MAX = 256, /* of the board's: a reply, or why it ends the handshake */
};

enum frame_state { FRAME_INCOMPLETE, FRAME_COMPLETE, FRAME_INVALID };

/* The frame that is being received. All zero: none yet. */
struct frame {
    unsigned char header[FRAME_HEADER_SIZE];
    unsigned char payload[FRAME_PAYLOAD_MAX];
    size_t count; /* bytes so far, with the header */
};

/* Adds a byte. FRAME_COMPLETE: the payload has frame_length() bytes, and the next byte begins
 * another frame. FRAME_INVALID: wrong first byte, no payload, or too long. */
enum frame_state frame_add(struct frame *frame, unsigned char byte);
size_t frame_length(const struct frame *frame);

/* Writes the header of a frame with this payload of at most 65,535 bytes. */
void frame_write_header(unsigned char header[FRAME_HEADER_SIZE], size_t length);

#endif
