/*
 * book.h: the boards that have asked, or should ask, and what became of each of them. Pure.
 *
 * A board cannot say that it is satisfied. What proves an update is its next request: by then it
 * runs the image, or it has failed. A board is known by its MAC; without one, by its address, but
 * then it is not confirmed, as anybody may have that address. While it downloads, it cannot run the
 * image: whoever says so is another one.
 *
 * A MAC is only what somebody says, so the list has precedence: a MAC in the list is that board's,
 * and an address in the list its board's, whichever MAC was told before. book_find() has the order.
 */
#ifndef ESP_OTA_SERVE_BOOK_H
#define ESP_OTA_SERVE_BOOK_H

#include "base/address.h"
#include "esp-ota/error.h"
#include "serve/answer.h"
#include "serve/fetcher.h"
#include "serve/rollout.h"

#include <stdint.h>

enum { BOOK_NAME_MAX = 256, BOOK_COUNT_MAX = 10000 };

enum book_state {
    BOOK_SILENT, /* it should ask, and has not */
    BOOK_ASKED,
    BOOK_REFUSED, /* it asked for nothing that it may have, or not as it should */
    BOOK_FETCHING,
    BOOK_FETCHED, /* it has the image, and has not asked again */
    BOOK_CONFIRMED,
    BOOK_GIVEN_UP, /* it gets nothing more: it failed too often, or once if it is told */
    BOOK_SKIPPED,  /* it is the same board as another one */
    BOOK_STATES
};

/* What is counted (see count_board()) changes only through the functions below. */
struct book_board {
    struct book *book;
    char name[BOOK_NAME_MAX];  /* printable: assignment_target(), else its MAC, else its address */
    char label[BOOK_NAME_MAX]; /* printable, for messages; equals name unless the owner sets it */
    uint16_t port;             /* that was given with its name; 0: none */
    bool is_listed;            /* it is in the list, so it should ask */
    bool is_settled;           /* its result was reported */
    bool is_canary;
    bool is_told;  /* to fetch: what it runs is asked at its page, so no request confirms it, nor
                    * changes its result */
    bool has_page; /* one that is told: its page has answered, at its home */
    bool has_page_mac;
    struct mac page_mac; /* that its page has told */
    bool claims_image;   /* one that is told: by its last request, it runs the image */
    bool has_mac;
    bool is_mac_listed; /* else it was told by a request */
    struct mac mac;
    bool has_home;
    struct address home; /* the list names it: requests from there are this board's */
    bool has_address;
    struct address address; /* of its last request; before that, its home, or as --resume has it */
    const char *host;       /* on multicast DNS, as its name says; NULL or "": unknown */
    unsigned family;
    char version[4 * FETCHER_VERSION_MAX]; /* printable; "" while none is told */
    bool is_by_version; /* that is all that tells what it runs, and may have been mistyped */

    enum book_state state;
    enum ota_error refusal;         /* what book_note_refusal() noted last, before any answer */
    char reason[ANSWER_REASON_MAX]; /* printable: why it got nothing the last time, or "" */
    unsigned failures;              /* how often it took the image and came back without it */
    unsigned requests;
    int64_t asked_us; /* monotonic; 0: never */

    /* The download that runs, or ran last. */
    unsigned downloads; /* that run */
    size_t bytes, total;
    int64_t started_us, fetched_us; /* monotonic; 0: not yet */

    /* What has been told of it lately; see serve_events.c. */
    unsigned told;   /* messages since told_us */
    bool is_counted; /* not told of, only counted: too many boards are in no list */
    int64_t told_us; /* monotonic; 0: nothing was told yet */

    const struct offer *offer;
    const void *userdata; /* of the owner of the book */
};

/* Boards in each state, and sums over boards. To look at each of thousands of boards for every
 * request would take longer than to answer it. */
struct book_counts {
    long states[BOOK_STATES];
    long known[BOOK_STATES];    /* those that are listed, or have told their MAC */
    long canaries[BOOK_STATES]; /* those that were chosen to be first */
    long downloads;             /* that run */
    int64_t bytes, bytes_total; /* of those that are known */
};

/* Stays where it is from the first board on. */
struct book {
    struct book_board **boards; /* each stays where it is */
    size_t count, capacity;
    size_t homes; /* boards that have one */
    void *by_mac; /* tree of tsearch(3): the boards with a MAC */
    struct book_counts counts;
};

/* What a request has shown. */
enum book_news {
    BOOK_NO_NEWS,
    BOOK_HAS_IT,  /* it runs the image, and has not fetched it from here */
    BOOK_IS_BACK, /* it runs the image that it fetched */
    BOOK_FAILED,  /* it does not run the image that it fetched */
    BOOK_LOOPS,   /* the same, for the last time: it gets nothing more */
};

void book_free(struct book *book);

bool book_is_full(const struct book *book);

/* A new board; name is made printable, and cut to fit. Escapes in it stay. NULL: memory ran out, or
 * the book is full. */
struct book_board *book_add(struct book *book, const char *name);

/* The board is in the list; mac may be NULL. Returns false if memory ran out. */
bool book_list(struct book_board *board, const struct mac *mac);

/* The list names this address of the board, or of its page. */
void book_set_home(struct book_board *board, const struct address *address);

/* The page of a board that is told has answered there, which makes that its home. */
void book_set_page(struct book_board *board, const struct address *address);

/* The page of a listed board has told its MAC, which replaces one that a request has told. It
 * stays another listed board's that has it. */
void book_set_mac(struct book_board *board, const struct mac *mac);

/* The board that is known by this MAC; NULL: none is. */
struct book_board *book_find_mac(const struct book *book, const struct mac *mac);

/* A listed board has turned out to be another name of this one, which is known by its MAC, too. */
void book_join(struct book_board *board, struct book_board *same);

/* It is such another name: no canary, and nobody waits for it. */
void book_skip(struct book_board *board);

/* The sender of the request; NULL: it is new. named: the board whose listed name has this address
 * (see names_find()), or NULL. The first of these that matches decides: the address of a page and
 * the MAC that the page has told; a MAC in the list; an address in the list, unless its board was
 * told, has its result, and its page has told another MAC; a MAC that a listed board has told; the
 * named board, unless both it and the request have told a MAC; the address in the list of a page
 * that has not answered; the MAC of an unlisted board; without a MAC, the address of an unlisted
 * board that has told none either. That a listed board has asked from an address before proves
 * nothing: behind NAT are others. */
struct book_board *book_find(const struct book *book, const struct fetcher *fetcher,
                             const struct address *address, struct book_board *named);

/* The steps of a board. attempts_max: how often it may take the image. */
enum book_news book_note_request(struct book_board *board, const struct fetcher *fetcher,
                                 const struct address *address, enum proof proof,
                                 unsigned attempts_max, int64_t now_us);
void book_note_answer(struct book_board *board, const struct answer *answer);
/* A request that got nothing, whoever sent it: without the password, or for nothing that the board
 * may have. It counts only while the board has got no answer, and tells nothing of the board.
 * why is printable. */
void book_note_refusal(struct book_board *board, enum ota_error refusal, const char *why,
                       int64_t now_us);
void book_note_start(struct book_board *board, size_t total, int64_t now_us);
void book_note_progress(struct book_board *board, size_t bytes);
void book_note_end(struct book_board *board, bool is_whole, int64_t now_us);

/* What becomes known otherwise than by a request. */
void book_set_state(struct book_board *board, enum book_state state);
void book_set_canary(struct book_board *board);

/* The turn of a board that asks now, after book_note_request(). downloads_here: to its address. */
enum turn book_turn(const struct book *book, const struct book_board *board,
                    const struct rollout_rules *rules, size_t downloads_here);

/* Makes a board that gets the image now a canary, if one is still missing. */
void book_choose_canary(const struct book *book, struct book_board *board,
                        const struct rollout_rules *rules);

/* Where the roll-out stands; downloads_here is 0. */
void book_count(const struct book *book, struct rollout_counts *counts);
size_t book_count_state(const struct book *book, enum book_state state);

/* "has asked", "downloading", ...: for people. */
const char *book_state_name(enum book_state state);

#endif
