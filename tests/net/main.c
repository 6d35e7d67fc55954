/*
 * main.c of ota-link: connects two TAP devices by a lane in each direction.
 *
 * Kernels without netem need this, and a test can cut this link after a given segment. ppoll(2)
 * with the least timer slack is exact to about 10 us.
 */
#include "lane.h"
#include "options.h"
#include "tap.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

enum {
    HOST,
    BOARD,
    ENDS,
    CONTROL = ENDS,
    DESCRIPTORS,
    FRAMES_PER_TURN = 64,
};

struct link {
    int taps[ENDS];
    struct lane *lanes[ENDS]; /* lanes[HOST] carries what the host sends */
    uint64_t cut_after;       /* segments with data from the host; 0: never */
    char command[64];
    size_t command_length;
    bool done;
};

static int64_t now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static void print_counters(const struct link *link)
{
    static const char *const NAMES[ENDS] = {"host", "board"};

    for (int i = 0; i < ENDS; i++) {
        const struct lane_counters *counters = lane_counters(link->lanes[i]);
        const struct tcp_watch *tcp = &counters->tcp;
        printf("%s frames=%" PRIu64 " delivered=%" PRIu64 " lost=%" PRIu64 " overflown=%" PRIu64
               " down=%" PRIu64 " refused=%" PRIu64 " bytes=%" PRIu64,
               NAMES[i], counters->frames, counters->delivered, counters->lost, counters->overflown,
               counters->down, counters->refused, counters->bytes);
        printf(" window=%" PRIu32 " mss=%" PRIu32 " segment=%" PRIu32 " data=%" PRIu64
               " repeated=%" PRIu64 " waited_us=%" PRId64 " without=%" PRIu64 "\n",
               tcp->window, tcp->mss, tcp->segment, tcp->data, tcp->repeated, tcp->waited_us,
               tcp->without);
    }
}

static void set_down(struct link *link, bool down)
{
    for (int i = 0; i < ENDS; i++)
        lane_set_down(link->lanes[i], down);
    puts(down ? "down" : "up");
}

static void obey(struct link *link, const char *command)
{
    if (strcmp(command, "count") == 0) {
        print_counters(link);
        puts(command);
    } else if (strcmp(command, "down") == 0 || strcmp(command, "up") == 0) {
        set_down(link, *command == 'd');
    } else {
        fprintf(stderr, "ota-link: unknown command \"%s\": down, up or count\n", command);
    }
}

static void read_commands(struct link *link)
{
    size_t room = sizeof link->command - 1 - link->command_length;
    ssize_t got = read(STDIN_FILENO, link->command + link->command_length, room);
    if (got <= 0) {
        link->done = got == 0 || (errno != EINTR && errno != EAGAIN);
        return;
    }

    link->command_length += (size_t)got;
    link->command[link->command_length] = '\0';
    char *end;
    while ((end = strchr(link->command, '\n'))) {
        *end = '\0';
        obey(link, link->command);
        link->command_length = strlen(end + 1);
        memmove(link->command, end + 1, link->command_length + 1);
    }
    if (link->command_length == sizeof link->command - 1)
        link->command_length = 0; /* discards a line longer than any command */
}

/* Cuts the link after a given segment. A test that sent a command could come too late. */
static void cut_when_due(struct link *link)
{
    if (link->cut_after == 0 || lane_counters(link->lanes[HOST])->tcp.data < link->cut_after)
        return;
    link->cut_after = 0;
    set_down(link, true);
}

static void take_frames(struct link *link, int from)
{
    uint8_t frame[FRAME_MAX + 1];
    for (int i = 0; i < FRAMES_PER_TURN; i++) {
        ssize_t length = read(link->taps[from], frame, sizeof frame);
        if (length <= 0)
            return;
        lane_put(link->lanes[from], frame, (size_t)length, now_us());
        cut_when_due(link);
    }
}

static void deliver_frames(struct link *link, int from)
{
    const uint8_t *frame;
    size_t length = 0;
    while ((frame = lane_first(link->lanes[from], now_us(), &length))) {
        ssize_t sent = write(link->taps[from == HOST ? BOARD : HOST], frame, length);
        lane_drop_first(link->lanes[from], sent == (ssize_t)length);
    }
}

static int wait_for_something(const struct link *link, struct pollfd *watched)
{
    int64_t due_us = lane_due_us(link->lanes[HOST]);
    if (lane_due_us(link->lanes[BOARD]) < due_us)
        due_us = lane_due_us(link->lanes[BOARD]);
    if (due_us == INT64_MAX)
        return ppoll(watched, DESCRIPTORS, NULL, NULL);
    int64_t rest_us = due_us - now_us();
    if (rest_us < 0)
        rest_us = 0;
    struct timespec timeout = {.tv_sec = rest_us / 1000000, .tv_nsec = rest_us % 1000000 * 1000};
    return ppoll(watched, DESCRIPTORS, &timeout, NULL);
}

static int run(struct link *link)
{
    struct pollfd watched[DESCRIPTORS] = {
        [HOST] = {.fd = link->taps[HOST], .events = POLLIN},
        [BOARD] = {.fd = link->taps[BOARD], .events = POLLIN},
        [CONTROL] = {.fd = STDIN_FILENO, .events = POLLIN},
    };

    while (!link->done) {
        int ready = wait_for_something(link, watched);
        if (ready < 0 && errno != EINTR) {
            fprintf(stderr, "ota-link: poll: %s\n", strerror(errno));
            return 1;
        }
        for (int i = 0; ready > 0 && i < ENDS; i++)
            if (watched[i].revents)
                take_frames(link, i);
        for (int i = 0; i < ENDS; i++)
            deliver_frames(link, i);
        if (ready > 0 && watched[CONTROL].revents)
            read_commands(link);
    }
    print_counters(link);
    return 0;
}

static bool open_link(struct link *link, const struct options *options)
{
    for (int i = 0; i < ENDS; i++) {
        struct lane_config config = options->lane;
        config.seed = options->lane.seed * 2 + (uint64_t)i;
        const char *step;
        link->taps[i] = tap_open(options->name_spaces[i], options->device, &step);
        if (link->taps[i] < 0) {
            fprintf(stderr, "ota-link: cannot %s (%s, %s): %s\n", step, options->name_spaces[i],
                    options->device, strerror(errno));
            return false;
        }
        link->lanes[i] = lane_new(&config);
        if (!link->lanes[i]) {
            fputs("ota-link: out of memory\n", stderr);
            return false;
        }
    }
    return true;
}

static void close_link(struct link *link)
{
    for (int i = 0; i < ENDS; i++) {
        lane_free(link->lanes[i]);
        if (link->taps[i] >= 0)
            close(link->taps[i]);
    }
}

int main(int argc, char **argv)
{
    struct options options;
    enum options_result result = options_read(&options, argc, argv);
    if (result != OPTIONS_OK)
        return result == OPTIONS_HELP ? 0 : 2;

    struct link link = {.taps = {-1, -1}, .cut_after = options.cut_after};
    int status = 1;
    setvbuf(stdout, NULL, _IOLBF, 0);
    prctl(PR_SET_TIMERSLACK, 1UL);
    if (open_link(&link, &options)) {
        puts("ready");
        status = run(&link);
    }
    close_link(&link);
    return status;
}
