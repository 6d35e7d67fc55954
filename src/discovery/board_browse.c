/*
 * board_browse.c: looks for all boards. When multicast DNS has answered, the addresses of boards
 * with the same name are asked for a sign of life, to tell whether they are one board's.
 */
#include "discovery/board_browse.h"

#include "base/diag.h"
#include "base/error.h"
#include "base/escape.h"
#include "base/loop.h"
#include "base/units.h"
#include "discovery/networks.h"
#include "discovery/plain_query.h"
#include "net/alive.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    /* Addresses to ask for a sign of life; each takes a socket. */
    RIVALS_MAX = 256,
    /* AVAHI_CACHE_ENTRIES_MAX of avahi-daemon, which drops further records at once. */
    CACHE_RECORDS = 4096,
    CACHE_BOARDS = CACHE_RECORDS / 4, /* PTR, SRV, TXT and an address each */
};

/* Sketch servers whose SRV record has expired answer only a plain query (plain_query.h), and at
 * most once a second. */
static const int64_t PLAIN_AFTER_US = MILLISECONDS(500), PLAIN_AGAIN_US = MILLISECONDS(1500);

/* An item of boards that may be several boards, at count addresses from rivals[first] on. */
struct contest {
    size_t board, first, count;
};

struct board_browse {
    struct board_browse_config config;
    struct mdns_query *query; /* NULL when it has ended */
    struct loop_timer timer;  /* for the next plain query, or the deadline */
    int64_t start_us, deadline_us;
    struct board_list boards;
    unsigned unheard;         /* instances that may be boards and did not answer */
    struct contest *contests; /* boards of one name, in the order of boards */
    size_t contest_count;
    struct address *rivals; /* of all contests */
    size_t rival_count;
    struct alive *alive;        /* asks the rivals */
    struct ota_failure failure; /* to report at the end; OTA_OK: none */
};

static void stop_browse(struct board_browse *browse)
{
    if (browse->query)
        mdns_client_cancel(browse->query);
    loop_timer_stop(&browse->timer);
    browse->query = NULL;
}

static void report_boards(struct board_browse *browse)
{
    browse->config.on_done(&browse->boards, browse->failure.error ? &browse->failure : NULL,
                           browse->config.userdata);
}

/* Splits the board if several of its addresses answer. If only one does, it is the board's, and the
 * others are left over in caches. */
static int settle_contest(struct board_list *boards, const struct contest *contest,
                          const bool *is_alive, const struct address *rivals)
{
    struct address there[CLAIMS_MAX];
    size_t count = 0;

    for (size_t i = 0; i < contest->count; i++)
        if (is_alive[contest->first + i])
            there[count++] = rivals[contest->first + i];

    if (count > 1)
        return board_list_split(boards, contest->board, there, count);
    if (count == 1)
        boards->items[contest->board]->address = there[0];
    return 0;
}

static void tell_shortage(struct board_browse *browse, int reason)
{
    ota_fail_errno(&browse->failure, OTA_E_INTERNAL, reason,
                   "boards of one name cannot be told apart: %s", strerror(reason));
}

/* Goes from the last contest to the first, as a split moves the boards behind it. */
static void on_contest_answered(const bool *is_alive, int shortage, void *userdata)
{
    struct board_browse *browse = userdata;

    if (shortage)
        tell_shortage(browse, shortage);
    for (size_t i = browse->contest_count; i-- > 0;)
        if (settle_contest(&browse->boards, &browse->contests[i], is_alive, browse->rivals) < 0)
            ota_fail_no_memory(&browse->failure);
    report_boards(browse);
}

/* The item stays one board, or fewer than there are. */
static void tell_left_out(struct board_browse *browse, const struct board *board)
{
    char name[4 * MDNS_INSTANCE_MAX];

    if (browse->failure.error)
        return;
    ota_fail(
        &browse->failure, OTA_E_AMBIGUOUS,
        "some boards are left out, as too many share the name \"%s\"; give each a name of its own, "
        "or name them by address",
        escape_board(name, sizeof name, board->instance));
}

/* Returns 0, or the errno why boards of one name cannot be told apart. */
static int find_contests(struct board_browse *browse)
{
    browse->contests = calloc(browse->boards.count + 1, sizeof *browse->contests);
    browse->rivals = calloc(RIVALS_MAX, sizeof *browse->rivals);
    if (!browse->contests || !browse->rivals)
        return ENOMEM;

    for (size_t i = 0; i < browse->boards.count; i++) {
        const struct board *board = browse->boards.items[i];
        struct address rivals[CLAIMS_MAX];
        const ssize_t found = claims_find_rivals(rivals, &board->claims);
        const size_t count = (size_t)found;

        if (found < 0)
            return errno;
        if (board->claims.is_cut || browse->rival_count + count > RIVALS_MAX)
            tell_left_out(browse, board);
        if (count == 0 || browse->rival_count + count > RIVALS_MAX)
            continue;

        memcpy(browse->rivals + browse->rival_count, rivals, count * sizeof *rivals);
        browse->contests[browse->contest_count++] =
            (struct contest){.board = i, .first = browse->rival_count, .count = count};
        browse->rival_count += count;
    }
    return 0;
}

/* May free browse: the caller must return. */
static void finish_browse(struct board_browse *browse, const struct ota_failure *failure)
{
    stop_browse(browse);
    if (failure)
        browse->failure = *failure;

    int reason = find_contests(browse);
    if (browse->contest_count)
        browse->alive = alive_start(browse->config.loop, browse->rivals, browse->rival_count,
                                    browse->config.source, on_contest_answered, browse);
    if (browse->contest_count && !browse->alive)
        reason = ENOMEM;
    if (reason)
        tell_shortage(browse, reason);

    if (!browse->alive)
        report_boards(browse);
}

static const char *time_since(const struct board_browse *browse, char text[UNITS_TEXT_MAX])
{
    return format_wait(text, (double)(loop_now_us() - browse->start_us) / 1e6);
}

/* Says that boards may be missing, and why: also with -q, as nothing else says so. */
static void warn_if_incomplete(const struct board_browse *browse, bool is_cut_short)
{
    size_t count = browse->boards.count, resolved = 0;
    char time[UNITS_TEXT_MAX];

    for (size_t i = 0; i < count; i++)
        resolved += browse->boards.items[i]->is_resolved;

    if (count > CACHE_BOARDS)
        diag_error("warning: after %s %zu of %zu boards have answered, and more may exist: "
                   "avahi-daemon remembers at most %d records of a network, which %d boards fill; "
                   "name boards with --hosts, or split the network",
                   time_since(browse, time), resolved, count, CACHE_RECORDS, CACHE_BOARDS);
    else if (is_cut_short && count > 0)
        diag_error("warning: after %s not all boards have been heard (-t gives them more time)",
                   time_since(browse, time));
}

/* Most of these are announcements that have outlived their printers, so this is no warning. */
static void tell_unheard(const struct board_browse *browse)
{
    if (browse->unheard > 0)
        diag_notice("%u of the web servers that announce themselves did not answer; a board with "
                    "Tasmota that is busy may be missing",
                    browse->unheard);
}

static void finish_normally(struct board_browse *browse, bool is_cut_short)
{
    const bool is_partial = browse->config.services != SERVICES_ALL;
    struct ota_failure failure;
    char time[UNITS_TEXT_MAX];

    if (!browse->config.is_further) {
        warn_if_incomplete(browse, is_cut_short);
        tell_unheard(browse);
    }
    if (browse->boards.count) {
        finish_browse(browse, NULL);
        return;
    }

    const bool is_offline = networks_is_offline();
    ota_fail(&failure, OTA_E_NOT_FOUND,
             "no board announces %s%s (multicast DNS was asked for %s)%s",
             is_partial ? "ArduinoOTA or a sketch server" : "itself",
             is_offline ? "" : " in this network", time_since(browse, time),
             is_offline ? ": " NETWORKS_OFFLINE : "");
    failure.cause = is_offline ? OTA_CAUSE_NO_NETWORK : OTA_CAUSE_NO_BOARDS;
    finish_browse(browse, &failure);
}

static void finish_unavailable(struct board_browse *browse, const struct mdns_answer *answer)
{
    struct ota_failure failure;

    ota_fail(&failure, answer->is_local ? OTA_E_INTERNAL : OTA_E_NO_MDNS,
             "%s: multicast DNS cannot be asked (%s)",
             browse->boards.count ? "some boards may be missing" : "cannot look for boards",
             answer->reason);
    failure.cause = answer->lack;
    finish_browse(browse, &failure);
}

/* The deadline may come before mdns_client.c gives up an avahi-daemon that does not answer. */
static void finish_in_time(struct board_browse *browse)
{
    struct mdns_answer answer = {.event = MDNS_UNAVAILABLE};

    if (mdns_client_has_answered(browse->config.mdns)) {
        finish_normally(browse, true);
        return;
    }

    snprintf(answer.reason, sizeof answer.reason,
             "avahi-daemon or the D-Bus system bus has not answered in %.3g s, the limit of -t",
             (double)(browse->deadline_us - browse->start_us) / 1e6);
    finish_unavailable(browse, &answer);
}

static void on_boards_answer(const struct mdns_answer *answer, void *userdata)
{
    struct board_browse *browse = userdata;
    struct ota_failure failure;

    if (answer->event != MDNS_FOUND)
        browse->query = NULL;

    if (answer->event == MDNS_UNAVAILABLE) {
        finish_unavailable(browse, answer);
    } else if (answer->event == MDNS_END) {
        browse->unheard = answer->unheard;
        finish_normally(browse, false);
    } else if (board_list_add(&browse->boards, answer) < 0) {
        ota_fail_no_memory(&failure);
        finish_browse(browse, &failure);
    } else if (browse->config.on_found) {
        browse->config.on_found(board_list_find(&browse->boards, answer), browse->config.userdata);
    }
}

static bool is_sketch_server_missing(const struct board_browse *browse)
{
    for (size_t i = 0; i < browse->boards.count; i++) {
        const struct board *board = browse->boards.items[i];

        if (board->service == SERVICE_ARDUINO && !board->is_resolved)
            return true;
    }
    return false;
}

static void start_timer(struct board_browse *browse, int64_t delay_us)
{
    const int64_t left_us = browse->deadline_us - loop_now_us();

    loop_timer_start(&browse->timer, delay_us < left_us ? delay_us : left_us);
}

static void on_browse_timer(void *userdata)
{
    struct board_browse *browse = userdata;

    if (loop_now_us() >= browse->deadline_us) {
        finish_in_time(browse);
        return;
    }
    if (is_sketch_server_missing(browse))
        plain_query_send(SERVICE_ARDUINO);
    start_timer(browse, PLAIN_AGAIN_US);
}

struct board_browse *board_browse_start(const struct board_browse_config *config)
{
    struct board_browse *browse = calloc(1, sizeof *browse);
    if (!browse)
        return NULL;

    browse->config = *config;
    browse->start_us = loop_now_us();
    browse->deadline_us = browse->start_us + config->timeout_us;
    loop_timer_init(&browse->timer, config->loop, on_browse_timer, browse);
    start_timer(browse, PLAIN_AFTER_US);

    browse->query =
        mdns_client_ask(config->mdns, MDNS_BOARDS, config->services, "", on_boards_answer, browse);
    if (browse->query)
        return browse;

    board_browse_free(browse);
    return NULL;
}

void board_browse_free(struct board_browse *browse)
{
    if (!browse)
        return;

    stop_browse(browse);
    alive_free(browse->alive);
    free(browse->contests);
    free(browse->rivals);
    board_list_free(&browse->boards);
    free(browse);
}

size_t board_browse_count(const struct board_browse *browse)
{
    return browse->boards.count;
}
