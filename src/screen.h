/*
 * screen.h: whether an image suits what it is about to be sent as, and the board that it would go
 * to. Pure: whoever asks warns, refuses, or lets --force pass.
 */
#ifndef SCREEN_H
#define SCREEN_H

#include "image.h"

enum screening {
    SCREEN_SUITS,    /* nothing speaks against it; reason is "" */
    SCREEN_DOUBTFUL, /* worth a warning */
    SCREEN_REFUSED,  /* it cannot work */
};

enum { SCREEN_REASON_MAX = 512 };

/* From the bytes of the image alone. reason goes on from the file's name: "cannot be sent: ...";
 * it is printable. */
enum screening screen_image(char reason[SCREEN_REASON_MAX], const struct image *image,
                            enum ota_command command);

/* Against the kind of board that mDNS announces ("esp32s3", as it came from the network; "": nobody
 * said). Only names that tell the chip beyond doubt refuse an image. reason is a sentence of its
 * own. */
enum screening screen_board(char reason[SCREEN_REASON_MAX], const struct image *image,
                            const char *type);

#endif
