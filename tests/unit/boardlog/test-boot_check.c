/*
 * test-boot_check.c: the verdict from a board's log and its restart, in virtual time. The log, the
 * restart watch and the clock are replaced at link time (--wrap). Each callback adds a line to a
 * story, which is compared with the expected one.
 */
#include "boardlog/boot_check.h"
#include "boardlog/expect.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "boardlog/restart_watch.h"
#include "support/match_memory.h"
#include "support/outage_wraps.h"
#include "support/story.h"
#include "support/virtual_time.h"

#include <errno.h>

#include <stdio.h>
#include <string.h>

#define S INT64_C(1000000)
#define MS INT64_C(1000)
#define COUNT(array) (sizeof(array) / sizeof *(array))

/* PCRE2 finds no memory to match this line. */
#define COSTLY "costly"

enum { PATTERNS = 4, STEPS = 10 };

static const int64_t START_US = 5 * S;

enum occasion { NEVER, AT_NOTE, AT_VERDICT };

/* The state of one case. It replaces board_log.c and restart_watch.c. */
static struct world {
    bool has_log, has_watch;
    bool refuse_memory, refuse_log, refuse_watch;
    bool starts_gone; /* the watch starts with a board that is gone */
    bool is_full;     /* the queue of the log is full */
    bool is_behind;   /* the log is not read to its end */
    bool keeps_colors;
    bool has_outage;   /* outages are watched */
    unsigned outages;  /* what there was, */
    int64_t outage_us; /* and when */
    struct board_log_callbacks log;
    restart_watch_done_fn *on_watch_done;
    void *watch_userdata;
    enum occasion free_at;
    struct boot_check *check;
    unsigned verdicts;
    enum ota_cause cause; /* of the last verdict */
    char story[16384];
} world;

static const struct source wlan = {.interface = "wlan0"};

#define tell(...) story_append(world.story, sizeof world.story, __VA_ARGS__)

struct board_log *__wrap_board_log_start(struct loop *loop, const struct address *address,
                                         const struct source *source, bool keeps_colors,
                                         const struct board_log_callbacks *callbacks);
bool __wrap_board_log_send(struct board_log *log, const void *line, size_t length);
bool __wrap_board_log_is_behind(const struct board_log *log);
void __wrap_board_log_free(struct board_log *log);
struct restart_watch *__wrap_restart_watch_start(const struct restart_watch_config *config,
                                                 restart_watch_done_fn *on_done, void *userdata);
void __wrap_restart_watch_free(struct restart_watch *watch);
void *__real_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size);

struct board_log *__wrap_board_log_start(struct loop *loop, const struct address *address,
                                         const struct source *source, bool keeps_colors,
                                         const struct board_log_callbacks *callbacks)
{
    char text[ADDRESS_TEXT_MAX + 8];

    assert_ptr_equal(loop, virtual_time_loop());
    assert_false(world.has_log);
    if (world.refuse_log)
        return NULL;
    assert_string_equal(address_text_port(text, address), "10.0.0.7:23");
    assert_ptr_equal(source, &wlan);
    world.has_log = true;
    world.keeps_colors = keeps_colors;
    world.log = *callbacks;
    return (struct board_log *)&world.has_log;
}

bool __wrap_board_log_send(struct board_log *log, const void *line, size_t length)
{
    assert_ptr_equal(log, &world.has_log);
    assert_true(world.has_log);
    tell("send %.*s\n", (int)length, (const char *)line);
    return !world.is_full;
}

bool __wrap_board_log_is_behind(const struct board_log *log)
{
    assert_ptr_equal(log, &world.has_log);
    return world.is_behind;
}

void __wrap_board_log_free(struct board_log *log)
{
    if (!log)
        return;
    assert_ptr_equal(log, &world.has_log);
    assert_true(world.has_log);
    world.has_log = false;
}

struct restart_watch *__wrap_restart_watch_start(const struct restart_watch_config *config,
                                                 restart_watch_done_fn *on_done, void *userdata)
{
    char text[ADDRESS_TEXT_MAX + 8];

    assert_ptr_equal(config->loop, virtual_time_loop());
    assert_false(world.has_watch);
    if (world.refuse_watch)
        return NULL;
    assert_string_equal(address_text_port(text, &config->address), "10.0.0.7:8266");
    assert_ptr_equal(config->source, &wlan);
    assert_int_equal(config->deadline_us, 60 * S);
    assert_int_equal(config->leave_us, 10 * S);
    world.has_watch = true;
    world.starts_gone = config->is_gone;
    world.on_watch_done = on_done;
    world.watch_userdata = userdata;
    return (struct restart_watch *)&world.has_watch;
}

void __wrap_restart_watch_free(struct restart_watch *watch)
{
    if (!watch)
        return;
    assert_ptr_equal(watch, &world.has_watch);
    assert_true(world.has_watch);
    world.has_watch = false;
}

void __wrap_outage_start(struct outage *outage, struct loop *loop, const struct address *address,
                         const struct source *source)
{
    char text[ADDRESS_TEXT_MAX + 8];

    (void)outage;
    assert_ptr_equal(loop, virtual_time_loop());
    assert_string_equal(address_text_port(text, address), "10.0.0.7:8266");
    assert_ptr_equal(source, &wlan);
    world.has_outage = true;
}

unsigned __wrap_outage_after(struct outage *outage, int64_t time_us)
{
    (void)outage;
    assert_true(world.has_outage);
    return world.outage_us > time_us ? world.outages : 0;
}

void __wrap_outage_stop(struct outage *outage)
{
    (void)outage;
    world.has_outage = false;
}

void *__wrap_calloc(size_t count, size_t size)
{
    return world.refuse_memory ? NULL : __real_calloc(count, size);
}

static void free_at(enum occasion occasion)
{
    if (world.free_at != occasion)
        return;
    boot_check_free(world.check);
    world.check = NULL;
}

static void on_check_line(const struct line *line, void *userdata)
{
    assert_ptr_equal(userdata, &world);
    tell("line %.*s\n", (int)line->length, (const char *)line->bytes);
}

static void on_note(const char *message, void *userdata)
{
    assert_ptr_equal(userdata, &world);
    tell("note %s\n", message);
    free_at(AT_NOTE);
}

static void on_verdict(const struct ota_failure *verdict, void *userdata)
{
    assert_ptr_equal(userdata, &world);
    tell("%s: %s\n", ota_error_name(verdict->error), verdict->message);
    world.verdicts++;
    world.cause = verdict->cause;
    free_at(AT_VERDICT);
}

/* -- stories -- */

/* An event at a time after the start. A timeout that is due fires first. */
struct step {
    enum { END, PASS, STATE, LINE, PIECE, REST, ONLINE, OUTAGE, BEHIND } kind;
    int ms;
    const char *text; /* the line, or the reason of a state */
    int value;        /* enum board_log_state, enum restart_watch_result, line->shown of REST, or
                       * what outage there was */
    int number;       /* the errno of a state, or of RESTART_WATCH_BLIND */
};

#define CONNECTED(ms)                                                                              \
    {                                                                                              \
        STATE, ms, "", BOARD_LOG_CONNECTED, 0                                                      \
    }
#define LOST(ms)                                                                                   \
    {                                                                                              \
        STATE, ms, "the board closed the connection", BOARD_LOG_LOST, 0                            \
    }
#define BACK(ms)                                                                                   \
    {                                                                                              \
        ONLINE, ms, NULL, RESTART_WATCH_BACK, 0                                                    \
    }

/* The connection is lost, or cannot be made, for this errno. */
#define LOST_BY(ms, number)                                                                        \
    {                                                                                              \
        STATE, ms, "trouble", BOARD_LOG_LOST, number                                               \
    }
#define UNREACHABLE(ms, number)                                                                    \
    {                                                                                              \
        STATE, ms, "trouble", BOARD_LOG_UNREACHABLE, number                                        \
    }

struct story {
    const char *title;
    const char *expected[PATTERNS];
    const char *rejected[PATTERNS];
    bool online;
    bool is_old; /* no upload, and so no restart */
    enum {
        VERDICT_CAME,
        NOTHING_SEEN,
        SEEN_GONE,
        SEEN_BACK
    } lost; /* the verdict was lost, and what was seen */
    enum occasion free_at;
    struct step steps[STEPS];
    const char *story;
    enum ota_cause cause; /* of the verdict; 0: any */
};

static void begin_boot_check(const struct log_settings *settings, const struct story *story)
{
    struct boot_check_config config = {.loop = virtual_time_loop(),
                                       .settings = settings,
                                       .source = &wlan,
                                       .restart_us = story && story->is_old ? 0 : 2500 * 1000};

    if (story && story->lost) {
        config.restart_us = BOOT_CHECK_RESTART_UNKNOWN;
        config.is_gone = story->lost == SEEN_GONE;
        config.has_returned = story->lost == SEEN_BACK;
    }
    const struct boot_check_callbacks callbacks = {
        .on_line = on_check_line, .on_note = on_note, .on_verdict = on_verdict, .userdata = &world};
    assert_true(address_parse(&config.address, "10.0.0.7"));
    address_set_port(&config.address, 8266);
    world.check = boot_check_start(&config, &callbacks);
}

static void reset_check_world(void)
{
    world = (struct world){0};
    match_memory_costly_line = COSTLY;
    virtual_time_reset(START_US);
}

static void assert_check_freed(void)
{
    assert_false(world.has_log || world.has_watch || world.has_outage || virtual_time.due_us >= 0);
}

static void pass_time(int ms)
{
    int64_t now_us = START_US + ms * MS;
    if (virtual_time.due_us >= 0 && virtual_time.due_us <= now_us)
        virtual_time_fire();
    virtual_time.now_us = now_us;
}

static void say_in_log(const struct step *step)
{
    const struct line line = {.bytes = (const unsigned char *)step->text,
                              .length = strlen(step->text),
                              .shown = step->kind == REST ? (size_t)step->value : 0,
                              .is_unfinished = step->kind == PIECE};
    assert_true(world.has_log);
    world.log.on_line(&line, world.log.userdata);
}

static void take_check_step(const struct step *step)
{
    pass_time(step->ms);

    if (step->kind == STATE) {
        assert_true(world.has_log);
        world.log.on_state((enum board_log_state)step->value, step->number, step->text,
                           world.log.userdata);
    } else if (step->kind == ONLINE) {
        assert_true(world.has_watch);
        world.on_watch_done(
            &(struct restart_watch_report){.result = (enum restart_watch_result)step->value,
                                           .silent_us = 500 * MS,
                                           .back_us = 3700 * MS,
                                           .reason = step->number},
            world.watch_userdata);
    } else if (step->kind == OUTAGE) {
        world.outages = (unsigned)step->value;
        world.outage_us = virtual_time.now_us;
    } else if (step->kind == BEHIND) {
        world.is_behind = step->value;
    } else if (step->kind != PASS) {
        say_in_log(step);
    }
}

static size_t count_patterns(const char *const *patterns)
{
    size_t count = 0;
    while (count < PATTERNS && patterns[count])
        count++;
    return count;
}

static void play_check_story(const struct story *story)
{
    struct ota_failure failure;
    size_t expected = count_patterns(story->expected), rejected = count_patterns(story->rejected);
    struct log_settings settings = {.monitor_port = 23,
                                    .monitor = !expected && !rejected && !story->online,
                                    .expect_timeout_us = 30 * S,
                                    .online_us = story->online ? 60 * S : 0};

    struct expect *expect = NULL;
    if (expected || rejected)
        assert_int_equal(
            expect_new(&expect, story->expected, expected, story->rejected, rejected, &failure),
            OTA_OK);
    settings.expect = expect;
    reset_check_world();
    world.free_at = story->free_at;
    begin_boot_check(&settings, story);

    assert_non_null(world.check);
    assert_int_equal(world.has_watch, story->online && !story->is_old && story->lost != SEEN_BACK);
    assert_int_equal(world.starts_gone, world.has_watch && story->lost == SEEN_GONE);
    for (const struct step *step = story->steps; step->kind != END; step++)
        take_check_step(step);

    assert_string_equal(world.story, story->story);
    assert_true(world.verdicts <= 1);
    if (story->cause)
        assert_int_equal(world.cause, story->cause);
    boot_check_free(world.check);
    assert_check_freed();
    expect_free(expect);
}

static void play_boot_check(const struct story *stories, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        print_message("  %s\n", stories[i].title);
        play_check_story(&stories[i]);
    }
}

#define IS_CONNECTED "note log connected (TCP port 23)\n"
#define IS_CONNECTED_EARLY "note log connected (TCP port 23), still to the old firmware\n"
#define IS_LOST "note log lost (the board closed the connection); connecting again\n"

#define WAS_LOST "note log lost (trouble); connecting again\n"
#define IS_UNREACHABLE "note no log: trouble; trying again\n"
#define SIGHT_LOST                                                                                 \
    "whether the board has restarted is unknown, as this computer could not watch it all the time"

/* An expression, and a line with more ways to match it than can be tried. */
#define HARD "^(([a-z])+.)+[A-Z]([0-9])+$"
#define EASY "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

/* Lines count only if they are the new firmware's. */
static const struct story which_firmware_stories[] = {
    {.title = "a connection from before the restart proves nothing, however long it lasts",
     .expected = {"ready"},
     .steps = {CONNECTED(200),
               {LINE, 300, "ready", 0, 0},
               {LINE, 2600, "ready", 0, 0},
               {PASS, 30000, NULL, 0, 0}},
     .story = IS_CONNECTED_EARLY
     "line ready\nline ready\n"
     "unproven: in 30 s the log did not say \"ready\"; all lines came from before the restart\n"},
    {.title = "nor does it reject",
     .rejected = {"panic"},
     .steps = {CONNECTED(200),
               {LINE, 300, "panic", 0, 0},
               LOST(900),
               CONNECTED(1500),
               {LINE, 1600, "ready", 0, 0},
               {PASS, 30000, NULL, 0, 0}},
     .story = IS_CONNECTED_EARLY "line panic\n" IS_LOST IS_CONNECTED "line ready\n"
                                 "ok: its log had no rejected line, in 30 s\n"},
    {.title = "once it is lost, the next one is to the new firmware",
     .expected = {"ready"},
     .steps = {CONNECTED(200),
               {LINE, 300, "ready", 0, 0},
               LOST(900),
               CONNECTED(1500),
               {LINE, 1600, "ready", 0, 0}},
     .story = IS_CONNECTED_EARLY "line ready\n" IS_LOST IS_CONNECTED "line ready\n"
                                 "ok: its log said what was expected, after 1.6 s\n"},
    {.title = "so it is when the board was gone in between, or its port was",
     .expected = {"ready"},
     .steps = {{STATE, 300, "no answer", BOARD_LOG_UNREACHABLE, 0},
               CONNECTED(2000),
               {LINE, 2100, "ready", 0, 0}},
     .story = "note no log: no answer; trying again\n" IS_CONNECTED
              "line ready\nok: its log said what was expected, after 2.1 s\n"},
    {.title = "a refusal is as good",
     .expected = {"ready"},
     .steps = {{STATE, 300, "refused", BOARD_LOG_REFUSED, 0},
               CONNECTED(2000),
               {LINE, 2100, "ready", 0, 0}},
     .story = "note no log: refused; its sketch must offer "
              "one, with TelnetStream for instance; trying again\n" IS_CONNECTED
              "line ready\nok: its log said what was expected, after 2.1 s\n"},
    {.title = "being turned away says nothing about a restart",
     .expected = {"ready"},
     .steps = {{STATE, 300, "closed", BOARD_LOG_TURNED_AWAY, 0},
               CONNECTED(2400),
               {LINE, 2450, "ready", 0, 0}},
     .story = "note the board hangs up at once (TCP port 23); perhaps another client reads its "
              "log; trying again\n" IS_CONNECTED_EARLY "line ready\n"},
    {.title = "a connection that is made 2.5 s after the confirmation is to the new firmware",
     .expected = {"ready"},
     .steps = {CONNECTED(2500), {LINE, 2600, "ready", 0, 0}},
     .story = IS_CONNECTED "line ready\nok: its log said what was expected, after 2.6 s\n"},
    {.title = "and one a moment before is not",
     .expected = {"ready"},
     .steps = {CONNECTED(2499), {LINE, 2600, "ready", 0, 0}},
     .story = IS_CONNECTED_EARLY "line ready\n"},
    {.title = "this computer's own loss of the network is no sign of a restart",
     .expected = {"ready"},
     .steps = {CONNECTED(200),
               LOST_BY(5000, ETIMEDOUT),
               UNREACHABLE(5200, ENETUNREACH),
               CONNECTED(9000),
               {LINE, 9100, "ready", 0, 0},
               {PASS, 30000, NULL, 0, 0}},
     .story = IS_CONNECTED_EARLY WAS_LOST IS_UNREACHABLE IS_CONNECTED_EARLY
     "line ready\nunproven: in 30 s the log did not say \"ready\"; " SIGHT_LOST "\n",
     .cause = OTA_CAUSE_RESTART_UNKNOWN},
    {.title = "nor is a silence that follows on it",
     .expected = {"ready"},
     .steps = {CONNECTED(200),
               LOST_BY(5000, ENETDOWN),
               UNREACHABLE(5200, ENETUNREACH),
               UNREACHABLE(7000, EHOSTUNREACH),
               CONNECTED(9000),
               {LINE, 9100, "ready", 0, 0},
               {PASS, 30000, NULL, 0, 0}},
     .story = IS_CONNECTED_EARLY WAS_LOST IS_UNREACHABLE IS_UNREACHABLE IS_CONNECTED_EARLY
     "line ready\nunproven: in 30 s the log did not say \"ready\"; " SIGHT_LOST "\n",
     .cause = OTA_CAUSE_RESTART_UNKNOWN},
    {.title = "but a refusal is one",
     .expected = {"ready"},
     .steps = {CONNECTED(200),
               UNREACHABLE(5200, EMFILE),
               {STATE, 6000, "refused", BOARD_LOG_REFUSED, ECONNREFUSED},
               CONNECTED(9000),
               {LINE, 9100, "ready", 0, 0}},
     .story = IS_CONNECTED_EARLY IS_UNREACHABLE
     "note no log: refused; its sketch must offer one, with TelnetStream for instance; trying "
     "again\n" IS_CONNECTED "line ready\nok: its log said what was expected, after 9.1 s\n"},
    {.title = "so is the loss of a later connection",
     .expected = {"ready"},
     .steps = {CONNECTED(200),
               UNREACHABLE(5200, EPERM),
               CONNECTED(6000),
               LOST_BY(8000, ECONNRESET),
               CONNECTED(9000),
               {LINE, 9100, "ready", 0, 0}},
     .story = IS_CONNECTED_EARLY IS_UNREACHABLE IS_CONNECTED_EARLY WAS_LOST IS_CONNECTED
     "line ready\nok: its log said what was expected, after 9.1 s\n"},
    {.title = "a silence without such trouble is a sign",
     .expected = {"ready"},
     .steps =
         {CONNECTED(200), LOST_BY(1200, ETIMEDOUT), CONNECTED(2000), {LINE, 2100, "ready", 0, 0}},
     .story = IS_CONNECTED_EARLY WAS_LOST IS_CONNECTED
     "line ready\nok: its log said what was expected, after 2.1 s\n"},
    {.title = "trouble after the restart was seen does not matter",
     .expected = {"ready"},
     .steps = {CONNECTED(200),
               LOST(900),
               UNREACHABLE(1100, ENETUNREACH),
               CONNECTED(2000),
               {LINE, 2100, "ready", 0, 0}},
     .story = IS_CONNECTED_EARLY IS_LOST IS_UNREACHABLE IS_CONNECTED
     "line ready\nok: its log said what was expected, after 2.1 s\n"},
    {.title = "nor does trouble before the first connection",
     .expected = {"ready"},
     .steps = {UNREACHABLE(200, ENETUNREACH), CONNECTED(3000), {LINE, 3100, "ready", 0, 0}},
     .story = IS_UNREACHABLE IS_CONNECTED
     "line ready\nok: its log said what was expected, after 3.1 s\n"},
    {.title = "nor is a silence while this computer's link is down and its route stays",
     .expected = {"ready"},
     .steps = {CONNECTED(200),
               {OUTAGE, 3000, NULL, OUTAGE_LINK, 0},
               LOST_BY(5000, ETIMEDOUT),
               UNREACHABLE(5200, EHOSTUNREACH),
               CONNECTED(9000),
               {LINE, 9100, "ready", 0, 0},
               {PASS, 30000, NULL, 0, 0}},
     .story = IS_CONNECTED_EARLY WAS_LOST IS_UNREACHABLE IS_CONNECTED_EARLY
     "line ready\nunproven: in 30 s the log did not say \"ready\"; " SIGHT_LOST "\n",
     .cause = OTA_CAUSE_RESTART_UNKNOWN},
    {.title = "nor is a board that drops a client which was stopped",
     .expected = {"ready"},
     .lost = NOTHING_SEEN,
     .steps = {CONNECTED(200),
               {OUTAGE, 5000, NULL, OUTAGE_STOP, 0},
               LOST_BY(5000, ECONNRESET),
               CONNECTED(5200),
               {LINE, 5300, "ready", 0, 0},
               {PASS, 30000, NULL, 0, 0}},
     .story = IS_CONNECTED_EARLY WAS_LOST IS_CONNECTED_EARLY
     "line ready\nunproven: in 30 s the log did not say \"ready\"; " SIGHT_LOST "\n",
     .cause = OTA_CAUSE_RESTART_UNKNOWN},
    {.title = "but one that refuses a connection then has restarted",
     .expected = {"ready"},
     .steps = {CONNECTED(200),
               {OUTAGE, 5000, NULL, OUTAGE_STOP, 0},
               LOST_BY(5000, ECONNRESET),
               {STATE, 5200, "refused", BOARD_LOG_REFUSED, ECONNREFUSED},
               CONNECTED(6000),
               {LINE, 6100, "ready", 0, 0}},
     .story = IS_CONNECTED_EARLY WAS_LOST
     "note no log: refused; its sketch must offer one, with TelnetStream for instance; trying "
     "again\n" IS_CONNECTED "line ready\nok: its log said what was expected, after 6.1 s\n"},
    {.title = "an outage before the connection is no matter",
     .expected = {"ready"},
     .steps = {{OUTAGE, 100, NULL, OUTAGE_LINK, 0},
               CONNECTED(200),
               LOST(900),
               CONNECTED(1500),
               {LINE, 1600, "ready", 0, 0}},
     .story = IS_CONNECTED_EARLY IS_LOST IS_CONNECTED
     "line ready\nok: its log said what was expected, after 1.6 s\n"},
    {.title = "without an upload there is no restart to wait for",
     .expected = {"ready"},
     .is_old = true,
     .steps = {CONNECTED(100), {LINE, 200, "ready", 0, 0}},
     .story = IS_CONNECTED "line ready\nok: its log said what was expected, after 0.2 s\n"},
    {.title = "nothing is expected: a log without end or verdict",
     .steps = {CONNECTED(100), {LINE, 200, "hello", 0, 0}, LOST(99000), CONNECTED(100000)},
     .story = IS_CONNECTED_EARLY "line hello\n" IS_LOST IS_CONNECTED},
};

static void test_which_firmware(void **state)
{
    (void)state;
    play_boot_check(which_firmware_stories, COUNT(which_firmware_stories));
}

/* The verdicts and their messages. */
static const struct story verdicts_stories[] = {
    {.title = "a log that this computer could not ask for",
     .expected = {"ready"},
     .steps = {UNREACHABLE(100, EMFILE), {PASS, 30000, NULL, 0, 0}},
     .story = IS_UNREACHABLE "internal: in 30 s the log did not say \"ready\"; it was never "
                             "reached: trouble\n"},
    {.title = "a log that its firewall blocks",
     .expected = {"ready"},
     .steps = {UNREACHABLE(100, EPERM), {PASS, 30000, NULL, 0, 0}},
     .story = IS_UNREACHABLE "local: in 30 s the log did not say \"ready\"; it was never "
                             "reached: trouble\n"},
    {.title = "all of several, in any order; the verdict comes once and the log goes on",
     .expected = {"wifi .*up", "mqtt"},
     .rejected = {"panic"},
     .steps = {CONNECTED(3000),
               {LINE, 3100, "mqtt ready", 0, 0},
               {LINE, 4000, "wifi is up", 0, 0},
               {LINE, 4100, "panic", 0, 0},
               {PASS, 31000, NULL, 0, 0},
               LOST(32000)},
     .story = IS_CONNECTED "line mqtt ready\nline wifi is up\n"
                           "ok: its log said what was expected, after 4.0 s\n"
                           "line panic\n" IS_LOST},
    {.title = "what is missing, and the last lines",
     .expected = {"wifi up", "mqtt", "ntp\t"},
     .steps = {CONNECTED(3000),
               {LINE, 3100, "one", 0, 0},
               {LINE, 3200, "mqtt", 0, 0},
               {LINE, 3300, "three", 0, 0},
               {LINE, 3400, "four", 0, 0},
               {LINE, 3500, "fi\x1bve", 0, 0},
               {PASS, 30000, NULL, 0, 0},
               {LINE, 30100, "wifi up ntp\t", 0, 0}},
     .story = IS_CONNECTED "line one\nline mqtt\nline three\nline four\nline fi\x1bve\n"
                           "unproven: in 30 s the log did not say \"wifi up\", \"ntp\\t\"; the "
                           "last lines were \"mqtt\", \"three\", \"four\", \"fi\\x1bve\"\n"
                           "line wifi up ntp\t\n"},
    {.title = "a line that comes in two pieces is one",
     .expected = {"ready"},
     .steps = {CONNECTED(3000),
               {PIECE, 3100, "boot", 0, 0},
               {REST, 3400, "booting", 4, 0},
               {PASS, 30000, NULL, 0, 0}},
     .story = IS_CONNECTED "line boot\nline booting\n"
                           "unproven: in 30 s the log did not say \"ready\"; the last line was "
                           "\"booting\"\n"},
    {.title = "so is the rest of one of which nothing was heard before",
     .expected = {"ready"},
     .steps = {CONNECTED(3000), {REST, 3400, "booting", 4, 0}, {PASS, 30000, NULL, 0, 0}},
     .story = IS_CONNECTED "line booting\n"
                           "unproven: in 30 s the log did not say \"ready\"; the last line was "
                           "\"booting\"\n"},
    {.title = "colors are for eyes",
     .expected = {"^ready$"},
     .rejected = {"[[]"},
     .steps = {CONNECTED(3000), {LINE, 3100, "\x1b[32mready\x1b[0m", 0, 0}},
     .story = IS_CONNECTED "line \x1b[32mready\x1b[0m\n"
                           "ok: its log said what was expected, after 3.1 s\n"},
    {.title = "connected, and silent",
     .expected = {"ready"},
     .steps = {CONNECTED(3000), {PASS, 30000, NULL, 0, 0}},
     .story = IS_CONNECTED "unproven: in 30 s the log did not say \"ready\"; it was connected, "
                           "but no line came\n",
     .cause = OTA_CAUSE_LOG_SILENT},
    {.title = "refused",
     .expected = {"ready"},
     .steps = {{STATE, 3000, "nothing listens", BOARD_LOG_UNREACHABLE, ECONNREFUSED},
               {PASS, 30000, NULL, 0, 0}},
     .story = "note no log: nothing listens; trying again\n"
              "unproven: in 30 s the log did not say \"ready\"; it was never reached: nothing "
              "listens\n",
     .cause = OTA_CAUSE_LOG_REFUSED},
    {.title = "never reached",
     .expected = {"ready"},
     .steps = {{STATE, 3000, "no answer\n", BOARD_LOG_UNREACHABLE, 0}, {PASS, 30000, NULL, 0, 0}},
     .story = "note no log: no answer\\n; trying again\n"
              "unproven: in 30 s the log did not say \"ready\"; it was never reached: no "
              "answer\\n\n"},
    {.title = "never even tried to an end",
     .expected = {"ready"},
     .steps = {{PASS, 30000, NULL, 0, 0}},
     .story = "unproven: in 30 s the log did not say \"ready\"; it was never reached: no "
              "connection was made\n"},
    {.title = "rejected",
     .expected = {"ready"},
     .rejected = {"error", "pa\tnic"},
     .steps = {CONNECTED(3000),
               {LINE, 3100, "a pa\tnic", 0, 0},
               {LINE, 3200, "error", 0, 0},
               {PASS, 30000, NULL, 0, 0}},
     .story = IS_CONNECTED
     "line a pa\tnic\n"
     "unproven: the log said \"a pa\tnic\", which matches --reject \"pa\\tnic\"\nline error\n"},
    {.title = "rejecting goes before expecting",
     .expected = {"ready"},
     .rejected = {"error"},
     .steps = {CONNECTED(3000), {LINE, 3100, "ready with error", 0, 0}},
     .story = IS_CONNECTED "line ready with error\nunproven: the log said \"ready with error\","
                           " which matches --reject \"error\"\n"},
    {.title = "whether it rejects cannot be decided: no success",
     .expected = {"ready"},
     .rejected = {HARD},
     .steps = {CONNECTED(3000), {LINE, 3100, EASY, 0, 0}, {LINE, 3200, "ready", 0, 0}},
     .story = IS_CONNECTED
     "line " EASY "\nunproven: the log said \"" EASY "\", and whether --reject \"" HARD
     "\" matches could not be decided: it can match in too many ways\nline ready\n"},
    {.title = "whether what is expected has come cannot be decided: it is told once",
     .expected = {HARD, "ready"},
     .steps = {CONNECTED(3000),
               {LINE, 3100, EASY, 0, 0},
               {LINE, 3200, EASY, 0, 0},
               {LINE, 3300, "ready", 0, 0},
               {LINE, 3400, EASY "A0", 0, 0}},
     .story = IS_CONNECTED "line " EASY "\nnote whether --expect \"" HARD
                           "\" matches a line could not be decided, as it can match in too many "
                           "ways; it counts as no match\nline " EASY "\nline ready\n"
                           "line " EASY "A0\nok: its log said what was expected, after 3.4 s\n"},
    {.title = "a line could not be matched for lack of memory",
     .expected = {"ready"},
     .steps = {CONNECTED(3000), {LINE, 3100, COSTLY, 0, 0}, {LINE, 3200, "ready", 0, 0}},
     .story = IS_CONNECTED "line " COSTLY "\ninternal: its log could not be compared with "
                           "--expect or --reject: out of memory\nline ready\n"},
    {.title = "only --reject: whatever else comes is a success, at the deadline",
     .rejected = {"panic"},
     .steps = {CONNECTED(3000),
               {LINE, 3100, "ready", 0, 0},
               {PASS, 29999, NULL, 0, 0},
               {LINE, 29999, "still there", 0, 0},
               {PASS, 30000, NULL, 0, 0}},
     .story = IS_CONNECTED "line ready\nline still there\n"
                           "ok: its log had no rejected line, in 30 s\n"},
    {.title = "not read to the end, and a line without an end as yet",
     .expected = {"ready", "^half$"},
     .steps = {CONNECTED(3000),
               {LINE, 3100, "one", 0, 0},
               {PIECE, 3200, "half", 0, 0},
               {BEHIND, 3300, NULL, true, 0},
               {PASS, 30000, NULL, 0, 0}},
     .story = IS_CONNECTED
     "line one\nline half\nunproven: its log was not read to the end in 30 s, as the reader of "
     "this "
     "program's output had paused; so far it did not say \"ready\", \"^half$\"; the last lines "
     "were \"one\", \"half\"\n",
     .cause = OTA_CAUSE_READER_GONE},
    {.title = "only --reject: nor is a log that is not read to the end",
     .rejected = {"panic"},
     .steps = {CONNECTED(3000),
               {LINE, 3100, "one", 0, 0},
               {BEHIND, 3300, NULL, true, 0},
               {PASS, 30000, NULL, 0, 0}},
     .story =
         IS_CONNECTED "line one\nunproven: its log was not read to the end in 30 s, as the "
                      "reader of this program's output had paused; the last line was \"one\"\n",
     .cause = OTA_CAUSE_READER_GONE},
    {.title = "the end of a connection that was not read is no sign of a restart",
     .expected = {"ready"},
     .steps = {CONNECTED(100),
               {BEHIND, 200, NULL, true, 0},
               LOST(1000),
               {BEHIND, 1000, NULL, false, 0},
               CONNECTED(1200),
               {LINE, 1300, "ready", 0, 0},
               LOST(2000),
               CONNECTED(2200),
               {LINE, 2300, "ready", 0, 0}},
     .story =
         IS_CONNECTED_EARLY "note log lost (the board closed the connection); connecting again\n"
                            "note log connected (TCP port 23), still to the old firmware\n"
                            "line ready\n"
                            "note log lost (the board closed the connection); connecting again\n"
                            "note log connected (TCP port 23)\nline ready\n"
                            "ok: its log said what was expected, after 2.3 s\n"},
    {.title = "only --reject: silence is no success",
     .rejected = {"panic"},
     .steps = {CONNECTED(3000), {PASS, 30000, NULL, 0, 0}},
     .story = IS_CONNECTED
     "unproven: in 30 s the log did not say anything; it was connected, but no line came\n"},
    {.title = "only --reject: nor are the words of the old firmware",
     .rejected = {"panic"},
     .steps = {CONNECTED(100), {LINE, 200, "ready", 0, 0}, {PASS, 30000, NULL, 0, 0}},
     .story = IS_CONNECTED_EARLY "line ready\nunproven: in 30 s the log did not say anything; all "
                                 "lines came from before the restart\n"},
};

static void test_verdicts(void **state)
{
    (void)state;
    play_boot_check(verdicts_stories, COUNT(verdicts_stories));
}

#define RETURNED "it went off the network and was back 3.2 s later"

static const struct story online_stories[] = {
    {.title = "back", .online = true, .steps = {BACK(3700)}, .story = "ok: " RETURNED "\n"},
    {.title = "never gone",
     .online = true,
     .steps = {{ONLINE, 10000, NULL, RESTART_WATCH_NEVER_GONE, 0}},
     .story = "unproven: it answered all the time, for 10.0 s: it did not restart, or too "
              "fast to be seen\n"},
    {.title = "nobody has watched for a while",
     .online = true,
     .steps = {{ONLINE, 10000, NULL, RESTART_WATCH_UNSEEN, 0}},
     .story = "unproven: " SIGHT_LOST "\n",
     .cause = OTA_CAUSE_RESTART_UNKNOWN},
    {.title = "still gone",
     .online = true,
     .steps = {{ONLINE, 60000, NULL, RESTART_WATCH_STILL_GONE, 0}},
     .story = "unproven: it went off the network and was not back after 60 s\n"},
    {.title = "without an upload it is not waited for",
     .online = true,
     .is_old = true,
     .steps = {{PASS, 60000, NULL, 0, 0}},
     .story = ""},
    {.title = "both: the board, then its log",
     .online = true,
     .expected = {"ready"},
     .steps = {BACK(3700), CONNECTED(3800), {LINE, 3900, "ready", 0, 0}},
     .story = IS_CONNECTED "line ready\n"
                           "ok: " RETURNED "; its log said what was expected, after 3.9 s\n"},
    {.title = "this computer could not ask",
     .online = true,
     .steps = {{ONLINE, 60000, NULL, RESTART_WATCH_BLIND, EMFILE}},
     .story =
         "internal: whether it restarts is unknown, as this computer could not ask it: Too many "
         "open files\n"},
    {.title = "nor reach its network",
     .online = true,
     .steps = {{ONLINE, 60000, NULL, RESTART_WATCH_BLIND, ENETUNREACH}},
     .story =
         "local: whether it restarts is unknown, as this computer could not ask it: Network is "
         "unreachable\n"},
    {.title = "both: the log, then the board, after the log's deadline",
     .online = true,
     .expected = {"ready"},
     .steps = {LOST(1000),
               CONNECTED(1100),
               {LINE, 1200, "ready", 0, 0},
               {PASS, 30000, NULL, 0, 0},
               BACK(40000)},
     .story = IS_LOST IS_CONNECTED
     "line ready\nok: its log said what was expected, after 1.2 s; " RETURNED "\n"},
    {.title = "both: the log is clean at its deadline, and then the board is back",
     .online = true,
     .rejected = {"panic"},
     .steps =
         {CONNECTED(3800), {LINE, 3900, "ready", 0, 0}, {PASS, 30000, NULL, 0, 0}, BACK(40000)},
     .story = IS_CONNECTED "line ready\nok: its log had no rejected line, in 30 s; " RETURNED "\n"},
    {.title = "both: the board is back, but the log does not say it",
     .online = true,
     .expected = {"ready"},
     .steps = {BACK(3700), CONNECTED(3800), {PASS, 30000, NULL, 0, 0}},
     .story = IS_CONNECTED "unproven: in 30 s the log did not say \"ready\"; it was connected, "
                           "but no line came\n"},
    {.title = "both: the log rejects before the board is back, which is not waited for",
     .online = true,
     .rejected = {"panic"},
     .steps = {CONNECTED(2500), {LINE, 2600, "panic", 0, 0}, {PASS, 60000, NULL, 0, 0}},
     .story = IS_CONNECTED
     "line panic\nunproven: the log said \"panic\", which matches --reject \"panic\"\n"},
    {.title = "both: the board is not back; the log's deadline does not count any more",
     .online = true,
     .expected = {"ready"},
     .steps = {{ONLINE, 10000, NULL, RESTART_WATCH_NEVER_GONE, 0}, {PASS, 60000, NULL, 0, 0}},
     .story = "unproven: it answered all the time, for 10.0 s: it did not restart, or too "
              "fast to be seen\n"},
};

static void test_online(void **state)
{
    (void)state;
    play_boot_check(online_stories, COUNT(online_stories));
}

/* If the board's verdict was lost, its restart is uncertain unless it was seen. */
static const struct story lost_verdict_stories[] = {
    {.title = "the old firmware's log is not the new one's, however late",
     .lost = NOTHING_SEEN,
     .expected = {"ready"},
     .steps = {CONNECTED(200), {LINE, 20000, "ready", 0, 0}, {PASS, 30000, NULL, 0, 0}},
     .story = IS_CONNECTED_EARLY "line ready\nunproven: in 30 s the log did not say \"ready\"; all "
                                 "lines came from before the restart\n"},
    {.title = "unless the board is seen to restart",
     .lost = NOTHING_SEEN,
     .expected = {"ready"},
     .steps = {CONNECTED(200), LOST(900), CONNECTED(1500), {LINE, 1600, "ready", 0, 0}},
     .story = IS_CONNECTED_EARLY IS_LOST IS_CONNECTED
     "line ready\nok: its log said what was expected, after 1.6 s\n"},
    {.title = "or was, so that the first log is the new one's",
     .lost = SEEN_BACK,
     .expected = {"ready"},
     .steps = {CONNECTED(0), {LINE, 1, "ready", 0, 0}},
     .story = IS_CONNECTED "line ready\nok: its log said what was expected, after 0.0 s\n"},
    {.title = "or is away",
     .lost = SEEN_GONE,
     .expected = {"ready"},
     .steps = {CONNECTED(900), {LINE, 1000, "ready", 0, 0}},
     .story = IS_CONNECTED "line ready\nok: its log said what was expected, after 1.0 s\n"},
    {.title = "unless this computer had lost the network",
     .lost = SEEN_GONE,
     .expected = {"ready"},
     .steps = {UNREACHABLE(100, ENETUNREACH),
               CONNECTED(900),
               {LINE, 1000, "ready", 0, 0},
               {PASS, 30000, NULL, 0, 0}},
     .story = IS_UNREACHABLE IS_CONNECTED_EARLY
     "line ready\nunproven: in 30 s the log did not say \"ready\"; all lines came from before the "
     "restart\n"},
    {.title = "that it is back was seen",
     .lost = SEEN_BACK,
     .online = true,
     .steps = {{PASS, 0, NULL, 0, 0}},
     .story = "ok: it was off the network and has restarted\n"},
    {.title = "both: that was seen, and the log says it",
     .lost = SEEN_BACK,
     .online = true,
     .expected = {"ready"},
     .steps = {CONNECTED(100), {LINE, 200, "ready", 0, 0}},
     .story = IS_CONNECTED "line ready\nok: it was off the network and has restarted; its log "
                           "said what was expected, after 0.2 s\n"},
    {.title = "it is away, and comes back",
     .lost = SEEN_GONE,
     .online = true,
     .steps = {BACK(3700)},
     .story = "ok: it was off the network and is back\n"},
};

static void test_check_lost_verdict(void **state)
{
    (void)state;
    play_boot_check(lost_verdict_stories, COUNT(lost_verdict_stories));
}

/* A callback may free the check. After that, no memory is touched and no callback is called. */
static const struct story freed_by_callback_stories[] = {
    {.title = "at a note",
     .expected = {"ready"},
     .free_at = AT_NOTE,
     .steps = {CONNECTED(3000), {PASS, 60000, NULL, 0, 0}},
     .story = IS_CONNECTED},
    {.title = "at a verdict that a line brings",
     .expected = {"ready"},
     .free_at = AT_VERDICT,
     .steps = {CONNECTED(3000), {LINE, 3100, "ready", 0, 0}, {PASS, 60000, NULL, 0, 0}},
     .story = IS_CONNECTED "line ready\nok: its log said what was expected, after 3.1 s\n"},
    {.title = "at a rejection",
     .rejected = {"panic"},
     .free_at = AT_VERDICT,
     .steps = {CONNECTED(3000), {LINE, 3100, "panic", 0, 0}, {PASS, 60000, NULL, 0, 0}},
     .story = IS_CONNECTED
     "line panic\nunproven: the log said \"panic\", which matches --reject \"panic\"\n"},
    {.title = "at the deadline",
     .expected = {"ready"},
     .online = true,
     .free_at = AT_VERDICT,
     .steps = {CONNECTED(3000), {PASS, 30000, NULL, 0, 0}, {PASS, 60000, NULL, 0, 0}},
     .story = IS_CONNECTED "unproven: in 30 s the log did not say \"ready\"; it was connected, "
                           "but no line came\n"},
    {.title = "when the board is back",
     .online = true,
     .free_at = AT_VERDICT,
     .steps = {BACK(3700), {PASS, 60000, NULL, 0, 0}},
     .story = "ok: " RETURNED "\n"},
    {.title = "when it is not",
     .online = true,
     .expected = {"ready"},
     .free_at = AT_VERDICT,
     .steps = {{ONLINE, 20000, NULL, RESTART_WATCH_STILL_GONE, 0}, {PASS, 90000, NULL, 0, 0}},
     .story = "unproven: it went off the network and was not back after 60 s\n"},
};

static void test_freed_by_callback(void **state)
{
    (void)state;
    play_boot_check(freed_by_callback_stories, COUNT(freed_by_callback_stories));
}

/* -- the rest -- */

static void test_wanted(void **state)
{
    (void)state;
    static struct expect *const some = (struct expect *)&world;

    static const struct {
        struct log_settings settings;
        bool is_wanted, is_proof_wanted, goes_on, is_endless;
    } rows[] = {
        {{0}, false, false, false, false},
        {{.monitor = true}, true, false, true, true},
        {{.monitor = true, .monitor_for_us = 60 * S}, true, false, true, false},
        {{.expect = some}, true, true, false, false},
        {{.online_us = 60 * S}, true, true, false, false},
        {{.monitor = true, .expect = some}, true, true, false, false},
        {{.monitor = true, .online_us = 60 * S}, true, true, true, true},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        assert_int_equal(boot_check_is_wanted(&rows[i].settings), rows[i].is_wanted);
        assert_int_equal(boot_check_is_proof_wanted(&rows[i].settings), rows[i].is_proof_wanted);
        assert_int_equal(boot_check_goes_on(&rows[i].settings), rows[i].goes_on);
        assert_int_equal(boot_check_is_endless(&rows[i].settings), rows[i].is_endless);
    }
}

static void test_check_say(void **state)
{
    (void)state;
    const struct log_settings log = {.monitor = true, .monitor_port = 23};
    const struct log_settings no_log = {.online_us = 60 * S};

    reset_check_world();
    begin_boot_check(&log, NULL);
    assert_false(world.keeps_colors);
    assert_true(boot_check_say(world.check, "help", 4));
    world.is_full = true;
    assert_false(boot_check_say(world.check, "again", 5));
    assert_string_equal(world.story, "send help\nsend again\n");
    boot_check_free(world.check);

    reset_check_world();
    begin_boot_check(&no_log, NULL);
    assert_false(boot_check_say(world.check, "help", 4));
    boot_check_free(world.check);
    assert_check_freed();
}

static void test_was_connected(void **state)
{
    (void)state;
    const struct log_settings settings = {.monitor = true, .monitor_port = 23, .raw = true};
    const char *reason;
    int number;

    reset_check_world();
    begin_boot_check(&settings, &(struct story){.is_old = true});
    assert_true(world.keeps_colors);
    assert_false(boot_check_was_connected(world.check, &reason, &number));
    assert_string_equal(reason, "no connection was made");
    take_check_step(&(struct step){STATE, 100, "no answer\x1b", BOARD_LOG_UNREACHABLE, ETIMEDOUT});
    assert_false(boot_check_was_connected(world.check, &reason, &number));
    assert_string_equal(reason, "no answer\\x1b");
    assert_int_equal(number, ETIMEDOUT);
    take_check_step(&(struct step)CONNECTED(200));
    take_check_step(&(struct step)LOST(300));
    assert_true(boot_check_was_connected(world.check, &reason, &number));
    boot_check_free(world.check);
    assert_check_freed();
}

/* A message with long patterns and lines is cut. */
static void test_long_message(void **state)
{
    (void)state;
    static char patterns[EXPECT_MAX][256], text[LINE_SPLITTER_MAX];
    const char *expected[EXPECT_MAX];
    struct ota_failure failure;
    struct log_settings settings = {.monitor_port = 23, .expect_timeout_us = 30 * S};

    for (size_t i = 0; i < EXPECT_MAX; i++) {
        memset(patterns[i], 'a' + (int)(i % 26), sizeof patterns[i] - 1);
        expected[i] = patterns[i];
    }
    memset(text, '\x01', sizeof text - 1);
    struct expect *expect;
    assert_int_equal(expect_new(&expect, expected, EXPECT_MAX, NULL, 0, &failure), OTA_OK);
    settings.expect = expect;
    reset_check_world();
    begin_boot_check(&settings, &(struct story){.is_old = true});
    take_check_step(&(struct step)CONNECTED(100));
    for (int i = 0; i < 5; i++) {
        const struct line line = {.bytes = (const unsigned char *)text, .length = strlen(text)};
        world.log.on_line(&line, world.log.userdata);
    }
    world.story[0] = '\0';
    pass_time(30000);
    assert_int_equal(world.verdicts, 1);
    assert_non_null(strstr(world.story, "unproven: in 30 s the log did not say \"aaaa"));
    assert_non_null(strstr(world.story, "; the last lines were \"\\x01"));
    boot_check_free(world.check);
    expect_free(expect);
    assert_check_freed();
}

/* Everything is freed after a failed allocation, of each kind. */
static void test_check_no_memory(void **state)
{
    (void)state;
    const struct log_settings settings = {.monitor_port = 23,
                                          .expect = (struct expect *)&world,
                                          .expect_timeout_us = 30 * S,
                                          .online_us = 60 * S};

    for (int what = 0; what < 4; what++) {
        reset_check_world();
        world.refuse_memory = what == 0;
        world.refuse_watch = what == 1;
        world.refuse_log = what == 2;

        begin_boot_check(&settings, NULL);
        assert_int_equal(world.check != NULL, what == 3);
        world.refuse_memory = false;
        boot_check_free(world.check);
        assert_check_freed();
        assert_string_equal(world.story, "");
    }
    boot_check_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_which_firmware),     cmocka_unit_test(test_verdicts),
        cmocka_unit_test(test_check_lost_verdict), cmocka_unit_test(test_online),
        cmocka_unit_test(test_freed_by_callback),  cmocka_unit_test(test_wanted),
        cmocka_unit_test(test_check_say),          cmocka_unit_test(test_was_connected),
        cmocka_unit_test(test_long_message),       cmocka_unit_test(test_check_no_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
