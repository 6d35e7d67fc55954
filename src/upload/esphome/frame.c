/*
 * frame.c: reads and writes the headers of frames.
 */
#include "upload/esphome/frame.h"

size_t frame_length(const struct frame *frame)
{
    return (size_t)frame->header[1] << 8 | frame->header[2];
}

enum frame_state frame_add(struct frame *frame, unsigned char byte)
{
    if (frame->count >= FRAME_HEADER_SIZE &&
        frame->count == FRAME_HEADER_SIZE + frame_length(frame))
        frame->count = 0; /* the last one was complete */

    if (frame->count < FRAME_HEADER_SIZE)
        frame->header[frame->count++] = byte;
    else
        frame->payload[frame->count++ - FRAME_HEADER_SIZE] = byte;

    if (frame->header[0] != FRAME_FIRST_BYTE)
        return FRAME_INVALID;
    if (frame->count < FRAME_HEADER_SIZE)
        return FRAME_INCOMPLETE;
    if (frame_length(frame) == 0 || frame_length(frame) > FRAME_PAYLOAD_MAX)
        return FRAME_INVALID;
    return frame->count == FRAME_HEADER_SIZE + frame_length(frame) ? FRAME_COMPLETE
                                                                   : FRAME_INCOMPLETE;
}

void frame_write_header(unsigned char header[FRAME_HEADER_SIZE], size_t length)
{
    header[0] = FRAME_FIRST_BYTE;
    header[1] = (unsigned char)(length >> 8);
    header[2] = (unsigned char)length;
}
