/*
 * answer.h: what a request for an image gets, and why. Pure.
 *
 * The update libraries of the boards take 200 as an update, 304 as "no update", and everything else
 * as an error. So whoever has to wait gets 304, too.
 */
#ifndef ESP_OTA_SERVE_ANSWER_H
#define ESP_OTA_SERVE_ANSWER_H

#include "serve/fetcher.h"
#include "serve/offer.h"
#include "serve/rollout.h"

enum answer_kind {
    ANSWER_IMAGE,     /* 200: form says which bytes */
    ANSWER_VERSION,   /* 200 without content: the version is in a header */
    ANSWER_UNCHANGED, /* 304: the board runs the image */
    ANSWER_NOT_NOW,   /* 304: it has to wait, or gets nothing more */
    ANSWER_REFUSED,   /* 403: it would not work */
    ANSWER_BUSY,      /* 503 with Retry-After */
};

/* Whether a board runs the image, as it says. */
enum proof { PROOF_NONE, PROOF_RUNS, PROOF_OTHER };

enum { ANSWER_REASON_MAX = 320 };

struct answer {
    enum answer_kind kind;
    enum offer_form form;
    enum proof proof;
    char reason[ANSWER_REASON_MAX]; /* printable; "" with an image */
};

/* Sketches are compared by MD5, if the board tells that, else by SHA-256, else by version;
 * filesystem images by version. PROOF_NONE: neither is told, or ours is unknown. */
enum proof answer_proof(const struct fetcher *fetcher, const struct offer *offer);

/* Whether it is by version. */
bool answer_compares_versions(const struct fetcher *fetcher, const struct offer *offer);

/* Decides. turn is the board's in the roll-out; it counts only where nothing speaks against the
 * image. */
void answer_decide(struct answer *answer, const struct fetcher *fetcher, const struct offer *offer,
                   enum turn turn);

#endif
