/*
 * exchange.h: one upload to ESPHome's OTA service, as a step machine: the board's bytes go in, ours
 * and events come out. Pure; connection.c has the socket.
 */
#ifndef ESP_OTA_UPLOAD_ESPHOME_EXCHANGE_H
#define ESP_OTA_UPLOAD_ESPHOME_EXCHANGE_H

#include "crypto/auth.h"
#include "esp-ota/error.h"
#include "upload/esphome/frame.h"
#include "upload/esphome/noise.h"
#include "upload/trust.h"

#include <stdbool.h>
#include <stddef.h>

enum {
    EXCHANGE_FRAME_OVERHEAD = FRAME_HEADER_SIZE + NOISE_TAG_SIZE,
    EXCHANGE_UNITS_MAX = 2,                /* of a step */
    EXCHANGE_UNIT_MAX = DIGEST_SHA256_HEX, /* a cnonce, an answer */
    EXCHANGE_OUTPUT_MAX = EXCHANGE_UNITS_MAX * (EXCHANGE_FRAME_OVERHEAD + EXCHANGE_UNIT_MAX),
    EXCHANGE_DATA_MAX = 1024, /* of the image in an encrypted frame */
};

struct echo;

/* What may be sent. size 0: there is none. */
struct exchange_content {
    const unsigned char *data;
    size_t size;
    const char *md5;
};

/* All pointers must outlive the exchange. */
struct exchange_config {
    struct exchange_content plain;  /* the image as it is */
    struct exchange_content packed; /* compressed by gzip */
    const unsigned char *key; /* NOISE_KEY_SIZE bytes: nothing is sent in the clear; or NULL */
    const char *password;     /* NULL or "": none */
    struct trust *trust;      /* of the upload */
    struct echo *echo;        /* knows the key, and learns answers; NULL: nothing is hidden */
    /* For tests; NULL: random. */
    const char *cnonce;
    const unsigned char *ephemeral;
};

enum exchange_event {
    EXCHANGE_NOTHING,
    EXCHANGE_ENCRYPTED, /* the handshake is complete */
    EXCHANGE_ANSWERED,  /* the answer to a challenge is in the output; scheme and answer are set */
    EXCHANGE_AUTHENTICATED, /* the board accepted the answer */
    EXCHANGE_OPEN,          /* the board asks for no password */
    EXCHANGE_NO_PASSWORD,   /* the board asks for one and none is known; the exchange is over */
    EXCHANGE_READY,         /* the board waits for the image: exchange_take_data() */
    EXCHANGE_ALIVE,         /* it has stored another part of the image */
    EXCHANGE_RECEIVED,      /* it has the whole image */
    EXCHANGE_INSTALLED,     /* it has verified the image, and will start it: the only success */
    EXCHANGE_FAILED,        /* failure is set; the exchange is over */
};

/* What the board's next byte is. */
enum exchange_step {
    EXCHANGE_GREETING,
    EXCHANGE_VERSION,
    EXCHANGE_FEATURES,
    EXCHANGE_FLAGS,
    EXCHANGE_HANDSHAKE,
    EXCHANGE_AUTH,
    EXCHANGE_NONCE,
    EXCHANGE_VERDICT, /* on our answer */
    EXCHANGE_PREPARE, /* the flash is erased */
    EXCHANGE_ACCEPT,  /* of the MD5 */
    EXCHANGE_DATA,
    EXCHANGE_RESULT,
    EXCHANGE_OVER,
};

struct exchange {
    struct exchange_config config;
    enum exchange_step step;
    enum exchange_step reached; /* the last one before EXCHANGE_OVER */
    unsigned shortages;         /* crypto_shortages() at the start */
    unsigned version;           /* of the protocol */
    bool is_extended;
    bool is_accepted;    /* the board has accepted size and MD5 of the image */
    struct noise *noise; /* NULL: in the clear */
    struct frame frame;
    char nonce[DIGEST_SHA256_HEX + 1];
    size_t nonce_length;
    enum auth_scheme scheme;
    struct auth_answer answer;              /* the caller's to cleanse, with exchange_clear() */
    const struct exchange_content *content; /* what is sent */
    size_t taken;                           /* bytes of it, by exchange_take_data() */
    unsigned char output[EXCHANGE_OUTPUT_MAX];
    size_t output_length; /* to be sent next; the caller sets it to 0 */
    /* The board's next byte was here before the output. The caller sets it, too, if it sends the
     * output and has bytes of the board that it has not yet fed. */
    bool is_early;
    struct ota_failure failure;
};

/* Begins an exchange: the greeting is in the output. */
void exchange_start(struct exchange *exchange, const struct exchange_config *config);
/* Frees and cleanses what it has; it may be all zero. */
void exchange_clear(struct exchange *exchange);

/* Takes the board's bytes up to the first event, or the first output: the caller sends that before
 * it calls again. Returns how many bytes it has taken; 0 only if output still waits. */
size_t exchange_feed(struct exchange *exchange, enum exchange_event *event, const void *bytes,
                     size_t length);

/* From EXCHANGE_READY on: writes the next bytes to be sent, as many as fit; capacity is at least
 * that of one frame. Returns 0 when all of the image has been taken, or after a failure of
 * libcrypto (step is EXCHANGE_OVER, failure is set). */
size_t exchange_take_data(struct exchange *exchange, unsigned char *target, size_t capacity);

/* How many bytes of the content the first `sent` bytes from exchange_take_data() have carried. */
size_t exchange_carried(const struct exchange *exchange, size_t sent);

#endif
