/* One board: its UDP socket, what it waits for, and the upload it is busy with. */
#ifndef DEVICE_BOARD_H
#define DEVICE_BOARD_H

#include "config.h"
#include "esphome.h"
#include "fetch.h"
#include "loop.h"
#include "telnet.h"
#include "update_check.h"
#include "upload.h"
#include "web.h"

enum { MD5_ROOM = MD5_HEX + 1, LATE_REPLIES = 4, REPLY_ROOM = 256, DATAGRAM_MAX = 1472 };
enum {
    TIMERS_PER_BOARD = 4 + LATE_REPLIES + TELNET_TIMERS + WEB_TIMERS + ESPHOME_TIMERS + FETCH_TIMERS
};

enum board_state {
    BOARD_OFF,       /* its UDP port is closed */
    BOARD_IDLE,      /* accepts an invitation */
    BOARD_WAITING,   /* waits for the answer to its challenge, without a timeout */
    BOARD_COMPUTING, /* verifies the answer */
    BOARD_ACCEPTED,  /* starts the update in the next round of loop() */
    BOARD_UPDATING,  /* prepares, refuses, connects, receives, restarts */
};

struct announcer;

/* All boards of the process. */
struct sim {
    struct loop *loop;
    const struct config *config;
    struct board *boards;
    unsigned successes;
    struct announcer *announcer; /* NULL: none */
};

struct datagram {
    struct datagram *next;
    struct address from;
    size_t length;
    uint8_t bytes[];
};

struct late_reply {
    struct board *board;
    struct timer timer;
    struct address to;
    size_t length;
    char text[REPLY_ROOM];
};

struct invitation {
    struct address from;
    long command;
    uint16_t port;
    size_t size;
    char md5[MD5_ROOM];
};

struct board {
    struct sim *sim;
    struct address address;
    enum board_state state;
    struct watch udp;
    int away;                /* descriptor of silence_port() during a restart; else -1 */
    struct timer loop_timer; /* the next time the sketch calls handle() */
    struct timer state_timer;
    int64_t born_us;
    struct datagram *queue; /* oldest first */
    unsigned queued;
    unsigned fault_uses[FAULTS_MAX];
    struct invitation invitation;
    struct address answer_from;
    bool answer_right;
    char nonce[HEX_ROOM];
    struct late_reply late[LATE_REPLIES];
    struct upload upload;
    struct telnet telnet;
    struct web web;
    struct esphome esphome;
    struct fetch fetch;
    struct update_check check;
};

/* Opens the board's port and prints `ready'. False after a message on stderr. */
bool board_start(struct board *board, struct sim *sim, unsigned index);
void board_free(struct board *board);

/* Listens on fd, a stream socket that is bound to the address and not negative, and watches it. The
 * address gets the port that the kernel chose. Closes fd if it fails, with errno. */
bool board_listen(struct board *board, struct address *address, struct watch *watch, int fd,
                  int backlog);

/* For the parts of a board. */

/* Prints an event line. */
void board_event(const struct board *board, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Prints to stderr with --verbose. */
void board_note(const struct board *board, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Returns an ordered fault of this kind that is not used up, or NULL. Counts it as used and prints
 * its event. */
const struct fault *board_fault(struct board *board, enum fault_kind kind);
bool board_fault_left(const struct board *board, size_t index);
void board_fault_used(struct board *board, size_t index);

/* Runs then(board) later. Replaces the callback for which state_timer was started. */
void board_after(struct board *board, int64_t delay_us, void (*then)(void *board));

/* To be called after a change of state: schedules handle() for the next round of the sketch's
 * loop(), if there is something to do. */
void board_wait_for_loop(struct board *board);

/* Makes the board ready for the next invitation. Queued datagrams are read in the next round of
 * loop(). */
void board_idle(void *owner);

/* Restarts the board: it leaves the network and comes back. */
void board_restart(void *owner);
void board_counts_success(struct board *board);

#endif
