/*
 * test-handshake_pace.c: the handshake with slow boards and over a lossy network, in virtual time.
 * The board is board_model.c. The duration is compared with that of a patient host: it sends each
 * datagram once and waits forever for the reply.
 */
#include "crypto/auth.h"
#include "support/board_model.h"
#include "support/handshake_wraps.h"
#include "support/virtual_time.h"
#include "upload/espota/handshake.h"

#include <errno.h>
#include <ifaddrs.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MS INT64_C(1000)
#define SECOND (1000 * MS)
#define COUNT(array) (sizeof(array) / sizeof *(array))

enum { EVENTS_MAX = 64, PHASES = 24, LOSSY_RUNS = 500 };

static const int64_t ONE_WAY_US = 2500;
static const int64_t PROMPT_US = 250 * MS; /* as in round.c: a reply to the last invitation */
static const int64_t QUICK_US = 65 * MS;   /* a reply of a board without a slow loop() */

enum event_type { TO_BOARD, TO_HOST, CONNECTED, TURN_OF_WORK };

struct event {
    int64_t at_us;
    enum event_type type;
    struct model_datagram datagram;
    char text[MODEL_TEXT + 8];
    int socket;
};

/* One run: a board, the network, and the host, which is the handshake or a patient one. */
static struct world {
    struct model model;
    bool is_right; /* the password is right */
    unsigned loss_percent;
    struct event events[EVENTS_MAX];
    size_t event_count;

    struct udp *udp; /* NULL: the patient host */
    struct handshake *handshake;
    struct work_item *work_item;
    int socket;
    enum model_scheme patient_scheme;

    unsigned sent;
    unsigned unanswered_sends; /* sent after the first reply while another datagram was in flight */
    bool was_heard;
    bool looked_quick; /* a reply came too soon to reveal a slow loop() */
    int64_t last_sent_us;

    bool is_over;
    bool is_connected;
    struct ota_failure failure;
    int64_t end_us;
} world;

static uint64_t random_state;

static unsigned random_below(unsigned limit)
{
    random_state = random_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (unsigned)(random_state >> 33) % limit;
}

static struct event *add_event(enum event_type type, int64_t at_us)
{
    assert_true(world.event_count < EVENTS_MAX);
    struct event *event = &world.events[world.event_count++];
    *event = (struct event){.at_us = at_us, .type = type, .socket = world.socket};
    return event;
}

static bool is_lost(void)
{
    return world.loss_percent && random_below(100) < world.loss_percent;
}

/* -- the host's side of the network -- */

static unsigned count_on_the_way(void)
{
    unsigned count = (unsigned)world.model.queued;

    for (size_t i = 0; i < world.event_count; i++)
        count += world.events[i].type == TO_BOARD || world.events[i].type == TO_HOST;
    return count;
}

static void send_to_board(const struct model_datagram *datagram)
{
    if (world.was_heard)
        world.unanswered_sends += count_on_the_way() > 0;
    world.sent++;
    world.last_sent_us = virtual_time.now_us;
    if (!is_lost())
        add_event(TO_BOARD, virtual_time.now_us + ONE_WAY_US)->datagram = *datagram;
}

static void on_board_reply(const char *text, int socket, int64_t at_us)
{
    if (is_lost())
        return;
    struct event *event = add_event(TO_HOST, at_us + ONE_WAY_US);
    snprintf(event->text, sizeof event->text, "%s", text);
    event->socket = socket;
}

/* The board sends a SYN and waits for the reply. lwIP resends the SYN once before it gives up. */
static void on_board_connect(int64_t at_us)
{
    bool is_esp32 = world.model.config.lineage == MODEL_ESP32;
    int64_t again_us = is_esp32 ? 1500 * MS : 3000 * MS;
    int64_t give_up_us = is_esp32 ? 3000 * MS : 5000 * MS;

    for (int64_t try_us = 0; try_us < give_up_us; try_us += again_us) {
        bool is_syn_lost = is_lost(), is_reply_lost = is_lost();
        if (is_syn_lost || is_reply_lost)
            continue;

        add_event(CONNECTED, at_us + try_us + ONE_WAY_US);
        world.model.state = MODEL_IDLE; /* the upload runs, which is not modelled */
        return;
    }
    model_upload_failed(&world.model, at_us + give_up_us);
}

static struct endpoints where = {
    .address_count = 1, .port_count = 1, .ports = {{3232, "the given port", false, false, 0}}};

int __wrap_auth_respond(struct auth_answer *answer, enum auth_scheme scheme, const char *password,
                        const char *nonce, const char *cnonce);
bool __wrap_echo_learn(struct echo *echo, const char *password, const struct auth_answer *answer,
                       struct ota_failure *failure);
int __wrap_getifaddrs(struct ifaddrs **interfaces);

uint16_t __wrap_listener_port(const struct listener *listener)
{
    assert_null(listener);
    return 4711;
}

const struct address *__wrap_listener_stranger(const struct listener *listener, int64_t since_us)
{
    (void)since_us;
    assert_null(listener);
    return NULL;
}

const struct address *__wrap_listener_board(const struct listener *listener, int64_t since_us)
{
    return __wrap_listener_stranger(listener, since_us);
}

int __wrap_listener_empty(struct listener *listener)
{
    assert_null(listener);
    return 0;
}

int __wrap_listener_trouble(const struct listener *listener)
{
    assert_null(listener);
    return 0;
}

void __wrap_work_queue_add(struct work_queue *work_queue, struct work_item *work_item)
{
    assert_null(work_queue);
    world.work_item = work_item;
    add_event(TURN_OF_WORK, virtual_time.now_us);
}

void __wrap_work_queue_remove(struct work_queue *work_queue, struct work_item *work_item)
{
    assert_null(work_queue);
    if (world.work_item == work_item)
        world.work_item = NULL;
}

int __wrap_udp_open(struct udp *udp, const struct source *source, const struct address *board)
{
    assert_true(source_is_any(source));
    assert_non_null(board);
    udp->fd = 0;
    world.udp = udp;
    return 0;
}

/* Does nothing, as all datagrams that have arrived were delivered. */
bool __wrap_udp_receive(struct udp *udp)
{
    (void)udp;
    return true;
}

bool __wrap_udp_local(const struct udp *udp, struct address *local)
{
    assert_ptr_equal(udp, world.udp);
    return address_parse(local, "10.0.0.1");
}

void __wrap_udp_close(struct udp *udp)
{
    udp->fd = -1;
    world.udp = NULL;
}

/* Instead of hashes: the challenge, the scheme, and whether the password is right. */
int __wrap_auth_respond(struct auth_answer *answer, enum auth_scheme scheme, const char *password,
                        const char *nonce, const char *cnonce)
{
    static const enum model_scheme schemes[] = {
        [AUTH_MD5] = MODEL_MD5, [AUTH_SHA256] = MODEL_SHA256, [AUTH_SHA256_MD5] = MODEL_SHA256_MD5};
    assert_null(cnonce);
    snprintf(answer->cnonce, sizeof answer->cnonce, "%s", nonce);
    snprintf(answer->response, sizeof answer->response, "%d%s", (int)schemes[scheme], password);
    return 0;
}

/* The parts to look for in replies would take most of the test's time; nobody repeats them here. */
bool __wrap_echo_learn(struct echo *echo, const char *password, const struct auth_answer *answer,
                       struct ota_failure *failure)
{
    assert_non_null(echo);
    assert_non_null(failure);
    assert_null(password); /* upload_start() has seen to it */
    assert_string_equal(answer->response + 1, world.is_right ? "right" : "wrong");
    return true;
}

/* This computer's own networks have no part in it. */
int __wrap_getifaddrs(struct ifaddrs **interfaces)
{
    *interfaces = NULL;
    return 0;
}

int __wrap_source_toward(struct address *own, const struct source *source,
                         const struct address *peer)
{
    (void)own;
    (void)source;
    (void)peer;
    return ENETUNREACH;
}

/* Parses "200 <challenge> <scheme><password>", as made by __wrap_auth_respond(). */
static void read_answer(struct model_datagram *datagram, const char *text)
{
    const char *nonce = text + strlen("200 "), *response = strchr(nonce, ' ');
    assert_non_null(response);
    snprintf(datagram->nonce, sizeof datagram->nonce, "%.*s", (int)(response - nonce), nonce);
    datagram->is_answer = true;
    datagram->scheme = (enum model_scheme)(response[1] - '0');
    datagram->is_right = strcmp(response + 2, "right\n") == 0;
}

int __wrap_udp_send(struct udp *udp, const void *data, size_t length)
{
    char text[256];
    struct model_datagram datagram = {.socket = world.socket};

    assert_ptr_equal(udp, world.udp);
    assert_true(length < sizeof text);
    memcpy(text, data, length);
    text[length] = '\0';
    if (strcmp(text, "200\n") == 0)
        datagram.is_answer = datagram.is_malformed = true;
    else if (strncmp(text, "200 ", 4) == 0)
        read_answer(&datagram, text);
    else
        assert_int_equal(strncmp(text, "0 4711 1000 ", 12), 0);
    send_to_board(&datagram);
    return 0;
}

/* -- the patient host -- */

static void end_patient(bool is_connected)
{
    world.is_over = true;
    world.is_connected = is_connected;
    world.end_us = virtual_time.now_us;
}

static void reply_to_patient(const char *text)
{
    struct model_datagram invitation = {.socket = world.socket};

    if (strncmp(text, "AUTH ", 5) == 0) {
        struct model_datagram answer = {.is_answer = true,
                                        .socket = world.socket,
                                        .scheme = strlen(text + 5) == 32 ? MODEL_MD5
                                                                         : world.patient_scheme,
                                        .is_right = world.is_right};
        memcpy(answer.nonce, text + 5, strlen(text + 5) + 1);
        send_to_board(&answer);
    } else if (strcmp(text, "Authentication Failed") == 0) {
        bool is_last =
            world.model.config.scheme == MODEL_MD5 || world.patient_scheme == MODEL_SHA256_MD5;
        world.patient_scheme = MODEL_SHA256_MD5;
        if (is_last)
            end_patient(false);
        else
            send_to_board(&invitation);
    }
}

/* -- the run -- */

static void on_pace_event(const struct ota_event *event, void *userdata)
{
    (void)event;
    assert_ptr_equal(userdata, &world);
}

static void on_pace_endpoint(size_t endpoint, void *userdata)
{
    assert_ptr_equal(userdata, &world);
    assert_int_equal(endpoint, 0);
}

static void on_pace_failed(const struct ota_failure *failure, void *userdata)
{
    assert_ptr_equal(userdata, &world);
    world.failure = *failure;
    world.is_over = true;
    world.end_us = virtual_time.now_us;
}

static void receive_from_board(const struct event *event)
{
    int64_t reply_us = virtual_time.now_us - world.last_sent_us;

    if (event->socket != world.socket)
        return; /* sent to the port of an earlier upload */

    world.looked_quick |= !world.was_heard && reply_us <= (world.sent > 1 ? PROMPT_US : QUICK_US);
    world.was_heard = true;
    if (world.udp)
        world.udp->on_datagram(event->text, strlen(event->text), world.udp->userdata);
    else if (!world.handshake)
        reply_to_patient(event->text);
}

static void take_event(const struct event *event)
{
    switch (event->type) {
    case TO_BOARD:
        model_receive(&world.model, &event->datagram, virtual_time.now_us);
        break;

    case TO_HOST:
        receive_from_board(event);
        break;

    case CONNECTED:
        if (!world.handshake || handshake_connected(world.handshake, &where.addresses[0]))
            end_patient(true);
        break;
    case TURN_OF_WORK:
        if (world.work_item)
            world.work_item->run(world.work_item->userdata);
        break;
    }
}

/* Handles the first event or turn that is due until then. Returns false if there is none. */
static bool take_next(int64_t until_us)
{
    size_t first = 0;
    int64_t turn_us = model_next_us(&world.model);

    for (size_t i = 1; i < world.event_count; i++)
        if (world.events[i].at_us < world.events[first].at_us)
            first = i;

    bool has_event = world.event_count > 0;
    if (turn_us >= 0 && turn_us <= until_us &&
        (!has_event || turn_us < world.events[first].at_us)) {
        model_turn(&world.model);
        return true;
    }
    if (!has_event || world.events[first].at_us > until_us)
        return false;

    struct event event = world.events[first];
    world.event_count--;
    memmove(&world.events[first], &world.events[first + 1],
            (world.event_count - first) * sizeof event);

    if (event.at_us > virtual_time.now_us)
        virtual_time.now_us = event.at_us;
    take_event(&event);
    return true;
}

static void reset_pace_world(const struct model_config *config, int64_t phase_us, bool is_right)
{
    world = (struct world){.is_right = is_right, .patient_scheme = MODEL_SHA256};
    world.model.on_reply = on_board_reply;
    world.model.on_connect = on_board_connect;
    model_init(&world.model, config, phase_us);
    virtual_time_reset(0);
}

static void run_patient(const struct model_config *config, int64_t phase_us, bool is_right)
{
    struct model_datagram invitation = {.is_answer = false};
    reset_pace_world(config, phase_us, is_right);
    send_to_board(&invitation);
    while (!world.is_over)
        assert_true(take_next(INT64_MAX));
}

static struct image image = {
    .family = IMAGE_ESP32, .size = 1000, .md5 = "00112233445566778899aabbccddeeff"};

static struct trust trust; /* shared by the handshakes of one upload */
static struct address_set sha256_addresses;
static struct echo echo;

/* Runs a handshake from another port than before. The board keeps its state. */
static void run_on(void)
{
    unsigned notices = 0;
    struct session_config config = {.loop = virtual_time_loop(),
                                    .source = &source_any,
                                    .image = &image,
                                    .board = "board",
                                    .endpoints = &where,
                                    .password = world.is_right ? "right" : "wrong",
                                    .accept_timeout_us = 10 * SECOND,
                                    .notices = &notices,
                                    .trust = &trust,
                                    .sha256_addresses = &sha256_addresses,
                                    .echo = &echo};
    const struct handshake_callbacks callbacks = {.on_event = on_pace_event,
                                                  .on_endpoint = on_pace_endpoint,
                                                  .on_failed = on_pace_failed,
                                                  .userdata = &world};

    assert_true(address_parse(&where.addresses[0], "10.0.0.7"));
    world.socket++;
    world.is_over = false;
    world.handshake = handshake_start(&config, &callbacks);
    assert_non_null(world.handshake);

    while (!world.is_over) {
        assert_true(virtual_time.due_us >= 0);
        if (!take_next(virtual_time.due_us))
            virtual_time_fire();
    }

    /* Silence after OK is not the fault of the handshake. */
    if (world.failure.error == OTA_E_NO_CONNECTION)
        world.is_connected = true;
    handshake_free(world.handshake);
    world.handshake = NULL;
}

static void run_handshake(void)
{
    trust = (struct trust){0};
    address_set_clear(&sha256_addresses);
    echo_clear(&echo);
    run_on();
}

/* Makes up to three attempts, like job.c. */
static void run_upload(void)
{
    unsigned attempts = 1;

    for (run_handshake(); attempts <= 2 && ota_error_is_transient(world.failure.error);
         attempts++) {
        world.failure.error = OTA_OK;
        virtual_time.now_us += SECOND;
        run_on();
    }
}

/* -- slow loops -- */

static const int64_t loops_ms[] = {0, 200, 1000, 2500, 3000, 3800, 4000, 5000, 6000};

static const struct board_row {
    const char *name;
    enum model_lineage lineage;
    enum model_scheme scheme;
    bool one_per_loop;
    int64_t pbkdf2_ms;
} boards[] = {
    {"ESP32, open", MODEL_ESP32, MODEL_OPEN, true, 0},
    {"ESP32, MD5", MODEL_ESP32, MODEL_MD5, true, 0},
    {"ESP32, SHA-256", MODEL_ESP32, MODEL_SHA256, true, 0},
    {"ESP32, SHA-256, 1.5 s", MODEL_ESP32, MODEL_SHA256, true, 1500},
    {"ESP32, MD5 hash", MODEL_ESP32, MODEL_SHA256_MD5, true, 0},
    {"ESP32, MD5 hash, 1.5 s", MODEL_ESP32, MODEL_SHA256_MD5, true, 1500},
    {"all at once, open", MODEL_ESP32, MODEL_OPEN, false, 0},
    {"all at once, MD5", MODEL_ESP32, MODEL_MD5, false, 0},
    {"all at once, SHA-256", MODEL_ESP32, MODEL_SHA256, false, 0},
    {"all at once, SHA-256, 1.5 s", MODEL_ESP32, MODEL_SHA256, false, 1500},
    {"all at once, MD5 hash", MODEL_ESP32, MODEL_SHA256_MD5, false, 0},
    {"all at once, MD5 hash, 1.5 s", MODEL_ESP32, MODEL_SHA256_MD5, false, 1500},
    {"8266 family, open", MODEL_8266, MODEL_OPEN, false, 0},
    {"8266 family, MD5", MODEL_8266, MODEL_MD5, false, 0},
};

static struct model_config config_of(const struct board_row *row, int64_t loop_ms)
{
    return (struct model_config){.lineage = row->lineage,
                                 .scheme = row->scheme,
                                 .one_per_loop = row->one_per_loop,
                                 .loop_us = loop_ms * MS,
                                 .pbkdf2_us = row->pbkdf2_ms * MS};
}

struct tally {
    unsigned runs;
    unsigned wrong;  /* the verdict differs from that of the patient host */
    unsigned slow;   /* took more than the limit */
    unsigned outrun; /* sent a datagram before the last one was answered */
    double worst;    /* the longest duration, relative to the patient host */
};

/* A slow board whose first reply happens to be prompt cannot be told from a quick one until it
 * falls silent. This happens in few phases: 0.25 s of a turn. */
static double limit_of(const struct model_config *config)
{
    if (world.looked_quick)
        return config->loop_us <= 3 * SECOND ? 1.4 : 3.5;
    return config->loop_us <= 3 * SECOND ? 1.3 : 2.2;
}

/* Compares the verdict and the duration in one phase of loop(). */
static void try_phase(struct tally *tally, const struct model_config *config, int64_t phase_us,
                      bool is_right)
{
    run_patient(config, phase_us, is_right);
    bool expected = is_right || config->scheme == MODEL_OPEN;
    int64_t patient_us = world.end_us;
    assert_int_equal(world.is_connected, expected);

    reset_pace_world(config, phase_us, is_right);
    run_handshake();
    double ratio = (double)world.end_us / (double)patient_us;
    bool is_wrong = world.is_connected != expected ||
                    (!expected && world.failure.error != OTA_E_WRONG_PASSWORD);
    bool is_slow = ratio > limit_of(config);
    bool is_outrun = world.unanswered_sends > 0 && !world.looked_quick;
    if (is_wrong || is_slow || is_outrun)
        print_message("    phase %" PRId64
                      " ms, %s password: %.2f s, patient %.2f s, %u sent; %s\n",
                      phase_us / MS, is_right ? "right" : "wrong", (double)world.end_us / 1e6,
                      (double)patient_us / 1e6, world.sent, world.failure.message);
    tally->runs++;
    tally->wrong += is_wrong;
    tally->slow += is_slow;
    tally->outrun += is_outrun;
    if (ratio > tally->worst)
        tally->worst = ratio;
}

static void test_slow_loops(void **state)
{
    (void)state;
    struct tally all = {0};

    random_state = 1;
    for (size_t i = 0; i < COUNT(boards); i++) {
        for (size_t j = 0; j < COUNT(loops_ms); j++) {
            struct tally cell = {.worst = 1};
            const struct model_config config = config_of(&boards[i], loops_ms[j]);
            for (int k = 0; k < PHASES; k++) {
                int64_t phase_us =
                    loops_ms[j] * k * MS / PHASES + random_below(1000) * loops_ms[j] / PHASES;
                try_phase(&cell, &config, phase_us, k % 2);
                try_phase(&cell, &config, phase_us, !(k % 2));
            }
            print_message("  %s, loop() %.1f s: %u of %u as expected, at worst %.2f times the "
                          "patient one, outrun %u times\n",
                          boards[i].name, (double)loops_ms[j] / 1e3, cell.runs - cell.wrong,
                          cell.runs, cell.worst, cell.outrun);
            all.runs += cell.runs;
            all.wrong += cell.wrong;
            all.slow += cell.slow;
            all.outrun += cell.outrun;
        }
    }
    print_message("  %u runs: %u wrong, %u too slow, %u outrun\n", all.runs, all.wrong, all.slow,
                  all.outrun);
    assert_int_equal(all.wrong, 0);
    assert_int_equal(all.slow, 0);
    assert_int_equal(all.outrun, 0);
}

/* -- losses -- */

/* 20 % of the datagrams are lost in each direction, and the round trip takes 5 ms. A board that
 * stores an MD5 hash needs two rounds. Lost verdicts make more rounds necessary than one handshake
 * allows, but not more than three handshakes do. */
static void test_losses(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(boards); i++) {
        const struct model_config config = config_of(&boards[i], 0);
        int least =
            boards[i].scheme == MODEL_SHA256_MD5 ? LOSSY_RUNS * 19 / 20 : LOSSY_RUNS * 39 / 40;
        int good = 0, uploads = 0;
        int64_t total_us = 0;

        random_state = 20;
        for (int k = 0; k < LOSSY_RUNS; k++) {
            reset_pace_world(&config, 0, true);
            world.loss_percent = 20;
            run_handshake();
            good += world.is_connected;
            total_us += world.end_us;

            reset_pace_world(&config, 0, true);
            world.loss_percent = 20;
            run_upload();
            uploads += world.is_connected;
        }

        print_message("  %s: %d of %d, %.2f s on average; %d in up to three attempts\n",
                      boards[i].name, good, LOSSY_RUNS, (double)total_us / 1e6 / LOSSY_RUNS,
                      uploads);
        assert_in_range(uploads, LOSSY_RUNS * 99 / 100, LOSSY_RUNS);
        assert_in_range(good, least, LOSSY_RUNS);
    }
}

/* -- peculiarities of the families -- */

/* An ESP32 without a password keeps a duplicate invitation in its queue, and accepts it when the
 * upload has failed. It says OK to the port of the first upload, and connects. The second upload
 * uses that connection, as it is for the same image. */
static void test_a_duplicate_runs_after_a_failure(void **state)
{
    (void)state;
    const struct model_config config = {
        .lineage = MODEL_ESP32, .one_per_loop = true, .loop_us = 4 * SECOND};

    reset_pace_world(&config, 3900 * MS, true);
    run_handshake();
    assert_true(world.is_connected);
    assert_int_equal(world.sent, 2);
    assert_int_equal(world.model.queued, 1);

    world.is_connected = world.was_heard = false;
    model_upload_failed(&world.model, virtual_time.now_us + SECOND);
    run_handshake();
    assert_true(world.is_connected);
    assert_int_equal(world.failure.error, OTA_OK);
    assert_false(world.was_heard); /* the OK went to the port of the first upload */
}

/* An ESP8266 ignores datagrams for 100 ms after ERR, and so the invitation of the next upload. */
static void test_a_board_that_is_deaf_after_a_refusal(void **state)
{
    (void)state;
    struct model_config config = {.lineage = MODEL_8266, .scheme = MODEL_MD5, .refusal = "ERR: no"};

    reset_pace_world(&config, 0, true);
    run_handshake();
    assert_int_equal(world.failure.error, OTA_E_REFUSED);

    world.model.config.refusal = NULL;
    world.failure.error = OTA_OK;
    int64_t start_us = virtual_time.now_us;
    run_handshake();
    assert_true(world.is_connected);
    assert_in_range(world.end_us - start_us, 3500 * MS, 4500 * MS);
}

/* A board that an earlier host left waiting for an answer swallows one invitation. */
static void test_a_board_left_waiting(void **state)
{
    (void)state;

    for (size_t i = 0; i < COUNT(boards); i++) {
        const struct model_config config = config_of(&boards[i], 0);
        if (config.scheme == MODEL_OPEN)
            continue;
        for (int is_right = 0; is_right < 2; is_right++) {
            reset_pace_world(&config, 0, is_right);
            world.model.state = MODEL_WAITING;
            run_handshake();
            assert_int_equal(world.is_connected, is_right);
            assert_int_equal(world.failure.error, is_right ? OTA_OK : OTA_E_WRONG_PASSWORD);
            assert_in_range(world.end_us, 3500 * MS, 8000 * MS);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_slow_loops),
        cmocka_unit_test(test_losses),
        cmocka_unit_test(test_a_duplicate_runs_after_a_failure),
        cmocka_unit_test(test_a_board_that_is_deaf_after_a_refusal),
        cmocka_unit_test(test_a_board_left_waiting),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
