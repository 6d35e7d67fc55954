/*
 * test-fleet.c: many boards: the order of starts, the totals, one prompt for the password. The jobs
 * are the test's (--wrap); what the fleet does with them is written down as a story.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/error.h"
#include "base/loop.h"
#include "base/text.h"
#include "boardlog/expect.h"
#include "fleet/fleet.h"
#include "secrets/encryption_key.h"
#include "secrets/prompt.h"
#include "support/capture.h"
#include "support/story.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BOARDS_MAX = 64, IMAGE_SIZE = 1000 };

struct job {
    struct job_callbacks callbacks;
    const struct assignment *assignment;
    const char *password; /* the fleet's */
    char was_given[16];   /* what it was then */
    bool has_given_md5;
};

static struct world {
    struct loop_timer *timer;
    struct fleet_settings settings; /* which a fleet keeps a pointer to */
    struct log_settings log;
    enum ota_cause cause; /* of the last result */
    bool is_due;
    bool refuse_jobs, refuse_prompt;
    int prompt_reason;            /* an errno */
    bool refuse_copies;           /* of secrets */
    struct job *jobs[BOARDS_MAX]; /* by the number in the board's name */
    prompt_done_fn *on_typed;
    void *prompt_userdata;
    bool has_prompt;
    unsigned done;
    struct ota_totals totals; /* as last told */
    char story[4096];
    char left[2 * ADDRESS_TEXT_MAX]; /* of the addresses that were claimed last */
} world;

static const struct upload_protocol no_protocol = {.name = "none"};
static struct assignment assignments[BOARDS_MAX];
static const struct image image = {.size = IMAGE_SIZE};

void __wrap_loop_timer_init(struct loop_timer *timer, struct loop *loop, loop_timer_fn *on_due,
                            void *userdata);
void __wrap_loop_timer_start(struct loop_timer *timer, int64_t delay_us);
void __wrap_loop_timer_stop(struct loop_timer *timer);
struct job *__wrap_job_new(const struct job_config *config, const struct job_callbacks *callbacks,
                           struct ota_failure *failure);
void __wrap_job_start(struct job *job);
void __wrap_job_set_password(struct job *job, const char *password);
void __wrap_job_withhold_password(struct job *job);
void __wrap_job_require_auth(struct job *job, enum auth_scheme least);
bool __wrap_job_has_given_md5(const struct job *job);
void __wrap_job_park(struct job *job);
void __wrap_job_describe(const struct job *job, struct ota_standing *standing);
void __wrap_job_interrupt(struct job *job, int signal_number);
void __wrap_job_end_log(struct job *job, bool is_time_over, int signal_number);
void __wrap_job_free(struct job *job);
struct prompt *__wrap_prompt_start(struct loop *loop, const char *text, int64_t timeout_us,
                                   prompt_done_fn *done, void *userdata);
void __wrap_prompt_free(struct prompt *prompt);
char *__real_secret_copy(const char *text);
char *__wrap_secret_copy(const char *text);

#define tell(...) story_append(world.story, sizeof world.story, __VA_ARGS__)

/* What has been told since the last call. */
static const char *told(void)
{
    static char story[sizeof world.story];
    memcpy(story, world.story, sizeof story);
    world.story[0] = '\0';
    return story;
}

/* The queue of work has a timer, too, which nobody uses here. */
void __wrap_loop_timer_init(struct loop_timer *timer, struct loop *loop, loop_timer_fn *on_due,
                            void *userdata)
{
    assert_ptr_equal(loop, &world);
    *timer = (struct loop_timer){.on_due = on_due, .userdata = userdata};
    world.timer = timer;
}

void __wrap_loop_timer_start(struct loop_timer *timer, int64_t delay_us)
{
    assert_int_equal(delay_us, 0);
    world.timer = timer;
    world.is_due = true;
}

void __wrap_loop_timer_stop(struct loop_timer *timer)
{
    if (timer == world.timer)
        world.is_due = false;
}

static void turn_fleet(void)
{
    for (int turns = 0; world.is_due; turns++) {
        assert_in_range(turns, 0, 1000);
        world.is_due = false;
        world.timer->on_due(world.timer->userdata);
    }
}

static int number_of(const struct job *job)
{
    return (int)strtol(job->assignment->target.name, NULL, 10);
}

struct job *__wrap_job_new(const struct job_config *config, const struct job_callbacks *callbacks,
                           struct ota_failure *failure)
{
    if (world.refuse_jobs) {
        ota_fail_no_memory(failure);
        return NULL;
    }
    struct job *job = calloc(1, sizeof *job);
    assert_non_null(job);
    job->callbacks = *callbacks;
    job->assignment = config->assignment;
    assert_null(world.jobs[number_of(job)]);
    world.jobs[number_of(job)] = job;
    return job;
}

void __wrap_job_start(struct job *job)
{
    tell("+%d ", number_of(job));
}

void __wrap_job_set_password(struct job *job, const char *password)
{
    job->password = password;
    snprintf(job->was_given, sizeof job->was_given, "%s", password ? password : "");
    tell("%d:%s ", number_of(job), password ? password : "none");
}

void __wrap_job_withhold_password(struct job *job)
{
    job->password = NULL;
    tell("%d:withheld ", number_of(job));
}

void __wrap_job_describe(const struct job *job, struct ota_standing *standing)
{
    *standing = (struct ota_standing){.board = job->assignment->target.name};
}

void __wrap_job_require_auth(struct job *job, enum auth_scheme least)
{
    if (least == AUTH_SHA256)
        tell("%d:sha256 ", number_of(job));
}

bool __wrap_job_has_given_md5(const struct job *job)
{
    return job->has_given_md5;
}

void __wrap_job_park(struct job *job)
{
    tell("%d~ ", number_of(job));
}

static void emit(const struct job *job, enum ota_event_type type, size_t bytes,
                 const struct ota_failure *failure, int signal_number)
{
    const struct ota_event event = {
        .type = type,
        .board = job->assignment->target.name,
        .image = &image,
        .bytes = bytes,
        .total = image.size,
        .failure = failure,
        .exit_status = failure ? ota_error_exit_status(failure->error, signal_number) : 0};
    job->callbacks.on_event(&event, job->callbacks.userdata);
}

void __wrap_job_interrupt(struct job *job, int signal_number)
{
    emit(job, OTA_EVENT_RESULT, 0, &(struct ota_failure){.error = OTA_E_INTERRUPTED},
         signal_number);
}

void __wrap_job_end_log(struct job *job, bool is_time_over, int signal_number)
{
    const enum ota_error error = signal_number  ? OTA_E_INTERRUPTED
                                 : is_time_over ? OTA_E_UNPROVEN
                                                : OTA_OK;

    emit(job, OTA_EVENT_RESULT, 0, &(struct ota_failure){.error = error}, signal_number);
}

void __wrap_job_free(struct job *job)
{
    if (!job)
        return;
    if (job->password)
        assert_string_equal(job->password, job->was_given); /* it may be needed up to the end */
    world.jobs[number_of(job)] = NULL;
    free(job);
}

char *__wrap_secret_copy(const char *text)
{
    return world.refuse_copies ? NULL : __real_secret_copy(text);
}

struct prompt *__wrap_prompt_start(struct loop *loop, const char *text, int64_t timeout_us,
                                   prompt_done_fn *done, void *userdata)
{
    assert_ptr_equal(loop, &world);
    assert_true(timeout_us > 0 && timeout_us < INT64_C(120000000));
    tell("prompt '%s' ", text);
    if (world.refuse_prompt) {
        errno = world.prompt_reason;
        return NULL;
    }
    world.has_prompt = true;
    world.on_typed = done;
    world.prompt_userdata = userdata;
    return (struct prompt *)&world.has_prompt;
}

void __wrap_prompt_free(struct prompt *prompt)
{
    if (prompt)
        world.has_prompt = false;
}

static void on_fleet_event(const struct ota_event *event, void *userdata)
{
    assert_ptr_equal(userdata, &world);
    world.totals = *event->totals;
    if (event->type == OTA_EVENT_SKIPPED)
        assert_string_equal(event->protocol, "none");
    if (event->type == OTA_EVENT_RESULT)
        world.cause = event->failure->cause;
    if (event->type == OTA_EVENT_RESULT)
        tell("%s=%d ", event->board, event->exit_status);
    if (event->type == OTA_EVENT_SKIPPED)
        tell("%s!%s ", event->board, event->message);
}

static void on_fleet_done(void *userdata)
{
    assert_ptr_equal(userdata, &world);
    world.done++;
    tell("done ");
}

static void assign(size_t count)
{
    assert_in_range(count, 1, BOARDS_MAX);
    for (size_t i = 0; i < count; i++) {
        assignments[i] = (struct assignment){
            .target.kind = TARGET_LABEL, .protocol = &no_protocol, .image = &image};
        snprintf(assignments[i].target.name, sizeof assignments[i].target.name, "%zu", i);
    }
}

/* What the report of an earlier run tells. another may be NULL. */
static void remember(struct assignment *assignment, const char *address, const char *another)
{
    struct address *addresses = assignment->confirmed_addresses;

    assert_true(address_parse(&assignment->confirmed_address, address));
    assert_true(address_parse(&addresses[0], address));
    if (another)
        assert_true(address_parse(&addresses[1], another));
    assignment->confirmed_address_count = another ? 2 : 1;
}

static struct fleet *start_assigned(const struct fleet_settings *settings, size_t count)
{
    bool refuse_jobs = world.refuse_jobs;

    world = (struct world){.settings = *settings, .refuse_jobs = refuse_jobs};
    const struct fleet_config config = {.loop = (struct loop *)&world,
                                        .settings = &world.settings,
                                        .log = &world.log,
                                        .assignments = assignments,
                                        .count = count,
                                        .on_event = on_fleet_event,
                                        .event_userdata = &world,
                                        .on_done = on_fleet_done,
                                        .done_userdata = &world};
    struct fleet *fleet = fleet_start(&config);
    assert_string_equal(world.story, ""); /* everything comes from the loop */
    if (fleet)
        turn_fleet();
    return fleet;
}

static struct fleet *start_fleet(const struct fleet_settings *settings, size_t count)
{
    assign(count);
    return start_assigned(settings, count);
}

static void end_fleet(int number, enum ota_error error)
{
    struct job *job = world.jobs[number];
    assert_non_null(job);
    emit(job, OTA_EVENT_RESULT, error == OTA_OK ? IMAGE_SIZE : 0,
         &(struct ota_failure){.error = error}, 0);
    job->callbacks.on_done(job->callbacks.userdata);
    turn_fleet();
}

static void rest(int number)
{
    world.jobs[number]->callbacks.on_rest(world.jobs[number]->callbacks.userdata);
    turn_fleet();
}

static void wake(int number)
{
    world.jobs[number]->callbacks.on_ready(world.jobs[number]->callbacks.userdata);
    turn_fleet();
}

static void let_job_ask(int number)
{
    world.jobs[number]->callbacks.on_password(world.jobs[number]->callbacks.userdata);
}

static void type_password(const char *password)
{
    assert_true(world.has_prompt);
    world.on_typed(password, world.prompt_userdata);
    turn_fleet();
}

static void take_it(int number)
{
    emit(world.jobs[number], OTA_EVENT_AUTHENTICATED, 0, NULL, 0);
    turn_fleet();
}

/* Whether the board is to ask again. */
static bool reject_password(int number)
{
    struct job *job = world.jobs[number];
    job->password = NULL;
    bool asks_again = job->callbacks.on_rejected(job->callbacks.userdata);
    if (asks_again)
        let_job_ask(number);
    turn_fleet();
    return asks_again;
}

/* Claims these addresses for a board; another is NULL if there is only one, host "" if unknown. */
static enum job_claim claim_as(int number, const char *host, const char *address,
                               const char *another, uint16_t port)
{
    struct endpoints endpoints = {
        .address_count = 1, .port_count = 1, .ports = {{.number = port, .source = "given"}}};
    assert_true(address_parse(&endpoints.addresses[0], address));
    if (another)
        assert_true(address_parse(&endpoints.addresses[endpoints.address_count++], another));
    const enum job_claim claim = world.jobs[number]->callbacks.on_endpoints(
        &endpoints, host, world.jobs[number]->callbacks.userdata);

    world.left[0] = '\0';
    for (size_t i = 0; i < endpoints.address_count; i++) {
        char text[ADDRESS_TEXT_MAX];
        size_t length = strlen(world.left);

        snprintf(world.left + length, sizeof world.left - length, "%s ",
                 address_text(text, &endpoints.addresses[i]));
    }
    return claim;
}

static enum job_claim claim_both(int number, const char *address, const char *another,
                                 uint16_t port)
{
    return claim_as(number, "", address, another, port);
}

static bool claim(int number, const char *address, uint16_t port)
{
    return claim_both(number, address, NULL, port) == JOB_CLAIM_GRANTED;
}

static void find(int number, size_t endpoint)
{
    world.jobs[number]->callbacks.on_found(endpoint, world.jobs[number]->callbacks.userdata);
}

static void finish(struct fleet *fleet, enum ota_error outcome, int exit_status)
{
    int status;
    assert_int_equal(fleet_outcome(fleet, &status), outcome);
    assert_int_equal(status, exit_status);
    fleet_free(fleet);
    assert_false(world.has_prompt);
    for (int i = 0; i < BOARDS_MAX; i++)
        assert_null(world.jobs[i]);
}

static void test_one(void **state)
{
    (void)state;
    struct fleet *fleet = start_fleet(&(struct fleet_settings){.jobs = 16}, 1);
    assert_string_equal(told(), "+0 ");
    end_fleet(0, OTA_E_REFUSED);
    assert_string_equal(told(), "0=7 done ");
    assert_int_equal(world.totals.failed, 1);
    assert_int_equal(world.totals.running, 0);
    finish(fleet, OTA_E_REFUSED, 7);
}

/* A board that takes its image uncompressed only is to get more bytes than was thought. */
static void test_larger_image(void **state)
{
    (void)state;
    struct fleet *fleet = start_fleet(&(struct fleet_settings){.jobs = 2}, 2);
    const struct job *job = world.jobs[0];

    job->callbacks.on_event(&(struct ota_event){.type = OTA_EVENT_PROGRESS,
                                                .board = job->assignment->target.name,
                                                .image = &image,
                                                .bytes = 1,
                                                .total = IMAGE_SIZE + 500},
                            job->callbacks.userdata);
    assert_int_equal(world.totals.total, 2 * IMAGE_SIZE + 500);
    assert_int_equal(world.totals.bytes, 1);
    end_fleet(0, OTA_OK);
    assert_int_equal(world.totals.total, 2 * IMAGE_SIZE);
    end_fleet(1, OTA_OK);
    finish(fleet, OTA_OK, 0);
}

/* As many at a time as -j says; the next one starts when a place becomes free. */
static void test_window(void **state)
{
    (void)state;
    struct fleet *fleet = start_fleet(&(struct fleet_settings){.jobs = 2}, 4);

    assert_string_equal(told(), "+0 +1 ");
    end_fleet(1, OTA_OK);
    assert_string_equal(told(), "1=0 +2 ");
    assert_int_equal(world.totals.boards, 4);
    assert_int_equal(world.totals.total, 4 * IMAGE_SIZE);
    assert_int_equal(world.totals.bytes, IMAGE_SIZE);
    end_fleet(0, OTA_OK);
    end_fleet(2, OTA_OK);
    assert_string_equal(told(), "0=0 +3 2=0 ");
    end_fleet(3, OTA_OK);
    assert_string_equal(told(), "3=0 done ");
    assert_int_equal(world.totals.confirmed, 4);
    assert_int_equal(world.totals.bytes, 4 * IMAGE_SIZE);
    finish(fleet, OTA_OK, 0);
}

/* Many places, many boards: all start, but not in one turn of the loop. */
static void test_many_starts(void **state)
{
    (void)state;
    struct fleet *fleet = start_fleet(&(struct fleet_settings){.jobs = BOARDS_MAX}, BOARDS_MAX);
    assert_string_equal(strrchr(world.story, '+'), "+63 ");
    for (int i = 0; i < BOARDS_MAX; i++)
        end_fleet(i, OTA_OK);
    assert_int_equal(world.done, 1);
    finish(fleet, OTA_OK, 0);
}

/* A board that rests between two attempts makes room, and those not tried yet go first. */
static void test_rest(void **state)
{
    (void)state;
    struct fleet *fleet = start_fleet(&(struct fleet_settings){.jobs = 1}, 3);

    rest(0);
    assert_string_equal(told(), "+0 +1 ");
    wake(0);
    rest(1);
    assert_string_equal(told(), "+2 ");
    end_fleet(2, OTA_OK);
    assert_string_equal(told(), "2=0 +0 ");
    wake(1);
    end_fleet(0, OTA_OK);
    end_fleet(1, OTA_OK);
    assert_string_equal(told(), "0=0 +1 1=0 done ");
    finish(fleet, OTA_OK, 0);
}

/* A board's deadline comes while it rests, and while it queues for a place: it is not started
 * again. */
static void test_ends_without_a_place(void **state)
{
    (void)state;
    struct fleet *fleet = start_fleet(&(struct fleet_settings){.jobs = 1}, 4);

    rest(0);
    rest(1);
    rest(2);
    assert_string_equal(told(), "+0 +1 +2 +3 ");
    wake(0);
    wake(1);
    wake(2);
    end_fleet(0, OTA_E_DEADLINE);
    end_fleet(2, OTA_E_DEADLINE);
    assert_string_equal(told(), "0=9 2=9 ");
    end_fleet(3, OTA_OK);
    assert_string_equal(told(), "3=0 +1 ");
    end_fleet(1, OTA_E_DEADLINE);
    assert_string_equal(told(), "1=9 done ");
    finish(fleet, OTA_E_DEADLINE, 9);
}

static void test_canaries(void **state)
{
    (void)state;
    const struct fleet_settings settings = {.jobs = 16, .canaries = 2};
    struct fleet *fleet = start_fleet(&settings, 4);
    assert_string_equal(told(), "+0 +1 ");
    rest(0);
    end_fleet(1, OTA_OK);
    assert_string_equal(told(), "1=0 ");
    wake(0);
    end_fleet(0, OTA_OK);
    assert_string_equal(told(), "+0 0=0 +2 +3 ");
    end_fleet(2, OTA_E_BOARD); /* no canary */
    end_fleet(3, OTA_OK);
    assert_string_equal(told(), "2=10 3=0 done ");
    finish(fleet, OTA_E_BOARD, 10);

    fleet = start_fleet(&settings, 4);
    end_fleet(1, OTA_E_UNKNOWN);
    assert_string_equal(told(), "+0 +1 1=11 2!not tried, as a canary has failed "
                                "3!not tried, as a canary has failed ");
    end_fleet(0, OTA_OK);
    assert_string_equal(told(), "0=0 done ");
    assert_int_equal(world.totals.skipped, 2);
    assert_int_equal(world.totals.total, 2 * IMAGE_SIZE);
    finish(fleet, OTA_E_UNKNOWN, 11);

    fleet =
        start_fleet(&(struct fleet_settings){.jobs = 16, .canaries = 9}, 2); /* more than boards */
    end_fleet(0, OTA_OK);
    end_fleet(1, OTA_OK);
    assert_string_equal(told(), "+0 +1 0=0 1=0 done ");
    finish(fleet, OTA_OK, 0);
}

static void test_max_failures(void **state)
{
    (void)state;
    struct fleet *fleet = start_fleet(&(struct fleet_settings){.jobs = 2, .failures_max = 2}, 5);

    end_fleet(0, OTA_E_LOST);
    end_fleet(1, OTA_OK);
    assert_string_equal(told(), "+0 +1 0=9 +2 1=0 +3 ");
    end_fleet(2, OTA_E_REFUSED);
    assert_string_equal(told(), "2=7 4!not tried, as too many others have failed ");
    end_fleet(3, OTA_OK); /* those that run may finish */
    assert_string_equal(told(), "3=0 done ");
    finish(fleet, OTA_E_MIXED, 20);
}

/* Two names of one board. */
static void test_duplicates(void **state)
{
    (void)state;
    struct fleet *fleet = start_fleet(&(struct fleet_settings){.jobs = 16}, 4);

    assert_true(claim(0, "10.0.0.7", 8266));
    assert_true(claim(0, "10.0.0.7", 8266)); /* its second attempt */
    assert_true(claim(1, "10.0.0.7", 8267));
    assert_true(claim(2, "10.0.0.8", 8266));
    told();
    assert_false(claim(3, "10.0.0.7", 8266));
    world.jobs[3]->callbacks.on_done(world.jobs[3]->callbacks.userdata);
    assert_string_equal(told(), "3!is the same board as 0 ");
    for (int i = 0; i < 3; i++)
        end_fleet(i, OTA_OK);
    assert_string_equal(told(), "0=0 1=0 2=0 done ");
    assert_int_equal(world.totals.skipped, 1);
    finish(fleet, OTA_OK, 0);
}

/* A board whose name has another board's address, too: the other one is left out only if the first
 * is at that address. */
static void test_borrowed_addresses(void **state)
{
    (void)state;
    static const char *const mine = "10.0.0.7", *const others = "10.0.0.8";
    struct fleet *fleet = start_fleet(&(struct fleet_settings){.jobs = 16}, 3);

    assert_int_equal(claim_both(0, mine, others, 8266), JOB_CLAIM_GRANTED);
    assert_int_equal(claim_both(1, others, NULL, 8266), JOB_CLAIM_UNDECIDED);
    assert_int_equal(claim_both(2, others, "10.0.0.9", 8266), JOB_CLAIM_UNDECIDED);
    find(0, 0);
    assert_int_equal(claim_both(1, others, NULL, 8266), JOB_CLAIM_GRANTED);
    end_fleet(0, OTA_OK);
    told();

    /* The other one can be nowhere else, but this one can. */
    assert_int_equal(claim_both(2, others, "10.0.0.9", 8266), JOB_CLAIM_UNDECIDED);
    find(1, 0);
    end_fleet(1, OTA_OK);
    assert_int_equal(claim_both(2, others, "10.0.0.9", 8266), JOB_CLAIM_GRANTED);
    assert_string_equal(world.left, "10.0.0.9 ");
    end_fleet(2, OTA_OK);
    finish(fleet, OTA_OK, 0);

    fleet = start_fleet(&(struct fleet_settings){.jobs = 16}, 2);
    assert_int_equal(claim_both(0, mine, others, 8266), JOB_CLAIM_GRANTED);
    find(0, 1);
    find(0, 0); /* as the only one that is left */
    told();
    assert_int_equal(claim_both(1, others, NULL, 8266), JOB_CLAIM_DENIED);
    world.jobs[1]->callbacks.on_done(world.jobs[1]->callbacks.userdata);
    assert_string_equal(told(), "1!is the same board as 0 ");
    end_fleet(0, OTA_OK);
    finish(fleet, OTA_OK, 0);

    /* The first one was found nowhere, or has not been yet. */
    for (int is_over = 0; is_over < 2; is_over++) {
        fleet = start_fleet(&(struct fleet_settings){.jobs = 16}, 2);
        assert_int_equal(claim_both(0, mine, others, 8266), JOB_CLAIM_GRANTED);
        if (is_over)
            end_fleet(0, OTA_E_NO_ANSWER);
        else
            rest(0);
        assert_int_equal(claim_both(1, others, NULL, 8266), JOB_CLAIM_GRANTED);
        fleet_free(fleet);
    }
}

/* Another board gets the address of one that is done, or waits for its next attempt. */
static void test_address_changes_owner(void **state)
{
    (void)state;
#define SAME "1!is the same board as 0 "
    static const char *const address = "10.0.0.7";
    static const struct image other_image = {.size = IMAGE_SIZE};
    static const struct {
        const char *first, *second;                /* hosts */
        bool is_early, has_ended, has_other_image; /* early: claimed while the first one runs */
        enum job_claim claim;
        const char *story;
        int exit_status;
    } rows[] = {
        {"a.local", "b.local", false, true, false, JOB_CLAIM_GRANTED, "", 0},
        {"a.local", "b.local", false, false, false, JOB_CLAIM_GRANTED, "", 0},
        {"a.local", "b.local", false, true, true, JOB_CLAIM_DENIED, "1=4 ", 4},
        /* Both had it at the same time: nobody has handed it on. */
        {"a.local", "b.local", true, true, false, JOB_CLAIM_DENIED, SAME, 0},
        {"a.local", "b.local", true, false, false, JOB_CLAIM_GRANTED, "", 0},
        {"a.local", "b.local", true, false, true, JOB_CLAIM_GRANTED, "", 0},
        {"a.local", "b.local", true, true, true, JOB_CLAIM_DENIED, "1=4 ", 4},
        {"a.local", "A.local", false, true, false, JOB_CLAIM_DENIED, SAME, 0},
        {"a.local", "a.local", false, true, true, JOB_CLAIM_DENIED, "1=2 ", 2},
        {"a.local", "", false, true, false, JOB_CLAIM_DENIED, SAME, 0},
        {"", "b.local", false, true, false, JOB_CLAIM_DENIED, SAME, 0},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct fleet *fleet = start_fleet(&(struct fleet_settings){.jobs = 2}, 2);

        if (rows[i].has_other_image)
            assignments[1].image = &other_image;
        assert_int_equal(claim_as(0, rows[i].first, address, NULL, 8266), JOB_CLAIM_GRANTED);
        find(0, 0);
        if (rows[i].is_early)
            assert_int_equal(claim_as(1, "b.local", address, NULL, 8266), JOB_CLAIM_UNDECIDED);
        if (rows[i].has_ended)
            end_fleet(0, OTA_OK);
        else
            rest(0);
        told();

        assert_int_equal(claim_as(1, rows[i].second, address, NULL, 8266), rows[i].claim);
        assert_string_equal(told(), rows[i].story);
        if (rows[i].claim == JOB_CLAIM_DENIED)
            world.jobs[1]->callbacks.on_done(world.jobs[1]->callbacks.userdata);
        else
            end_fleet(1, OTA_OK);
        if (!rows[i].has_ended)
            end_fleet(0, OTA_OK);
        finish(fleet,
               rows[i].exit_status == 4   ? OTA_E_AMBIGUOUS
               : rows[i].exit_status == 2 ? OTA_E_USAGE
                                          : OTA_OK,
               rows[i].exit_status);
    }
}

/* Boards that were chosen from a list, one after the other: the second is known since then. */
static void test_announced_together(void **state)
{
    static const struct {
        const char *first, *second; /* their addresses in the list; NULL: none */
        enum ota_error error;       /* the first one's result */
        enum job_claim claim;
        bool differs;
    } rows[] = {
        {"10.0.0.7", "10.0.0.7", OTA_OK, JOB_CLAIM_DENIED, false},
        {"10.0.0.7", "10.0.0.7", OTA_OK, JOB_CLAIM_GRANTED, true},
        {"10.0.0.7", "10.0.0.7", OTA_E_NO_ANSWER, JOB_CLAIM_GRANTED, false},
        {"10.0.0.7", "10.0.0.8", OTA_OK, JOB_CLAIM_GRANTED, false},
        {"10.0.0.8", "10.0.0.8", OTA_OK, JOB_CLAIM_GRANTED, false}, /* both have moved since */
        {"10.0.0.7", NULL, OTA_OK, JOB_CLAIM_GRANTED, false},
        {NULL, "10.0.0.7", OTA_OK, JOB_CLAIM_GRANTED, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct fleet *fleet = start_fleet(&(struct fleet_settings){.jobs = 2}, 2);

        if (rows[i].first)
            assert_true(address_parse(&assignments[0].target.announced, rows[i].first));
        if (rows[i].second)
            assert_true(address_parse(&assignments[1].target.announced, rows[i].second));
        if (rows[i].differs)
            assignments[1].password = "kwert";
        assert_int_equal(claim_as(0, "a.local", "10.0.0.7", NULL, 8266), JOB_CLAIM_GRANTED);
        find(0, 0);
        end_fleet(0, rows[i].error);
        told();
        assert_int_equal(claim_as(1, "b.local", "10.0.0.7", NULL, 8266), rows[i].claim);
        assert_string_equal(told(), rows[i].claim == JOB_CLAIM_DENIED ? SAME : "");
        fleet_free(fleet);
    }
}

/* Another name that has some of a board's addresses, but not the same ones, may be that board's, or
 * that of a board which would get nothing. */
static void test_addresses_shared_in_part(void **state)
{
    static const char *const x = "10.0.0.7", *const y = "10.0.0.8", *const z = "10.0.0.9";
    static const struct image other_image = {.size = IMAGE_SIZE};
    enum { LATER, EARLY, LISTED }; /* early: claimed while the first one runs */
    const struct {
        const char *first[2], *second[2];
        size_t found; /* the first one, at this of its addresses */
        int when;
        enum ota_error error; /* the first one's result */
        const char *left;     /* of the second one's addresses; NULL: the claim is denied */
        const char *story;
        bool has_other_image, has_password;
    } rows[] = {
        {{x, NULL}, {x, y}, 0, EARLY, OTA_OK, "10.0.0.8 ", "", false, false},
        {{x, NULL}, {x, y}, 0, LISTED, OTA_OK, "10.0.0.8 ", "", false, false},
        {{x, NULL}, {x, y}, 0, LATER, OTA_OK, "10.0.0.8 ", "", false, false},
        {{x, NULL}, {y, x}, 0, EARLY, OTA_OK, "10.0.0.8 ", "", false, false},
        {{x, NULL}, {x, y}, 0, EARLY, OTA_OK, "10.0.0.8 ", "", false, true},
        {{x, NULL}, {x, y}, 0, EARLY, OTA_OK, NULL, "1=4 ", true, false},
        {{x, NULL}, {x, y}, 0, EARLY, OTA_E_NO_ANSWER, "10.0.0.7 10.0.0.8 ", "", false, false},
        {{x, z}, {x, y}, 0, EARLY, OTA_OK, "10.0.0.8 ", "", false, false},
        {{x, z}, {z, y}, 0, LATER, OTA_OK, "10.0.0.9 10.0.0.8 ", "", false, false},
        /* The same ones. */
        {{x, y}, {x, y}, 0, EARLY, OTA_OK, NULL, SAME, false, false},
        {{x, y}, {y, x}, 1, EARLY, OTA_OK, NULL, SAME, false, false},
        {{x, y}, {x, y}, 0, LISTED, OTA_OK, NULL, SAME, false, false},
        {{x, y}, {x, y}, 0, LATER, OTA_OK, "10.0.0.7 10.0.0.8 ", "", false, false},
        {{x, y}, {x, y}, 0, EARLY, OTA_OK, "10.0.0.7 10.0.0.8 ", "", false, true},
        /* The first one may have been found at the other one's only address. */
        {{x, y}, {x, NULL}, 0, EARLY, OTA_OK, NULL, "1=4 ", false, false},
        {{x, y}, {x, NULL}, 0, LISTED, OTA_OK, NULL, "1=4 ", false, false},
        {{x, y}, {x, NULL}, 0, LATER, OTA_OK, NULL, "1=4 ", false, false},
        {{x, y}, {x, NULL}, 0, EARLY, OTA_OK, NULL, "1=4 ", false, true},
        {{x, y}, {x, NULL}, 1, LATER, OTA_OK, "10.0.0.7 ", "", false, false},
        /* Or it has failed there. */
        {{x, NULL}, {x, y}, 0, EARLY, OTA_E_BOARD, "10.0.0.8 ", "", false, false},
        {{x, NULL}, {x, y}, 0, LATER, OTA_E_UNKNOWN, "10.0.0.8 ", "", true, false},
        {{x, y}, {x, NULL}, 0, LATER, OTA_E_BOARD, NULL, "1=4 ", false, false},
        {{x, y}, {x, y}, 0, EARLY, OTA_E_BOARD, "10.0.0.7 10.0.0.8 ", "", false, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct fleet *fleet = start_fleet(&(struct fleet_settings){.jobs = 2}, 2);

        for (int k = 0; k < 2 && rows[i].when == LISTED; k++)
            assert_true(address_parse(&assignments[k].target.announced, x));
        if (rows[i].has_other_image)
            assignments[1].image = &other_image;
        if (rows[i].has_password)
            assignments[1].password = "kwert";
        assert_int_equal(claim_as(0, "a.local", rows[i].first[0], rows[i].first[1], 8266),
                         JOB_CLAIM_GRANTED);
        if (rows[i].when == EARLY)
            assert_int_equal(claim_as(1, "b.local", rows[i].second[0], rows[i].second[1], 8266),
                             JOB_CLAIM_UNDECIDED);
        find(0, rows[i].found);
        end_fleet(0, rows[i].error);
        told();
        assert_int_equal(claim_as(1, "b.local", rows[i].second[0], rows[i].second[1], 8266),
                         rows[i].left ? JOB_CLAIM_GRANTED : JOB_CLAIM_DENIED);
        assert_string_equal(told(), rows[i].story);
        if (rows[i].left)
            assert_string_equal(world.left, rows[i].left);
        fleet_free(fleet);
    }
}

/* The address at which another board was found may be the only one at which this one listens. */
static void test_silent_at_the_other_addresses(void **state)
{
    static const struct {
        const char *first;            /* its address; the second one has 10.0.0.7 and 10.0.0.8 */
        enum ota_error error, result; /* as the second one's job says, and as the fleet does */
        int exit_status;
    } rows[] = {
        {"10.0.0.7", OTA_E_NOT_LISTENING, OTA_E_AMBIGUOUS, 4},
        {"10.0.0.7", OTA_E_NO_ANSWER, OTA_E_AMBIGUOUS, 4},
        {"10.0.0.7", OTA_E_BOARD, OTA_E_BOARD, 10},
        {"10.0.0.7", OTA_OK, OTA_OK, 0},
        {"10.0.0.9", OTA_E_NOT_LISTENING, OTA_E_NOT_LISTENING, 5},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const bool is_blamed = rows[i].result == OTA_E_AMBIGUOUS;
        struct fleet *fleet = start_fleet(&(struct fleet_settings){.jobs = 2}, 2);

        assert_int_equal(claim_as(0, "a.local", rows[i].first, NULL, 8266), JOB_CLAIM_GRANTED);
        find(0, 0);
        end_fleet(0, OTA_OK);
        assert_int_equal(claim_as(1, "b.local", "10.0.0.7", "10.0.0.8", 8266), JOB_CLAIM_GRANTED);
        end_fleet(1, rows[i].error);
        assert_int_equal(world.cause, is_blamed ? OTA_CAUSE_SHARED_ADDRESS : OTA_CAUSE_NONE);
        finish(fleet, rows[i].result, rows[i].exit_status);
    }
}

/* An earlier run has updated another board, whose name had these addresses. */
static void test_found_in_an_earlier_run(void **state)
{
    static const struct image other_image = {.size = IMAGE_SIZE};
    static const struct {
        enum target_kind kind;              /* of the one that has confirmed, at 10.0.0.7 */
        const char *more;                   /* another one of its addresses; NULL: none is known */
        const char *host, *address, *other; /* of the second one */
        const char *left;                   /* NULL: the claim is denied */
        enum ota_cause cause;
        bool has_other_image;
    } rows[] = {
        {TARGET_LOCAL, "fd00::7", "b.local", "10.0.0.7", NULL, NULL, OTA_CAUSE_SHARED_ADDRESS,
         false},
        {TARGET_LABEL, "fd00::7", "b.local", "10.0.0.7", NULL, NULL, OTA_CAUSE_SHARED_ADDRESS,
         false},
        {TARGET_LABEL, "fd00::7", "", "10.0.0.7", NULL, "10.0.0.7 ", OTA_CAUSE_NONE, false},
        {TARGET_LABEL, "fd00::7", "", "10.0.0.7", "10.0.0.8", "10.0.0.8 ", OTA_CAUSE_NONE, false},
        {TARGET_LOCAL, "fd00::7", "b.local", "10.0.0.7", NULL, NULL, OTA_CAUSE_EARLIER_ADDRESS,
         true},
        {TARGET_LOCAL, "fd00::7", "b.local", "10.0.0.7", "10.0.0.8", "10.0.0.8 ", OTA_CAUSE_NONE,
         false},
        {TARGET_LOCAL, NULL, "b.local", "10.0.0.7", "10.0.0.8", "10.0.0.8 ", OTA_CAUSE_NONE, false},
        {TARGET_LOCAL, NULL, "b.local", "10.0.0.9", NULL, "10.0.0.9 ", OTA_CAUSE_NONE, false},
        /* Another name of that board. */
        {TARGET_LOCAL, "fd00::7", "0", "10.0.0.7", NULL, "10.0.0.7 ", OTA_CAUSE_NONE, false},
        /* The address may have changed its owner. */
        {TARGET_LOCAL, NULL, "b.local", "10.0.0.7", NULL, "10.0.0.7 ", OTA_CAUSE_NONE, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assign(2);
        assignments[0].is_confirmed = true;
        assignments[0].confirmed_port = 8266;
        assignments[0].target.kind = rows[i].kind;
        remember(&assignments[0], "10.0.0.7", rows[i].more);
        if (rows[i].has_other_image)
            assignments[1].image = &other_image;
        struct fleet *fleet = start_assigned(&(struct fleet_settings){.jobs = 1}, 2);
        told();

        assert_int_equal(claim_as(1, rows[i].host, rows[i].address, rows[i].other, 8266),
                         rows[i].left ? JOB_CLAIM_GRANTED : JOB_CLAIM_DENIED);
        assert_string_equal(told(), rows[i].left ? "" : "1=4 ");
        assert_int_equal(world.cause, rows[i].cause);
        if (rows[i].left)
            assert_string_equal(world.left, rows[i].left);
        fleet_free(fleet);
    }
}

/* Each of its addresses is that of another board. */
static void test_addresses_of_two_boards(void **state)
{
    (void)state;
    struct fleet *fleet = start_fleet(&(struct fleet_settings){.jobs = 3}, 3);

    assert_int_equal(claim_as(0, "a.local", "10.0.0.7", NULL, 8266), JOB_CLAIM_GRANTED);
    assert_int_equal(claim_as(1, "b.local", "10.0.0.8", NULL, 8266), JOB_CLAIM_GRANTED);
    for (int i = 0; i < 2; i++) {
        find(i, 0);
        end_fleet(i, OTA_OK);
    }
    told();
    assert_int_equal(claim_as(2, "c.local", "10.0.0.7", "10.0.0.8", 8266), JOB_CLAIM_DENIED);
    assert_string_equal(told(), "2=4 ");
    fleet_free(fleet);
}

/* An attempt has left one address of two, as only its host must get the password. */
static void test_addresses_of_earlier_attempt(void **state)
{
    (void)state;
    struct fleet *fleet = start_fleet(&(struct fleet_settings){.jobs = 2}, 2);

    assert_int_equal(claim_as(1, "b.local", "10.0.0.7", "10.0.0.8", 8266), JOB_CLAIM_GRANTED);
    find(1, 0);
    rest(1);
    assert_int_equal(claim_as(0, "a.local", "10.0.0.7", NULL, 8266), JOB_CLAIM_GRANTED);
    wake(1);
    assert_int_equal(claim_as(1, "b.local", "10.0.0.7", NULL, 8266), JOB_CLAIM_UNDECIDED);
    find(0, 0);
    end_fleet(0, OTA_OK);
    told();
    assert_int_equal(claim_as(1, "b.local", "10.0.0.7", NULL, 8266), JOB_CLAIM_DENIED);
    assert_string_equal(told(), "1=4 ");
    fleet_free(fleet);
}

/* What the second name of a board demands is not dropped without a word. */
static void test_duplicates_that_differ(void **state)
{
    (void)state;
    static const unsigned char key[ENCRYPTION_KEY_SIZE] = {1};
    static const struct target_scheme https = {.name = "https", .port = 443};
    static char user[] = "me";
    const char *const expected[] = {"ready"};
    struct ota_failure failure;
    struct expect *expect = NULL;

    assert_int_equal(expect_new(&expect, expected, 1, NULL, 0, &failure), OTA_OK);
    const struct assignment rows[] = {
        {.password = "kwert"},     {.encryption_key = key},
        {.expect = expect},        {.own.values[UPLOAD_OWN_USER] = user},
        {.target.scheme = &https}, {.target.user = "me"},
    };

    for (size_t i = 0; i < 2 * sizeof rows / sizeof *rows; i++) {
        struct fleet *fleet = start_fleet(&(struct fleet_settings){.jobs = 2}, 2);
        struct assignment *demanding = &assignments[i % 2];
        const struct assignment given = *demanding;

        *demanding = rows[i / 2];
        demanding->image = given.image;
        demanding->protocol = given.protocol;
        memcpy(demanding->target.name, given.target.name, sizeof given.target.name);
        assert_true(claim(0, "10.0.0.7", 8266));
        told();
        assert_false(claim(1, "10.0.0.7", 8266));
        assert_string_equal(told(), "1=2 ");
        world.jobs[1]->callbacks.on_done(world.jobs[1]->callbacks.userdata);
        end_fleet(0, OTA_OK);
        finish(fleet, OTA_E_USAGE, 2);
    }
    expect_free(expect);
}

/* A bare name has the usual way of its kind and demands none; a scheme does, and https always. */
static void test_duplicates_by_two_ways(void **state)
{
    (void)state;
    static const struct upload_protocol other_protocol = {.name = "none"};
    static const struct target_scheme schemes[] = {{.name = "a"}, {.name = "b"}, {.name = "https"}};
    static const struct {
        const struct target_scheme *first, *second;
        bool is_duplicate;
    } rows[] = {
        {NULL, NULL, true},         {&schemes[0], NULL, true},
        {NULL, &schemes[0], true},  {&schemes[0], &schemes[1], false},
        {&schemes[2], NULL, false}, {NULL, &schemes[2], false},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct fleet *fleet = start_fleet(&(struct fleet_settings){.jobs = 2}, 2);

        assignments[0].target.scheme = rows[i].first;
        assignments[1].target.scheme = rows[i].second;
        assignments[1].protocol = &other_protocol;
        assert_true(claim(0, "10.0.0.7", 8266));
        told();
        assert_false(claim(1, "10.0.0.7", 8266));
        assert_string_equal(told(), rows[i].is_duplicate ? "1!is the same board as 0 " : "1=2 ");
        world.jobs[1]->callbacks.on_done(world.jobs[1]->callbacks.userdata);
        end_fleet(0, OTA_OK);
        finish(fleet, rows[i].is_duplicate ? OTA_OK : OTA_E_USAGE, rows[i].is_duplicate ? 0 : 2);
    }
}

/* The second name of a board demands SHA-256: so must the first, unless it is too late. */
static void test_duplicates_that_demand_more(void **state)
{
    (void)state;
    static const char skipped[] = "0:sha256 1!is the same board as 0 ";
    static const char failed[] = "0:sha256 1=2 ";

    for (int i = 0; i < 4; i++) {
        const bool has_ended = i & 1, has_given_md5 = i & 2;
        struct fleet *fleet = start_fleet(&(struct fleet_settings){.jobs = 2}, 2);

        assignments[1].min_auth = AUTH_SHA256;
        assert_true(claim(0, "10.0.0.7", 8266));
        world.jobs[0]->has_given_md5 = has_given_md5;
        if (has_ended)
            end_fleet(0, OTA_OK);
        told();
        assert_false(claim(1, "10.0.0.7", 8266));
        assert_string_equal(told(), (has_given_md5 ? failed : skipped) + (has_ended ? 9 : 0));
        world.jobs[1]->callbacks.on_done(world.jobs[1]->callbacks.userdata);
        if (!has_ended)
            end_fleet(0, OTA_OK);
        finish(fleet, has_given_md5 ? OTA_E_USAGE : OTA_OK, has_given_md5 ? 2 : 0);
    }
}

static void test_fleet_password(void **state)
{
    (void)state;
    struct fleet *fleet = start_fleet(&(struct fleet_settings){.jobs = 16}, 4);
    told();
    let_job_ask(1);
    let_job_ask(2);
    assert_string_equal(told(), "prompt 'Password of 1 (and of the others that ask): ' ");
    end_fleet(0, OTA_OK); /* goes on meanwhile */
    assert_string_equal(told(), "0=0 2~ ");
    type_password("kwert");
    assert_string_equal(told(), "1:kwert ");
    world.jobs[1]->callbacks.on_event(
        &(struct ota_event){.type = OTA_EVENT_AUTHENTICATED, .is_by_key = true},
        world.jobs[1]->callbacks.userdata);
    turn_fleet();
    assert_string_equal(told(), ""); /* an encryption key proves no password */
    take_it(1);
    assert_int_equal(world.totals.running, 2); /* 2 held no place */
    assert_string_equal(told(), "2:kwert +2 ");
    take_it(2);
    let_job_ask(3); /* later: nobody is asked again */
    assert_string_equal(told(), "3:kwert ");
    assert_false(reject_password(3)); /* it has another one */
    end_fleet(3, OTA_E_WRONG_PASSWORD);
    assert_string_equal(told(), "3=6 ");
    fleet_free(fleet);

    fleet = start_fleet(&(struct fleet_settings){.jobs = 16}, 2);
    told();
    let_job_ask(0);
    type_password(NULL);
    let_job_ask(1);
    assert_string_equal(told(), "prompt 'Password of 0 (and of the others that ask): ' "
                                "0:none 1:none ");
    fleet_free(fleet);

    fleet = start_fleet(&(struct fleet_settings){.jobs = 16}, 1);
    told();
    world.refuse_prompt = true;
    let_job_ask(0);
    assert_string_equal(told(), "prompt 'Password of 0: ' 0:none ");
    end_fleet(0, OTA_OK);
    finish(fleet, OTA_OK, 0);
}

/* What this computer lacks is said; that there is no terminal is for the boards that ask. */
static void test_prompt_that_cannot_start(void **state)
{
    static const struct {
        int reason;
        const char *warning;
    } rows[] = {
        {ENXIO, ""},
        {EIO, ""},
        {ENFILE, "esp-ota: warning: the password cannot be asked for: Too many open files in "
                 "system\n"},
        {EMFILE, "esp-ota: warning: the password cannot be asked for: Too many open files\n"},
        {ENOMEM, "esp-ota: warning: the password cannot be asked for: Cannot allocate memory\n"},
    };
    (void)state;

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct fleet *fleet = start_fleet(&(struct fleet_settings){.jobs = 16}, 1);
        static struct capture capture;

        told();
        world.refuse_prompt = true;
        world.prompt_reason = rows[i].reason;
        capture_begin(&capture);
        let_job_ask(0);
        capture_end(&capture);
        assert_string_equal(capture.text_err, rows[i].warning);
        assert_string_equal(told(), "prompt 'Password of 0: ' 0:none ");
        end_fleet(0, OTA_OK);
        finish(fleet, OTA_OK, 0);
    }
}

/* Nobody is blamed for a password that was typed and lost. */
static void test_password_without_memory(void **state)
{
    (void)state;
    struct fleet *fleet = start_fleet(&(struct fleet_settings){.jobs = 16}, 1);
    static struct capture capture;

    told();
    let_job_ask(0);
    world.refuse_copies = true;
    capture_begin(&capture);
    type_password("qwert");
    capture_end(&capture);
    assert_string_equal(capture.text_err, "esp-ota: warning: the typed password cannot be kept: "
                                          "Cannot allocate memory\n");
    assert_string_equal(told(), "prompt 'Password of 0: ' 0:none ");
    end_fleet(0, OTA_OK);
    finish(fleet, OTA_OK, 0);
}

/* Three times in all; then no board gets one. */
static void test_wrong_password(void **state)
{
    (void)state;
    struct fleet *fleet = start_fleet(&(struct fleet_settings){.jobs = 16}, 3);

    told();
    let_job_ask(0);
    let_job_ask(1);
    type_password("a");
    assert_string_equal(told(), "prompt 'Password of 0 (and of the others that ask): ' 0:a 1~ ");
    assert_true(reject_password(0));
    type_password("b");
    assert_true(reject_password(0));
    let_job_ask(2);
    type_password("c");
    assert_string_equal(told(), "prompt 'Password of 0 (and of the others that ask): ' 0:b "
                                "prompt 'Password of 0 (and of the others that ask): ' 0:c 2~ ");
    assert_false(reject_password(0));
    assert_string_equal(told(), "1:withheld 2:withheld +1 +2 ");
    end_fleet(0, OTA_E_WRONG_PASSWORD);
    let_job_ask(1);
    assert_string_equal(told(), "0=6 1:withheld ");
    end_fleet(1, OTA_E_PASSWORD_NEEDED);
    end_fleet(2, OTA_E_PASSWORD_NEEDED);
    assert_string_equal(told(), "1=6 2=6 done ");
    assert_false(world.has_prompt);
    finish(fleet, OTA_E_WRONG_PASSWORD, 6);
}

/* The second time it is right; with one place only, the others queue for it. */
static void test_right_password_at_last(void **state)
{
    (void)state;
    struct fleet *fleet = start_fleet(&(struct fleet_settings){.jobs = 1}, 3);

    let_job_ask(0);
    type_password("a");
    assert_true(reject_password(0));
    told();
    type_password("b");
    take_it(0);
    assert_string_equal(told(), "0:b ");
    end_fleet(0, OTA_OK);
    let_job_ask(1);
    assert_string_equal(told(), "0=0 +1 1:b ");
    end_fleet(1, OTA_OK);
    end_fleet(2, OTA_OK); /* asks for none */
    assert_string_equal(told(), "1=0 +2 2=0 done ");
    finish(fleet, OTA_OK, 0);
}

/* Without a verdict from the first board, another one takes its place; the first one asks again. */
static void test_silent_prover(void **state)
{
    (void)state;
    struct fleet *fleet = start_fleet(&(struct fleet_settings){.jobs = 16}, 3);

    let_job_ask(0);
    let_job_ask(1);
    let_job_ask(2);
    type_password("kwert");
    told();
    rest(0);
    assert_string_equal(told(), "0:none +1 ");
    let_job_ask(1);
    assert_string_equal(told(), "1:kwert ");
    end_fleet(1, OTA_E_NO_ANSWER);
    assert_string_equal(told(), "1=5 +2 ");
    wake(0);
    let_job_ask(0);
    assert_string_equal(told(), "+0 ");
    turn_fleet();
    assert_string_equal(told(), "0~ ");
    let_job_ask(2);
    take_it(2);
    assert_string_equal(told(), "2:kwert 0:kwert +0 ");
    end_fleet(2, OTA_OK);
    end_fleet(0, OTA_OK);
    assert_string_equal(told(), "2=0 0=0 done ");
    finish(fleet, OTA_E_NO_ANSWER, 5);
}

/* Starts a fleet whose boards all ask. The first one gets the password that is typed, and then its
 * image; the second one asks anew. */
static struct fleet *send_to_prover(size_t count, const char *password)
{
    struct fleet *fleet = start_fleet(&(struct fleet_settings){.jobs = 16}, count);
    const struct job_callbacks *prover = &world.jobs[0]->callbacks;

    for (size_t i = 0; i < count; i++)
        let_job_ask((int)i);
    type_password(password);
    told();
    prover->on_sent(prover->userdata);
    turn_fleet();
    assert_string_equal(told(), "+1 ");
    let_job_ask(1);
    return fleet;
}

/* The proof of the first board takes long, and its log has no end: the others do not wait for
 * it. */
static void test_prover_is_followed(void **state)
{
    (void)state;
    struct fleet *fleet = send_to_prover(2, "kwert");

    assert_string_equal(told(), "1:kwert ");
    end_fleet(0, OTA_OK);
    end_fleet(1, OTA_OK);
    finish(fleet, OTA_OK, 0);
}

/* Nothing has said that the first password is right, and another board rejects it. The first board
 * keeps it, as its version is read last; that it is right there does not concern the others. */
static void test_prover_keeps_its_password(void **state)
{
    (void)state;
    struct fleet *fleet = send_to_prover(3, "first");

    assert_true(reject_password(1));
    type_password("other");
    assert_string_equal(world.jobs[0]->password, "first");
    told();
    take_it(0);
    assert_string_equal(told(), "");
    take_it(1);
    assert_string_equal(told(), "2:other +2 ");
    end_fleet(0, OTA_OK);
    end_fleet(1, OTA_OK);
    end_fleet(2, OTA_OK);
    finish(fleet, OTA_OK, 0);
}

/* The first board's word comes late, while another one tries the same password. */
static void test_late_word_of_the_prover(void **state)
{
    (void)state;
    struct fleet *fleet = send_to_prover(3, "kwert");

    told();
    take_it(0);
    assert_string_equal(told(), "2:kwert +2 ");
    assert_false(reject_password(1)); /* it has another one */
    fleet_free(fleet);
}

/* All boards that ask are parked, and the first of them hangs up: the typed password goes to
 * another. */
static void test_prover_hangs_up(void **state)
{
    (void)state;
    struct fleet *fleet = start_fleet(&(struct fleet_settings){.jobs = 16}, 2);

    let_job_ask(0);
    let_job_ask(1);
    turn_fleet();
    end_fleet(0, OTA_E_NO_ANSWER);
    told();
    type_password("kwert");
    assert_string_equal(told(), "+1 ");
    let_job_ask(1);
    take_it(1);
    assert_string_equal(told(), "1:kwert ");
    end_fleet(1, OTA_OK);
    finish(fleet, OTA_E_NO_ANSWER, 5);
}

/* The deadline of a board comes while it is parked. */
static void test_parked_board_ends(void **state)
{
    (void)state;
    struct fleet *fleet = start_fleet(&(struct fleet_settings){.jobs = 16}, 2);

    let_job_ask(0);
    let_job_ask(1);
    turn_fleet();
    told();
    end_fleet(1, OTA_E_DEADLINE);
    end_fleet(0, OTA_E_DEADLINE);
    assert_string_equal(told(), "1=9 0=9 done ");
    finish(fleet, OTA_E_DEADLINE, 9);
}

/* The board hangs up while somebody types: the question goes, and comes again when it is needed. */
static void test_prompt_is_dismissed(void **state)
{
    (void)state;
    struct fleet *fleet = start_fleet(&(struct fleet_settings){.jobs = 16}, 3);

    told();
    let_job_ask(0);
    let_job_ask(1);
    rest(0);
    assert_true(world.has_prompt);
    end_fleet(1, OTA_E_REFUSED);
    assert_false(world.has_prompt);
    told();
    let_job_ask(2);
    assert_string_equal(told(), "prompt 'Password of 2 (and of the others that ask): ' ");
    fleet_free(fleet);
}

static void tell_standing(const struct ota_standing *standing, void *userdata)
{
    static const char *const doing[] = {"upload", "password", "retry", "log"};
    assert_ptr_equal(userdata, &world);
    tell("%s:%s ", standing->board, doing[standing->doing]);
}

/* Of those that wait for their turn, or are done, the totals tell. */
static void test_standings(void **state)
{
    (void)state;
    struct fleet *fleet = start_fleet(&(struct fleet_settings){.jobs = 4}, 6);

    let_job_ask(0);
    let_job_ask(1);
    turn_fleet();
    rest(2);
    end_fleet(3, OTA_OK);
    rest(4);
    wake(4);
    told();
    assert_int_equal(world.totals.retrying, 1);
    fleet_tell(fleet, tell_standing, &world);
    assert_string_equal(told(), "0:password 1:password 2:retry 4:upload 5:upload ");
    rest(5);
    fleet_tell(fleet, tell_standing, &world);
    assert_string_equal(told(), "0:password 1:password 2:retry 4:upload 5:retry ");
    fleet_free(fleet);
}

static void test_interrupt(void **state)
{
    (void)state;
    struct fleet *fleet = start_fleet(&(struct fleet_settings){.jobs = 3}, 5);
    end_fleet(0, OTA_OK);
    rest(1);
    rest(2);
    wake(2);
    let_job_ask(3);
    told();
    fleet_interrupt(fleet, SIGTERM);
    assert_string_equal(told(), "1=143 2=143 3=143 4=143 ");
    fleet_interrupt(fleet, SIGINT); /* impatience changes nothing */
    turn_fleet();
    assert_string_equal(told(), "");
    finish(fleet, OTA_E_INTERRUPTED, 143);

    fleet = start_fleet(&(struct fleet_settings){.jobs = 1}, 2);
    told();
    fleet_interrupt(fleet, SIGINT);
    assert_string_equal(told(), "0=130 1!not tried, as the run was interrupted ");
    finish(fleet, OTA_E_INTERRUPTED, 130);

    fleet = start_fleet(&(struct fleet_settings){.jobs = 1}, 1);
    end_fleet(0, OTA_OK);
    told();
    fleet_interrupt(fleet, SIGINT); /* too late */
    assert_string_equal(told(), "");
    finish(fleet, OTA_OK, 0);
}

/* What an earlier run has done stays done, also for a --resume of this one's report. */
static void test_confirmed_earlier(void **state)
{
    (void)state;
    struct fleet *fleet = start_fleet(&(struct fleet_settings){.jobs = 1, .canaries = 1}, 4);

    assignments[1].is_confirmed = assignments[3].is_confirmed = true;
    told();
    end_fleet(0, OTA_E_REFUSED);
    assert_string_equal(told(), "0=7 1!has confirmed this image in an earlier run "
                                "2!not tried, as a canary has failed "
                                "3!has confirmed this image in an earlier run done ");
    finish(fleet, OTA_E_REFUSED, 7);
}

/* A board that an earlier run has updated gets nothing by another name, wherever that stands. */
static void test_confirmed_by_another_name(void **state)
{
    (void)state;
    static const struct image other_image = {.size = IMAGE_SIZE};
    static const struct upload_port defaults[] = {{.number = 8266, .chips = ""},
                                                  {.number = 3232, .chips = ""}};
    static const struct upload_protocol protocol = {
        .name = "none", .ports = defaults, .port_count = 2};
    static const char earlier[] = "has confirmed this image in an earlier run ";
    static const struct {
        enum target_kind kind;
        uint16_t port, confirmed_port; /* as given, and as reported */
        bool has_other_image;
        enum job_claim claim; /* to port 8266 */
        int exit_status;
        const char *reported; /* the address then, "": unknown */
        const char *host;     /* of the claim; "*": that name */
    } rows[] = {
        {TARGET_ADDRESS, 8266, 0, false, JOB_CLAIM_DENIED, 0, "", ""},
        {TARGET_ADDRESS, 8266, 8266, true, JOB_CLAIM_DENIED, 2, "", ""},
        {TARGET_ADDRESS, 0, 8266, false, JOB_CLAIM_DENIED, 0, "", ""},
        {TARGET_ADDRESS, 0, 8266, true, JOB_CLAIM_DENIED, 2, "", ""},
        {TARGET_ADDRESS, 8267, 0, true, JOB_CLAIM_GRANTED, 0, "", ""},
        {TARGET_ADDRESS, 0, 8267, true, JOB_CLAIM_GRANTED, 0, "", ""},
        /* It was at one of the default ports, but which? The same image does no harm. */
        {TARGET_ADDRESS, 0, 0, false, JOB_CLAIM_GRANTED, 0, "", ""},
        {TARGET_ADDRESS, 0, 0, true, JOB_CLAIM_DENIED, 2, "", ""},
        /* Its name may have had any address. */
        {TARGET_LABEL, 8266, 8266, true, JOB_CLAIM_GRANTED, 0, "", ""},
        {TARGET_LABEL, 8266, 8266, true, JOB_CLAIM_GRANTED, 0, "10.0.0.8", ""},
        /* The address may still be the name's, unless another host has it now. */
        {TARGET_LABEL, 8266, 8266, true, JOB_CLAIM_DENIED, 4, "10.0.0.7", ""},
        {TARGET_LABEL, 0, 8266, true, JOB_CLAIM_DENIED, 4, "10.0.0.7", ""},
        {TARGET_LABEL, 0, 8267, true, JOB_CLAIM_GRANTED, 0, "10.0.0.7", ""},
        {TARGET_LABEL, 8266, 8266, false, JOB_CLAIM_GRANTED, 0, "10.0.0.7", ""},
        {TARGET_LOCAL, 8266, 8266, true, JOB_CLAIM_DENIED, 2, "10.0.0.7", "*"},
        {TARGET_LOCAL, 8266, 8266, true, JOB_CLAIM_DENIED, 4, "10.0.0.7", ""},
        {TARGET_LOCAL, 8266, 8266, true, JOB_CLAIM_GRANTED, 0, "10.0.0.7", "x.local"},
        /* Its host may have any name. */
        {TARGET_LABEL, 8266, 8266, true, JOB_CLAIM_DENIED, 4, "10.0.0.7", "x.local"},
        {TARGET_INSTANCE, 8266, 8266, true, JOB_CLAIM_DENIED, 4, "10.0.0.7", "x.local"},
        {TARGET_HOST, 8266, 8266, true, JOB_CLAIM_DENIED, 4, "10.0.0.7", ""},
    };

    for (size_t i = 0; i < 2 * sizeof rows / sizeof *rows; i++) {
        const int first = (int)(i % 2), second = !first; /* in either order */
        const size_t row = i / 2;
        const enum ota_error errors[] = {[0] = OTA_OK, [2] = OTA_E_USAGE, [4] = OTA_E_AMBIGUOUS};
        struct assignment *confirmed = &assignments[first];
        char story[128], host[16], label[ASSIGNMENT_LABEL_MAX];

        assign(2);
        confirmed->is_confirmed = true;
        confirmed->protocol = assignments[second].protocol = &protocol;
        confirmed->target.kind = rows[row].kind;
        confirmed->target.port = rows[row].port;
        confirmed->confirmed_port = rows[row].confirmed_port;
        if (rows[row].kind == TARGET_ADDRESS)
            assert_true(address_parse(&confirmed->target.address, "10.0.0.7"));
        else if (*rows[row].reported)
            remember(confirmed, rows[row].reported, NULL);
        snprintf(host, sizeof host, "%s", rows[row].host);
        if (*host == '*')
            snprintf(host, sizeof host, "%d", first);
        if (rows[row].has_other_image)
            assignments[second].image = &other_image;
        struct fleet *fleet = start_assigned(&(struct fleet_settings){.jobs = 1}, 2);
        told();

        assert_int_equal(claim_as(second, host, "10.0.0.7", NULL, 8266), rows[row].claim);
        if (rows[row].claim == JOB_CLAIM_GRANTED)
            end_fleet(second, OTA_OK);
        else
            world.jobs[second]->callbacks.on_done(world.jobs[second]->callbacks.userdata);
        turn_fleet();
        if (rows[row].claim == JOB_CLAIM_GRANTED || rows[row].exit_status)
            snprintf(story, sizeof story, "%d=%d ", second, rows[row].exit_status);
        else
            snprintf(story, sizeof story, "%d!is the same board as %d ", second, first);
        if (first == 1)
            text_append(story, sizeof story, "%s!%s", assignment_label(label, confirmed), earlier);
        text_append(story, sizeof story, "done ");
        assert_string_equal(told(), story);
        finish(fleet, errors[rows[row].exit_status], rows[row].exit_status);
    }
}

/* No result is no success, whatever the other boards have. */
static void expect_undecided(const struct fleet *fleet, enum ota_error outcome)
{
    int status = 0;

    assert_false(fleet_is_decided(fleet));
    assert_int_equal(fleet_outcome(fleet, &status), outcome);
    assert_int_equal(status, ota_error_exit_status(outcome, 0));
}

static void test_no_result(void **state)
{
    (void)state;
    struct fleet *fleet = start_fleet(&(struct fleet_settings){.jobs = 1}, 2);

    expect_undecided(fleet, OTA_E_INTERNAL);
    end_fleet(0, OTA_OK);
    expect_undecided(fleet, OTA_E_INTERNAL);
    end_fleet(1, OTA_OK);
    assert_true(fleet_is_decided(fleet));
    finish(fleet, OTA_OK, 0);

    fleet = start_fleet(&(struct fleet_settings){.jobs = 1}, 2);
    end_fleet(0, OTA_E_REFUSED);
    expect_undecided(fleet, OTA_E_MIXED);
    end_fleet(1, OTA_E_REFUSED);
    finish(fleet, OTA_E_REFUSED, 7);
}

/* A board whose log is followed without an upload has no result before the log ends. */
static void test_followed_logs(void **state)
{
    (void)state;
    for (int is_time_over = 0; is_time_over < 2; is_time_over++) {
        struct fleet *fleet = start_fleet(&(struct fleet_settings){.jobs = 2}, 2);

        world.jobs[0]->callbacks.on_log(world.jobs[0]->callbacks.userdata);
        end_fleet(1, OTA_OK);
        assert_string_equal(told(), "+0 +1 1=0 done ");
        assert_int_equal(fleet_logs(fleet), 1);
        expect_undecided(fleet, OTA_E_INTERNAL);
        fleet_end_logs(fleet, is_time_over);
        assert_true(fleet_is_decided(fleet));
        finish(fleet, is_time_over ? OTA_E_UNPROVEN : OTA_OK,
               is_time_over ? ota_error_exit_status(OTA_E_UNPROVEN, 0) : 0);
    }
}

/* A log is cut short by a signal; only Ctrl-C ends one that has no other end. */
static void test_interrupted_logs(void **state)
{
    (void)state;
    for (int i = 0; i < 4; i++) {
        const bool has_end = i % 2, is_cut = has_end || i < 2;
        const int signal_number = i < 2 ? SIGTERM : SIGINT, status = 128 + signal_number;
        char expected[16];
        struct fleet *fleet = start_fleet(&(struct fleet_settings){.jobs = 2}, 1);

        world.log =
            (struct log_settings){.monitor = true, .monitor_for_us = has_end ? 60000000 : 0};
        world.jobs[0]->callbacks.on_log(world.jobs[0]->callbacks.userdata);
        turn_fleet();
        fleet_interrupt(fleet, signal_number);
        told();
        fleet_end_logs(fleet, false);
        snprintf(expected, sizeof expected, "0=%d ", is_cut ? status : 0);
        assert_string_equal(told(), expected);
        finish(fleet, is_cut ? OTA_E_INTERRUPTED : OTA_OK, is_cut ? status : 0);
    }
}

static void test_fleet_no_memory(void **state)
{
    (void)state;

    world.refuse_jobs = true;
    struct fleet *fleet = start_fleet(&(struct fleet_settings){.jobs = 1}, 2);
    assert_string_equal(told(), "0=1 1=1 done ");
    finish(fleet, OTA_E_INTERNAL, 1);
    world.refuse_jobs = false;
}

/* Logs that go on keep the descriptors that -j leaves to uploads. */
static void test_files_of_logs(void **state)
{
    (void)state;
    for (int has_logs = 0; has_logs < 2; has_logs++) {
        struct fleet *fleet = start_fleet(&(struct fleet_settings){.jobs = 1}, 1);

        world.log.monitor = has_logs;
        emit(world.jobs[0], OTA_EVENT_RESULT, 0,
             &(struct ota_failure){.error = OTA_E_INTERNAL, .cause = OTA_CAUSE_TOO_MANY_FILES}, 0);
        assert_int_equal(world.cause,
                         has_logs ? OTA_CAUSE_TOO_MANY_LOGS : OTA_CAUSE_TOO_MANY_FILES);
        fleet_free(fleet);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one),
        cmocka_unit_test(test_larger_image),
        cmocka_unit_test(test_window),
        cmocka_unit_test(test_many_starts),
        cmocka_unit_test(test_rest),
        cmocka_unit_test(test_ends_without_a_place),
        cmocka_unit_test(test_canaries),
        cmocka_unit_test(test_max_failures),
        cmocka_unit_test(test_duplicates),
        cmocka_unit_test(test_borrowed_addresses),
        cmocka_unit_test(test_address_changes_owner),
        cmocka_unit_test(test_announced_together),
        cmocka_unit_test(test_addresses_shared_in_part),
        cmocka_unit_test(test_silent_at_the_other_addresses),
        cmocka_unit_test(test_found_in_an_earlier_run),
        cmocka_unit_test(test_addresses_of_two_boards),
        cmocka_unit_test(test_addresses_of_earlier_attempt),
        cmocka_unit_test(test_duplicates_that_differ),
        cmocka_unit_test(test_duplicates_by_two_ways),
        cmocka_unit_test(test_duplicates_that_demand_more),
        cmocka_unit_test(test_confirmed_by_another_name),
        cmocka_unit_test(test_fleet_password),
        cmocka_unit_test(test_password_without_memory),
        cmocka_unit_test(test_wrong_password),
        cmocka_unit_test(test_right_password_at_last),
        cmocka_unit_test(test_silent_prover),
        cmocka_unit_test(test_prover_is_followed),
        cmocka_unit_test(test_prover_keeps_its_password),
        cmocka_unit_test(test_late_word_of_the_prover),
        cmocka_unit_test(test_prover_hangs_up),
        cmocka_unit_test(test_parked_board_ends),
        cmocka_unit_test(test_prompt_is_dismissed),
        cmocka_unit_test(test_prompt_that_cannot_start),
        cmocka_unit_test(test_standings),
        cmocka_unit_test(test_interrupt),
        cmocka_unit_test(test_confirmed_earlier),
        cmocka_unit_test(test_no_result),
        cmocka_unit_test(test_followed_logs),
        cmocka_unit_test(test_interrupted_logs),
        cmocka_unit_test(test_files_of_logs),
        cmocka_unit_test(test_fleet_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
