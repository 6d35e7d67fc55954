/*
 * cmd_serve.c: wires together what serving boards needs: plan, offers, book, loop, server.
 */
#include "cli/cmd_serve.h"

#include "base/diag.h"
#include "base/error.h"
#include "base/escape.h"
#include "base/input.h"
#include "base/loop.h"
#include "base/secret.h"
#include "base/stdio_guard.h"
#include "base/string_list.h"
#include "base/units.h"
#include "base/worker.h"
#include "cli/options.h"
#include "fleet/plan.h"
#include "output/report.h"
#include "secrets/exposure.h"
#include "serve/lack.h"
#include "serve/same_board.h"
#include "serve/serve.h"
#include "serve/tasmota.h"

#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PEM_MAX = 256 * 1024, PATH_SHOWN = 512 };

/* The last answer is on its way when the last board has confirmed. */
static const int64_t FAREWELL_US = MILLISECONDS(100);

/* The line of --hosts for all boards that have no line of their own. */
static const char REST[] = "*";

struct program {
    const struct options *options;
    struct report *report;
    struct plan plan;
    struct offer *offers; /* one for each image of the plan */
    const struct offer *rest;
    bool has_askers; /* boards are listed that ask by themselves */
    bool has_told;   /* and boards that are told to, or were in an earlier run */
    struct book book;
    struct loop *loop;
    struct mdns_client *mdns;
    struct names *names;
    struct tasmotas *tasmotas; /* boards that are told to fetch; NULL: none */
    struct serve *serve;
    struct loop_timer end;
    bool has_enough;            /* --until-confirmed is reached */
    bool is_ending;             /* only boards that have our URL in their settings are waited for */
    int signal_number;          /* to die of; 0: none */
    struct ota_failure failure; /* one that belongs to no board */
};

static struct rollout_rules make_rules(const struct options *options)
{
    return (struct rollout_rules){.downloads_max = options->fleet.jobs,
                                  .canaries = options->fleet.canaries,
                                  .failures_max = options->fleet.failures_max};
}

/* -- what is served, and to whom -- */

static const struct offer *find_offer(const struct program *program, const struct image *image)
{
    for (size_t i = 0; i < program->plan.image_count; i++)
        if (program->offers[i].image == image)
            return &program->offers[i];
    return NULL;
}

static enum ota_error make_offers(struct program *program)
{
    const struct options *options = program->options;
    struct ota_failure *failure = &program->failure;
    enum ota_error error = OTA_OK;

    program->offers = calloc(program->plan.image_count + 1, sizeof *program->offers);
    if (!program->offers)
        return ota_fail_no_memory(failure);
    for (size_t i = 0; i < program->plan.image_count && error == OTA_OK; i++)
        error = offer_make(&program->offers[i], program->plan.images[i].image,
                           options->upload.command, options->serve.version, failure);
    if (!options->plan.hosts && options->plan.boards.count == 0)
        program->rest = program->offers;
    return error;
}

/* -- boards that are told to fetch: those with a URL -- */

static void on_tasmota_note(struct book_board *board, bool is_important, const char *message,
                            void *userdata)
{
    const struct program *program = userdata;

    serve_note(program->serve, board, is_important, message);
}

static void on_tasmota_basic(struct book_board *board, void *userdata)
{
    const struct program *program = userdata;

    serve_note_basic(program->serve, board);
}

static void on_tasmota_unasked(struct book_board *board, void *userdata)
{
    const struct program *program = userdata;

    serve_note_unasked(program->serve, board);
}

/* Whether the other line lets the board have what this one withholds. */
static bool fail_lax(struct ota_failure *failure, const struct assignment *assignment,
                     const struct assignment *other)
{
    char name[ASSIGNMENT_LABEL_MAX];

    if (assignment->min_auth <= other->min_auth)
        return false;
    ota_fail(
        failure, OTA_E_USAGE,
        "is the same board as %s, which may have got the password itself; put min-auth=sha256 on "
        "that line, too",
        assignment_label(name, other));
    return true;
}

static void on_tasmota_same(struct book_board *board, struct book_board *same, void *userdata)
{
    const struct program *program = userdata;
    const struct assignment *assignment = board->userdata, *other = same->userdata;
    char message[ASSIGNMENT_SAME_MAX];
    struct ota_failure failure;

    book_join(board, same);
    if (assignment_fail_different(&failure, assignment, other) ||
        fail_lax(&failure, assignment, other))
        serve_settle(program->serve, board, OTA_PHASE_RESOLVE, &failure);
    else
        serve_leave_out(program->serve, board, assignment_same(message, assignment, other));
}

/* Whether another image of the list must not be replaced by that of this board. */
static bool fail_replacing(struct ota_failure *failure, const struct program *program,
                           const struct book_board *board, const char *host)
{
    const struct book_board *other = same_board_replaced(&program->book, board, host);

    if (!other)
        return false;
    const struct assignment *confirmed = other->userdata;
    assignment_fail_address(failure, confirmed, confirmed->is_confirmed);
    return true;
}

/* A board that is told may have another line, by which it would ask by itself. */
static bool on_tasmota_found(struct book_board *told, const char *host, struct ota_failure *failure,
                             void *userdata)
{
    struct program *program = userdata;
    struct book_board *board;

    if (fail_replacing(failure, program, told, host))
        return false;
    while ((board = same_board_asker(&program->book, told)))
        on_tasmota_same(board, told, program);
    return true;
}

/* Who has never asked under the MAC of a board that was told was that board. */
static void join_silent(struct program *program)
{
    for (size_t i = 0; i < program->book.count; i++) {
        struct book_board *told = program->book.boards[i];
        struct book_board *silent = same_board_silent(&program->book, told);

        if (silent)
            on_tasmota_same(silent, told, program);
    }
}

static void on_tasmota_done(struct book_board *board, enum ota_phase phase,
                            const struct ota_failure *failure, void *userdata)
{
    const struct program *program = userdata;
    struct ota_failure explained = *failure;

    assignment_explain(board->userdata, &explained);
    serve_settle(program->serve, board, phase, &explained);
}

static void on_tasmota_late(struct book_board *board, void *userdata)
{
    const struct program *program = userdata;

    serve_give_up(program->serve, board);
}

/* Whether somebody may ask who was not told to. */
static bool awaits_requests(const struct program *program)
{
    return program->rest || program->has_askers;
}

static void on_tasmotas_done(void *userdata)
{
    struct program *program = userdata;

    if (program->is_ending || !awaits_requests(program))
        loop_quit(program->loop);
}

static enum ota_error open_tasmotas(struct program *program)
{
    const struct options *options = program->options;
    const struct tasmotas_config config = {
        .loop = program->loop,
        .mdns = program->mdns,
        .book = &program->book,
        .rules = make_rules(options),
        .reply_us = options->upload.timeout_us,
        .fetch_us = options->upload.expect_version_us,
        .force = options->upload.force,
        .on_note = on_tasmota_note,
        .on_basic = on_tasmota_basic,
        .on_unasked = on_tasmota_unasked,
        .on_found = on_tasmota_found,
        .on_same = on_tasmota_same,
        .on_done = on_tasmota_done,
        .on_all_done = on_tasmotas_done,
        .on_late = on_tasmota_late,
        .userdata = program,
    };

    if (!program->tasmotas)
        program->tasmotas = tasmotas_new(&config, &program->failure);
    return program->tasmotas ? OTA_OK : program->failure.error;
}

static const char *find_user(const struct options *options, const struct assignment *assignment)
{
    if (assignment->own.values[UPLOAD_OWN_USER])
        return assignment->own.values[UPLOAD_OWN_USER];
    if (options->web.user)
        return options->web.user;
    return *assignment->target.user ? assignment->target.user : NULL;
}

/* The board's page is plain HTTP, and so is what it fetches by. */
static enum ota_error order_tasmota(struct program *program, struct book_board *board,
                                    const struct assignment *assignment)
{
    const struct target *target = &assignment->target;
    struct ota_failure *failure = &program->failure;

    if (strcmp(target->scheme->name, "http") != 0)
        return ota_fail(failure, OTA_E_USAGE,
                        "--serve can tell only boards with Tasmota to fetch; write http://%s",
                        board->name);
    if (program->options->serve.certificate)
        return ota_fail(failure, OTA_E_USAGE,
                        "%s would be told to fetch, but Tasmota fetches by HTTP only; leave "
                        "--tls-cert and --tls-key out",
                        board->label);
    if (open_tasmotas(program) != OTA_OK)
        return failure->error;

    board->is_told = true;
    const struct tasmota_order order = {.board = board,
                                        .target = target,
                                        .image = assignment->image,
                                        .user = find_user(program->options, assignment),
                                        .password = assignment->password,
                                        .min_auth = assignment->min_auth};
    return tasmotas_add(program->tasmotas, &order) ? OTA_OK : ota_fail_no_memory(failure);
}

static enum ota_error fail_mac(struct program *program, const char *name)
{
    char shown[4 * TARGET_NAME_MAX];

    return ota_fail(&program->failure, OTA_E_USAGE,
                    "'%s' is not a MAC address, which is written like 24:0A:C4:00:00:01",
                    escape_string(shown, sizeof shown, name));
}

/* A MAC may be written in several ways. */
static enum ota_error list_again(struct program *program, struct book_board *board,
                                 const struct assignment *assignment)
{
    char name[ASSIGNMENT_LABEL_MAX], difference[ASSIGNMENT_DIFFERENCE_MAX];

    if (*assignment_difference(difference, board->userdata, assignment))
        return ota_fail(&program->failure, OTA_E_USAGE, "%s %s; leave one of them out",
                        assignment_label(name, assignment), difference);
    if (assignment->is_confirmed)
        book_set_state(board, BOOK_CONFIRMED);
    return OTA_OK;
}

/* A board is listed by its MAC, its address or its name, or by the URL of its page. */
static enum ota_error list_board(struct program *program, const struct assignment *assignment)
{
    const struct target *target = &assignment->target;
    char name[ASSIGNMENT_LABEL_MAX];
    struct mac mac;
    const bool has_mac = mac_parse(&mac, target->name);

    if (!has_mac && target->kind != TARGET_ADDRESS && mac_is_meant(target->name))
        return fail_mac(program, target->name);
    struct book_board *board = has_mac ? book_find_mac(&program->book, &mac) : NULL;
    if (board)
        return list_again(program, board, assignment);
    board = book_add(&program->book, assignment_target(name, assignment));
    if (!board)
        return ota_fail_no_memory(&program->failure);
    board->userdata = assignment;
    board->port = target->port;
    board->host = assignment_host(assignment);
    if (assignment->is_confirmed && assignment->confirmed_address.any.sa_family != AF_UNSPEC) {
        board->address = assignment->confirmed_address;
        board->has_address = true;
    }
    if (assignment->label)
        escape_string(board->label, sizeof board->label, assignment->label);
    if (!book_list(board, has_mac ? &mac : NULL))
        return ota_fail_no_memory(&program->failure);
    if (target->kind == TARGET_ADDRESS)
        book_set_home(board, &target->address);
    board->offer = find_offer(program, assignment->image);
    program->has_askers = program->has_askers || !target->scheme;
    program->has_told = program->has_told || target->scheme;
    if (assignment->is_confirmed)
        book_set_state(board, BOOK_CONFIRMED);
    else if (target->scheme)
        return order_tasmota(program, board, assignment);
    if (!has_mac && !board->has_home && !names_add(program->names, board, target))
        return ota_fail_no_memory(&program->failure);
    return OTA_OK;
}

static enum ota_error list_boards(struct program *program)
{
    const struct plan *plan = &program->plan;
    enum ota_error error = OTA_OK;

    for (size_t i = 0; i < plan->count && error == OTA_OK; i++) {
        if (strcmp(plan->assignments[i].target.name, REST) == 0)
            program->rest = find_offer(program, plan->assignments[i].image);
        else
            error = list_board(program, &plan->assignments[i]);
        if (error != OTA_OK)
            plan_name_line(plan, plan->assignments[i].line, &program->failure);
    }
    return error;
}

/* The password is that of the pages then, and somebody may have expected that it keeps the images
 * from strangers. */
static void warn_of_no_password(const struct program *program)
{
    const char *password = program->options->plan.password;

    if (program->has_told && awaits_requests(program) && password && *password)
        diag_warning("boards that ask by themselves need no password: the one that was given is "
                     "that of the boards' pages, as some boards are told to fetch");
}

/* Boards that ask send the server's password itself. */
static enum ota_error check_min_auth(struct program *program)
{
    const struct options *options = program->options;
    const char *password = options->plan.password;
    const bool has_password = password && *password;

    if (options->plan.min_auth == AUTH_MD5 || program->has_told)
        return OTA_OK;
    if (has_password && !options->serve.certificate)
        return ota_fail(&program->failure, OTA_E_USAGE,
                        "boards that ask --serve send the password itself (Basic), and --min-auth "
                        "allows nothing below SHA-256; encrypt it with --tls-cert and --tls-key, "
                        "or allow it with --min-auth md5");
    if (!has_password && options->typed[OPTION_MIN_AUTH])
        diag_warning("--serve ignores --min-auth, as no board is told to fetch and no password is "
                     "given: whoever asks gets the image");
    return OTA_OK;
}

/* -- the certificate -- */

/* Reads a file into secret memory; the caller frees it with secret_free(). */
static enum ota_error read_pem(char **text, enum exposure *exposure, const char *option,
                               const char *path, struct ota_failure *failure)
{
    char shown[PATH_SHOWN];
    const int fd = input_open(path);
    ssize_t size = -1;

    *text = secret_alloc(PEM_MAX + 1);
    if (!*text) {
        if (fd >= 0)
            close(fd);
        return ota_fail_no_memory(failure);
    }

    if (fd >= 0) {
        *exposure = exposure_of(fd);
        size = input_read_all(fd, *text, PEM_MAX);
    }
    const int reason = errno;
    if (fd >= 0)
        close(fd);
    if (size >= 0 && !strstr(*text, "-----BEGIN"))
        return ota_fail(failure, OTA_E_USAGE,
                        "the file of %s, %s, is not in PEM format (\"-----BEGIN ...\")", option,
                        escape_string(shown, sizeof shown, path));
    if (size >= 0)
        return OTA_OK;
    return ota_fail_errno(failure, OTA_E_USAGE, reason, "cannot read the file of %s, %s: %s",
                          option, escape_string(shown, sizeof shown, path),
                          input_open_error(path, reason));
}

/* Rejects a key that is protected by a password: a server that starts unattended has nobody to
 * ask. */
static enum ota_error check_tls_key(const char *key, const char *path, struct ota_failure *failure)
{
    char shown[PATH_SHOWN];

    if (!strstr(key, "BEGIN ENCRYPTED PRIVATE KEY") && !strstr(key, "Proc-Type: 4,ENCRYPTED"))
        return OTA_OK;
    return ota_fail(failure, OTA_E_USAGE,
                    "the key in %s is protected by a password, and --serve has nobody to ask for "
                    "it; \"openssl pkey -in KEY.pem\" prints the key without one",
                    escape_string(shown, sizeof shown, path));
}

static enum ota_error read_identity(char **certificate, char **key,
                                    const struct serve_settings *settings,
                                    struct ota_failure *failure)
{
    enum exposure exposure = EXPOSED_TO_NOBODY;
    enum ota_error error =
        read_pem(certificate, &exposure, "--tls-cert", settings->certificate, failure);

    if (error == OTA_OK)
        error = read_pem(key, &exposure, "--tls-key", settings->key, failure);
    if (error == OTA_OK && *key) /* always set then, which clang-tidy does not see */
        error = check_tls_key(*key, settings->key, failure);
    if (error == OTA_OK)
        exposure_warn(exposure, settings->key, "key");
    return error;
}

/* Calls with the identity that the files have now, or without one. */
static enum ota_error with_identity(struct program *program,
                                    enum ota_error (*call)(struct program *program,
                                                           const struct httpd_identity *identity))
{
    const struct serve_settings *settings = &program->options->serve;
    char *certificate = NULL, *key = NULL;
    enum ota_error error = OTA_OK;

    if (!settings->certificate)
        return call(program, NULL);
    worker_keep_clean(); /* the key of TLS will be on GnuTLS's heap */
    error = read_identity(&certificate, &key, settings, &program->failure);
    if (error == OTA_OK)
        error = call(program, &(struct httpd_identity){certificate, key});
    secret_free(certificate);
    secret_free(key);
    return error;
}

/* -- the end -- */

/* Boards that were told to fetch get their settings back. */
static void end_serving(struct program *program)
{
    if (program->is_ending) {
        loop_quit(program->loop);
        return;
    }

    program->is_ending = true;
    if (program->tasmotas)
        serve_stop(program->serve);
    if (tasmotas_end(program->tasmotas))
        diag_info("restoring the OtaUrl of the boards; another signal ends at once");
    else
        loop_quit(program->loop);
}

/* --serve-for is over, or --until-confirmed is reached: neither cuts off an end that has begun. */
static void on_end(void *userdata)
{
    struct program *program = userdata;

    if (!program->is_ending)
        end_serving(program);
}

static void on_confirmed(void *userdata)
{
    struct program *program = userdata;
    const unsigned wanted = program->options->serve.until_confirmed;

    if (wanted && !program->has_enough &&
        book_count_state(&program->book, BOOK_CONFIRMED) >= wanted) {
        program->has_enough = true; /* the timer is not put off by those who confirm again */
        loop_timer_start(&program->end, FAREWELL_US);
    }
    tasmotas_go_on(program->tasmotas); /* it may have been a canary */
}

static enum ota_error reload(struct program *program, const struct httpd_identity *identity)
{
    return serve_reload(program->serve, identity, &program->failure);
}

/* The signals by which people and systemd end a server. It then has a status of its own; of any
 * other signal it dies. */
static bool is_normal_end(int number)
{
    return number == SIGINT || number == SIGTERM || number == SIGQUIT || number == SIGHUP;
}

/* SIGHUP: there may be a new certificate. Without TLS it ends the server, as the other signals
 * do. */
static void on_signal(int number, void *userdata)
{
    struct program *program = userdata;

    if (!is_normal_end(number))
        program->signal_number = number;
    if (number != SIGHUP || !program->options->serve.certificate)
        end_serving(program);
    else if (with_identity(program, reload) == OTA_OK)
        diag_info("new connections get the certificate that the file has now");
    else
        diag_warning("the old certificate stays in use: %s", program->failure.message);
}

static void on_serve_status(void *userdata)
{
    struct program *program = userdata;

    if (program->serve)
        report_status(program->report, serve_totals(program->serve));
}

static void tell_serve_standings(ota_standing_fn *tell, void *tell_userdata, const void *userdata)
{
    serve_tell(userdata, tell, tell_userdata);
}

static void on_serve_event(const struct ota_event *event, void *userdata)
{
    struct program *program = userdata;

    report_event(event, program->report);
}

/* -- the beginning -- */

static bool add_url(const struct program *program, struct strings *urls,
                    const struct address *address)
{
    struct address at = *address;
    char host[ADDRESS_TEXT_MAX + 8], text[sizeof host + 32];

    address_set_port(&at, serve_port(program->serve));
    snprintf(text, sizeof text, "%s://%s/firmware.bin",
             program->options->serve.certificate ? "https" : "http", address_text_port(host, &at));
    char *url = strdup(text);
    if (!url)
        return false;
    if (strings_add(urls, url) == 0)
        return true;
    free(url);
    return false;
}

/* Whether boards may reach this computer at an address of an interface. A sketch cannot name the
 * scope of a link-local one. */
static bool is_reachable(const struct ifaddrs *interface, struct address *address)
{
    return (interface->ifa_flags & IFF_UP) != 0 &&
           address_from_interface(address, interface->ifa_addr) && !address_is_loopback(address) &&
           !(address->any.sa_family == AF_INET6 && IN6_IS_ADDR_LINKLOCAL(&address->v6.sin6_addr));
}

/* One for the address that is served, or for each that boards can reach. */
static enum ota_error list_urls(struct program *program, struct strings *urls)
{
    const struct address *address = &program->options->serve.address;
    struct ifaddrs *interfaces = NULL;
    struct address found;
    bool is_complete = true;

    if (address_is_unicast(address))
        return add_url(program, urls, address) ? OTA_OK : ota_fail_no_memory(&program->failure);

    if (getifaddrs(&interfaces) < 0)
        return ota_fail_call(&program->failure, "cannot list the addresses of this computer");
    for (const struct ifaddrs *at = interfaces; at && is_complete; at = at->ifa_next)
        if (is_reachable(at, &found))
            is_complete = add_url(program, urls, &found);
    freeifaddrs(interfaces);
    return is_complete ? OTA_OK : ota_fail_no_memory(&program->failure);
}

static enum ota_error say_urls(struct program *program)
{
    struct strings urls = {0};
    const enum ota_error error = list_urls(program, &urls);

    if (error == OTA_OK)
        report_serving(program->report, &urls, serve_port(program->serve));
    strings_free(&urls);
    return error;
}

static enum ota_error open_serve(struct program *program, const struct httpd_identity *identity)
{
    const struct options *options = program->options;
    const struct serve_config config = {.loop = program->loop,
                                        .address = options->serve.address,
                                        .identity = identity,
                                        .user = options->web.user,
                                        .password =
                                            program->has_told ? NULL : options->plan.password,
                                        .rules = make_rules(options),
                                        .attempts_max = options->fleet.retries + 1,
                                        .offers = program->offers,
                                        .offer_count = program->plan.image_count,
                                        .rest = program->rest,
                                        .book = &program->book,
                                        .names = program->names,
                                        .on_event = on_serve_event,
                                        .on_confirmed = on_confirmed,
                                        .userdata = program};

    return serve_open(&program->serve, &config, &program->failure);
}

static void tell_tasmotas(struct program *program)
{
    struct address at = program->options->serve.address;

    if (!program->tasmotas) {
        if (!awaits_requests(program)) /* all have confirmed, in the run that --resume names */
            loop_timer_start(&program->end, 0);
        return;
    }
    address_set_port(&at, serve_port(program->serve));
    tasmotas_start(program->tasmotas, &at);
}

/* The boards that --resume leaves out. The events hand that on to the next run. */
static void tell_resumed(struct program *program)
{
    const size_t resumed = book_count_state(&program->book, BOOK_CONFIRMED);

    if (resumed > 0)
        report_resumed(resumed, program->book.count);
    for (size_t i = 0; i < program->book.count; i++)
        if (program->book.boards[i]->state == BOOK_CONFIRMED)
            serve_tell_resumed(program->serve, program->book.boards[i], ASSIGNMENT_CONFIRMED);
}

/* Boards that would ask by themselves at an address that had another image. */
static void refuse_replacing(struct program *program)
{
    for (size_t i = 0; i < program->book.count; i++) {
        struct book_board *board = program->book.boards[i];
        struct ota_failure failure;

        if (board->has_home && !board->is_told && board->state != BOOK_CONFIRMED &&
            fail_replacing(&failure, program, board, ""))
            serve_settle(program->serve, board, OTA_PHASE_RESOLVE, &failure);
    }
}

static enum ota_error prepare_serving(struct program *program)
{
    struct ota_failure *failure = &program->failure;

    program->loop = loop_new();
    if (!program->loop)
        return ota_fail_call(failure, "cannot wait for events");
    loop_timer_init(&program->end, program->loop, on_end, program);
    program->mdns = mdns_client_new(program->loop);
    program->names = program->mdns ? names_new(program->loop, program->mdns) : NULL;
    if (!program->names)
        return ota_fail_no_memory(failure);

    if (plan_make(&program->plan, &program->options->plan, failure) != OTA_OK ||
        make_offers(program) != OTA_OK || list_boards(program) != OTA_OK ||
        check_min_auth(program) != OTA_OK || with_identity(program, open_serve) != OTA_OK)
        return failure->error;
    report_ask(program->report, tell_serve_standings, program->serve);
    report_queue_output(program->report, program->loop);
    warn_of_no_password(program);
    if (program->options->serve.certificate)
        stdio_guard_defer(SIGHUP); /* then it asks for a reload */
    if (loop_catch_signals(program->loop, on_signal, program) < 0 ||
        loop_catch_status(program->loop, on_serve_status, program) < 0)
        return ota_fail_call(failure, "cannot catch signals");
    if (program->options->serve.for_us)
        loop_timer_start(&program->end, program->options->serve.for_us);
    if (say_urls(program) != OTA_OK)
        return failure->error;
    tell_resumed(program);
    refuse_replacing(program);
    tell_tasmotas(program);
    on_confirmed(program); /* enough of them may have, in the run that --resume names */
    return OTA_OK;
}

/* The results of the listed boards count, and --until-confirmed. */
static enum ota_error judge(struct program *program, int *status)
{
    const unsigned wanted = program->options->serve.until_confirmed;
    const size_t confirmed = book_count_state(&program->book, BOOK_CONFIRMED);

    join_silent(program);
    const enum ota_error error = serve_end(program->serve, status);
    if (error != OTA_OK || confirmed >= wanted)
        return error;
    ota_fail(&program->failure, OTA_E_NOT_RETURNED,
             "%zu board%s confirmed, but --until-confirmed waits for %u", confirmed,
             confirmed == 1 ? " has" : "s have", wanted);
    program->failure.cause = lack_of_boards(&program->book);
    if (program->failure.cause == OTA_CAUSE_NEVER_ASKED && serve_has_warned(program->serve))
        program->failure.cause = OTA_CAUSE_TURNED_AWAY;
    *status = report_failure(program->report, &program->failure);
    return program->failure.error;
}

static int run_serving(struct program *program)
{
    struct ota_failure loss;
    int status = 0;

    if (prepare_serving(program) != OTA_OK)
        return report_failure(program->report, &program->failure);
    if (loop_run(program->loop) < 0) {
        ota_fail_call(&program->failure, "cannot wait for events");
        return report_failure(program->report, &program->failure);
    }

    tasmotas_free(program->tasmotas);
    program->tasmotas = NULL;
    enum ota_error error = judge(program, &status);
    if (program->signal_number) {
        error = OTA_E_INTERRUPTED;
        status = ota_error_exit_status(error, program->signal_number);
    }
    report_summary(program->report, error, status);
    report_end_output(program->report);
    if (report_is_complete(program->report, &loss))
        return status;
    return status ? status : report_failure(program->report, &loss);
}

int cmd_serve_run(const struct options *options, struct report *report)
{
    struct program program = {.options = options, .report = report};

    signal(SIGPIPE, SIG_IGN); /* a board that closes its connection does not end the server */
    int status = run_serving(&program);
    report_end_output(report);
    report_ask(report, NULL, NULL);
    tasmotas_free(program.tasmotas);
    serve_free(program.serve);
    names_free(program.names);
    mdns_client_free(program.mdns);
    loop_timer_stop(&program.end);
    loop_free(program.loop);
    book_free(&program.book);
    free(program.offers);
    plan_free(&program.plan);
    return status;
}
