/*
 * board_model.h: the UDP half of a board in virtual time: its queue, the turns of its loop(), and
 * its rules for invitations and answers. It shares no code with src/ or the simulated board, and
 * never waits.
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
    bool one_per_loop;   /* reads one datagram in each turn of loop(), otherwise all of them */
    const char *refusal; /* instead of OK; NULL: none */
};

/* A datagram of the host, reduced to the numbers that matter here. */
struct model_datagram {
    bool is_answer;
    bool is_malformed;        /* an answer without its words */
    int socket;               /* of the host: an ESP32 replies to the one that sent it */
    char nonce[MODEL_TEXT];   /* of an answer: its challenge */
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
    /* Called for each action: a reply, or the start of a connection. */
    void (*on_reply)(const char *text, int socket, int64_t at_us);
    void (*on_connect)(int64_t at_us);
};

/* phase_us: when its first turn begins. */
void model_init(struct model *model, const struct model_config *config, int64_t phase_us);

/* A datagram arrives at the time now_us. */
void model_receive(struct model *model, const struct model_datagram *datagram, int64_t now_us);

/* The time of the next event; negative: none before the next datagram. */
int64_t model_next_us(const struct model *model);
/* Runs the next event. */
void model_turn(struct model *model);

/* The upload after its OK has failed: the board is idle again, and continues with its queue. */
void model_upload_failed(struct model *model, int64_t now_us);

#endif
