/* A sketch that asks a server for an update now and then, with one of the libraries in fetcher.c,
 * and restarts into what it got. */
#ifndef DEVICE_UPDATE_CHECK_H
#define DEVICE_UPDATE_CHECK_H

#include "digest.h"
#include "loop.h"

#include <stdbool.h>
#include <stddef.h>

struct board;

struct update_check {
    struct timer timer;
    char md5[HEX_ROOM]; /* from URL.md5 or the manifest; "": none */
    char url[256];      /* of the image, from a manifest; "": the configured one */
    size_t whole;       /* the image's size, from HEAD */
    bool is_new;        /* the sketch came by an update */
    bool is_unanswered; /* it has not had an answer since it came back */
};

void update_check_set_up(struct board *board);

/* The board is on the air: the sketch asks after wait_us. */
void update_check_start(struct board *board, int64_t wait_us);
void update_check_leave(struct board *board);
void update_check_abandon(struct board *board);

#endif
