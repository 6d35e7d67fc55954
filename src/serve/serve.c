/*
 * serve.c: joins the HTTP server, the book and what is told of the boards.
 *
 *   request -> is it allowed? -> what does it name? -> page, facts, or an image (serve_image.c)
 */
#include "serve/serve.h"

#include "base/diag.h"
#include "base/error.h"
#include "base/escape.h"
#include "base/units.h"
#include "http/status.h"
#include "serve/basic_auth.h"
#include "serve/serve_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    CONNECTIONS_SPARE = 512, /* besides the downloads: boards that ask, and browsers */
    PER_ADDRESS_SPARE = 64,  /* behind NAT, boards share an address */
    LOGIN_SIZE = 289,        /* what esp_https_ota of early ESP-IDF 4 reads of a 401, or hangs */
    TEXT_MAX = ANSWER_REASON_MAX + 1, /* with its line end */
    PATH_SHOWN = 160,
};

/* A page that is drawn more often tells nobody more. */
static const int64_t PUBLISH_US = MILLISECONDS(500);

/* For each board; see respond_drawn(). */
static const int64_t DRAWN_US = 100;

/* The page loads nothing from elsewhere, and nothing runs that did not come from here. */
static const char POLICY[] = "default-src 'none'; style-src 'self'; script-src 'self'; "
                             "connect-src 'self'; base-uri 'none'; form-action 'none'; "
                             "frame-ancestors 'none'";

/* The header that goes with a status; its name is NULL if there is none. The libraries of the
 * boards ask again when the sketch tells them to; others go by Retry-After. */
static struct httpd_header header_for(unsigned status)
{
    if (status == STATUS_UNAUTHORIZED)
        return (struct httpd_header){"WWW-Authenticate",
                                     "Basic realm=\"esp-ota\", charset=\"UTF-8\""};
    if (status == STATUS_BUSY)
        return (struct httpd_header){"Retry-After", "30"};
    return (struct httpd_header){NULL, NULL};
}

void serve_respond_text(struct httpd_request *request, unsigned status, const char *text)
{
    char line[TEXT_MAX];
    const struct httpd_header headers[] = {{"Content-Type", "text/plain; charset=utf-8"},
                                           {"Cache-Control", "no-store"},
                                           header_for(status),
                                           {NULL, NULL}};

    snprintf(line, sizeof line, "%s\n", text);
    httpd_respond(request, &(struct httpd_response){.status = status,
                                                    .headers = headers,
                                                    .data = line,
                                                    .size = strlen(line),
                                                    .is_copied = true});
}

/* document: NULL: memory ran out. */
static void respond_document(struct httpd_request *request, const char *type,
                             struct httpd_document *document)
{
    const struct httpd_header headers[] = {{"Content-Type", type},
                                           {"Cache-Control", "no-store"},
                                           {"Content-Security-Policy", POLICY},
                                           {"X-Content-Type-Options", "nosniff"},
                                           {"Referrer-Policy", "no-referrer"},
                                           {NULL, NULL}};

    if (document)
        httpd_respond(request, &(struct httpd_response){
                                   .status = STATUS_OK, .headers = headers, .document = document});
    else
        serve_respond_text(request, STATUS_INTERNAL, "out of memory");
}

/* text is freed; NULL: memory ran out. */
static void respond_once(struct httpd_request *request, const char *type, char *text)
{
    struct httpd_document *document = httpd_document_new(text);

    respond_document(request, type, document);
    httpd_document_free(document);
}

/* Anybody may ask for the page without end, and invent boards that make it long: drawing 10,000 of
 * them takes some 15 ms, in which no board is served. So it is drawn again only after a time that
 * grows with the boards, a second for 10,000. */
static void respond_drawn(struct serve *serve, struct httpd_request *request, const char *type,
                          struct serve_document *document, char *(*draw)(struct serve *serve))
{
    const int64_t fresh_us = DRAWN_US * (int64_t)serve->config.book->count;

    if (!document->text || loop_now_us() - document->drawn_us >= fresh_us) {
        httpd_settle(serve->http); /* what is told holds now */
        httpd_document_free(document->text);
        document->text = httpd_document_new(draw(serve));
        document->drawn_us = loop_now_us();
    }
    respond_document(request, type, document->text);
}

/* Without an image for all, that of the first board. */
static const struct offer *main_offer(const struct serve *serve)
{
    return serve->config.rest ? serve->config.rest : serve->config.offers;
}

static bool is_allowed(const struct serve *serve, const struct httpd_request *request)
{
    const char *password = serve->config.password;

    return !password || !*password ||
           basic_auth_matches(httpd_request_header(request, "Authorization"), serve->config.user,
                              password);
}

/* A board that is refused whatever it does would ask forever, and nobody would see it. */
void serve_warn(struct serve *serve, enum serve_warning kind, const struct address *address,
                const char *what)
{
    enum { WARNINGS_MAX = 20 };
    struct address_set *warned = &serve->warned[kind];
    char text[ADDRESS_TEXT_MAX];

    if (warned->count >= WARNINGS_MAX || address_set_has(warned, address) ||
        !address_set_add(warned, address))
        return;
    diag_warning("%s %s%s", address_text(text, address), what,
                 warned->count == WARNINGS_MAX ? "; further ones of this kind are not reported"
                                               : "");
}

/* Browsers and ESP-IDF ask without a password at first; the libraries that send a MAC do not. */
static void warn_of_password(struct serve *serve, const struct httpd_request *request,
                             const struct resource *resource)
{
    const bool has_one = httpd_request_header(request, "Authorization") != NULL;
    struct fetcher fetcher = {.has_mac = false};

    serve_read_fetcher(&fetcher, request);
    if (fetcher.has_mac || fetcher.family || resource->kind == RESOURCE_IMAGE)
        serve_note_refusal(serve, request, &fetcher, OTA_E_UNAUTHORIZED,
                           has_one ? "it gave a wrong user or password" : "it gave no password");
    if (has_one || fetcher.has_mac)
        serve_warn(serve, SERVE_WARNING_PASSWORD, httpd_request_address(request),
                   has_one ? "asks with a wrong user or password and gets nothing"
                           : "asks without the password and gets nothing");
}

/* Browsers ask for icons, too; a board names its family. */
static void warn_of_path(struct serve *serve, const struct httpd_request *request)
{
    char path[PATH_SHOWN], text[PATH_SHOWN + 64];
    struct fetcher fetcher = {.has_mac = false};

    serve_read_fetcher(&fetcher, request);
    if (!fetcher.family)
        return;
    escape_string(path, sizeof path, httpd_request_path(request));
    snprintf(text, sizeof text, "it asks for %s, and its URL should end in %s", path,
             RESOURCE_FIRMWARE);
    serve_note_refusal(serve, request, &fetcher, OTA_E_NEVER_ASKED, text);
    snprintf(text, sizeof text, "asks for %s and gets nothing: its URL should end in %s", path,
             RESOURCE_FIRMWARE);
    serve_warn(serve, SERVE_WARNING_RESOURCE, httpd_request_address(request), text);
}

/* Who does not trust the certificate gets no further than TLS. */
static void on_serve_no_request(const struct address *address, void *userdata)
{
    struct serve *serve = userdata;

    serve_warn(
        serve, SERVE_WARNING_NO_REQUEST, address,
        serve->config.identity
            ? "connects and asks for nothing: does its URL begin with https, and does it trust "
              "the certificate?"
            : "connects and asks for nothing that is understood: does its URL begin with http?");
}

static void demand_password(struct httpd_request *request)
{
    char text[LOGIN_SIZE]; /* the last byte on the wire is the line end */

    snprintf(text, sizeof text, "%-*s", LOGIN_SIZE - 1, "the password is missing or wrong");
    serve_respond_text(request, STATUS_UNAUTHORIZED, text);
}

static void on_serve_request(struct httpd_request *request, void *userdata)
{
    struct serve *serve = userdata;
    struct resource resource;

    resource_find(&resource, httpd_request_path(request), serve->names, serve->config.offer_count);
    if (!is_allowed(serve, request)) {
        warn_of_password(serve, request, &resource);
        demand_password(request);
        return;
    }

    switch (resource.kind) {
    case RESOURCE_PAGE:
        respond_drawn(serve, request, "text/html; charset=utf-8", &serve->page, serve_page);
        break;
    case RESOURCE_STYLE:
        respond_once(request, "text/css; charset=utf-8", strdup(SERVE_STYLE));
        break;
    case RESOURCE_SCRIPT:
        respond_once(request, "text/javascript; charset=utf-8", strdup(SERVE_SCRIPT));
        break;
    case RESOURCE_EVENTS:
        httpd_respond_stream(request);
        break;
    case RESOURCE_STATUS:
        respond_drawn(serve, request, "application/json", &serve->status, serve_status_json);
        break;
    case RESOURCE_MANIFEST:
        respond_once(request, "application/json", serve_manifest_json(main_offer(serve)));
        break;
    case RESOURCE_NONE:
        warn_of_path(serve, request);
        serve_respond_text(request, STATUS_NOT_FOUND, "there is nothing here");
        break;
    default:
        serve_image(serve, request, &resource);
    }
}

static void on_publish(void *userdata)
{
    struct serve *serve = userdata;

    httpd_publish(serve->http);
}

void serve_publish(struct serve *serve)
{
    if (serve->http && !serve->publish_timer.is_running)
        loop_timer_start(&serve->publish_timer, PUBLISH_US);
}

static enum ota_error start_serving(struct serve *serve, struct ota_failure *failure)
{
    const struct serve_config *config = &serve->config;
    const struct httpd_config http = {
        .loop = config->loop,
        .address = config->address,
        .connections_max = (unsigned)config->rules.downloads_max + CONNECTIONS_SPARE,
        .connections_per_address = (unsigned)config->rules.downloads_max + PER_ADDRESS_SPARE,
        .identity = config->identity,
        .on_request = on_serve_request,
        .on_no_request = on_serve_no_request,
        .on_progress = serve_on_progress,
        .on_end = serve_on_end,
        .userdata = serve};

    serve->names = calloc(config->offer_count + 1, sizeof *serve->names);
    if (!serve->names)
        return ota_fail_no_memory(failure);
    for (size_t i = 0; i < config->offer_count; i++)
        serve->names[i] = config->offers[i].name;
    return httpd_open(&serve->http, &http, failure);
}

enum ota_error serve_open(struct serve **serve, const struct serve_config *config,
                          struct ota_failure *failure)
{
    *serve = calloc(1, sizeof **serve);
    if (!*serve)
        return ota_fail_no_memory(failure);

    (*serve)->config = *config;
    (*serve)->started_us = loop_now_us();
    loop_timer_init(&(*serve)->publish_timer, config->loop, on_publish, *serve);
    if (start_serving(*serve, failure) != OTA_OK) {
        serve_free(*serve);
        *serve = NULL;
        return failure->error;
    }
    names_start(config->names, serve_tell_lookup, *serve);
    return OTA_OK;
}

uint16_t serve_port(const struct serve *serve)
{
    return httpd_port(serve->http);
}

enum ota_error serve_reload(struct serve *serve, const struct httpd_identity *identity,
                            struct ota_failure *failure)
{
    return httpd_reload(serve->http, identity, failure);
}

bool serve_has_warned(const struct serve *serve)
{
    for (int kind = 0; kind < SERVE_WARNINGS; kind++)
        if (serve->warned[kind].count > 0)
            return true;
    return false;
}

const struct ota_totals *serve_totals(struct serve *serve)
{
    const struct book_counts *counts = &serve->config.book->counts;
    const long *known = counts->known;

    serve->totals =
        (struct ota_totals){.is_open = true,
                            .running = (size_t)known[BOOK_FETCHING],
                            .confirmed = (size_t)known[BOOK_CONFIRMED],
                            .failed = (size_t)(known[BOOK_GIVEN_UP] + known[BOOK_REFUSED]),
                            .skipped = (size_t)known[BOOK_SKIPPED],
                            .bytes = (size_t)counts->bytes,
                            .total = (size_t)counts->bytes_total};
    for (int state = 0; state < BOOK_STATES; state++)
        serve->totals.boards += (size_t)known[state];
    return &serve->totals;
}

void serve_tell(const struct serve *serve, ota_standing_fn *tell, void *userdata)
{
    const struct book *book = serve->config.book;
    const int64_t now_us = loop_now_us();

    for (size_t i = 0; i < book->count; i++) {
        const struct book_board *board = book->boards[i];
        const struct ota_standing standing = {.board = board->label,
                                              .doing = OTA_DOING_UPLOAD,
                                              .phase = OTA_PHASE_TRANSFER,
                                              .reason = "",
                                              .bytes = board->bytes,
                                              .total = board->total,
                                              .transfer_us = now_us - board->started_us};
        if (board->state == BOOK_FETCHING)
            tell(&standing, userdata);
    }
}

void serve_stop(struct serve *serve)
{
    struct httpd *http = serve->http;

    serve->http = NULL;
    httpd_close(http);
    loop_timer_stop(&serve->publish_timer);
}

enum ota_error serve_end(struct serve *serve, int *exit_status)
{
    struct book *book = serve->config.book;

    serve_stop(serve);
    for (size_t i = 0; i < book->count; i++)
        serve_tell_outcome(serve, book->boards[i]);
    serve_tell_strangers(serve);
    *exit_status = serve->exit_status;
    return serve->outcome;
}

void serve_free(struct serve *serve)
{
    if (!serve)
        return;

    serve_stop(serve);
    httpd_document_free(serve->page.text);
    httpd_document_free(serve->status.text);
    for (int kind = 0; kind < SERVE_WARNINGS; kind++)
        address_set_clear(&serve->warned[kind]);
    free(serve->names);
    free(serve);
}
