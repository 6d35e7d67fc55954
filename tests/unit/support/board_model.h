/*
 * board_model.h: the UDP half of a board in virtual time: its queue, the turns of its loop(), and
 * the rules by which it takes invitations and answers. It shares no code with src/ and none with
 * the simulated board; nothing here waits.
 */
#ifndef BOARD_MODEL_H
#define BOARD_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum model_lineage { MODEL_ESP32, MODEL_8266 };
enum model_scheme { MODEL_OPEN, MODEL_MD5, MODEL_SHA256, MODEL_SHA256_MD5 };

enum { MODEL_QUEUE = 6, MODEL_TEXT = 80 };

struct model_config {
    enum model_lineage lineage;
    enum model_scheme scheme;
    int64_t loop_us;
    int64_t pbkdf2_us;   /* blocks loop() while an answer is judged */
    bool one_per_loop;   /* reads one datagram in each turn of loop(); else all that are there */
    const char *refusal; /* instead of OK; NULL: none */
};

/* What the host sends, without the numbers that do not matter here. */
struct model_datagram {
    bool is_answer;
    bool is_malformed;        /* an answer without its words */
    int socket;               /* of the host: an ESP32 replies to the one that sent it */
    char nonce[MODEL_TEXT];   /* an answer: the challenge that it answers */
    enum model_scheme scheme; /* and how */
    bool is_right;            /* and whether with the right password */
};

struct model {
    struct model_config config;
    enum { MODEL_IDLE, MODEL_WAITING, MODEL_ACCEPTED } state;
    struct model_datagram queue[MODEL_QUEUE];
    size_t queued;
    int64_t turn_us; /* when loop() begins its next turn */
    int64_t deaf_until_us;
    unsigned challenges;
    char nonce[MODEL_TEXT];
    unsigned overflows, stale_rejections;
    /* Called with what it does: a reply leaves; it begins to connect. */
    void (*on_reply)(const char *text, int socket, int64_t at_us);
    void (*on_connect)(int64_t at_us);
};

/* phase_us: when its first turn begins. */
void model_init(struct model *model, const struct model_config *config, int64_t phase_us);

/* A datagram arrives at the time now_us. */
void model_receive(struct model *model, const struct model_datagram *datagram, int64_t now_us);

/* When something happens next; negative: not before another datagram comes. */
int64_t model_next_us(const struct model *model);
/* It happens. */
void model_turn(struct model *model);

/* The upload that followed its OK has failed: it is idle, and goes on with its queue. */
void model_upload_failed(struct model *model, int64_t now_us);

#endif
