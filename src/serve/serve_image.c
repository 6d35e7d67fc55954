/*
 * serve_image.c: a request for an image: who asks, what it gets, and how the download goes.
 */
#include "http/status.h"
#include "serve/byte_range.h"
#include "serve/serve_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    HEADERS_MAX = 16,
    RANGE_TEXT_MAX = 80,
};

/* -- who asks -- */

static void read_board_header(const char *name, const char *value, void *userdata)
{
    fetcher_read_header(userdata, name, value);
}

void serve_read_fetcher(struct fetcher *fetcher, const struct httpd_request *request)
{
    httpd_request_each_header(request, read_board_header, fetcher);
}

static struct book_board *find_board(const struct serve *serve, const struct fetcher *fetcher,
                                     const struct address *address)
{
    return book_find(serve->config.book, fetcher, address,
                     names_find(serve->config.names, address));
}

/* One that is told to fetch needs no password, and tasmota_watch.c counts its requests. */
void serve_note_refusal(struct serve *serve, const struct httpd_request *request,
                        const struct fetcher *fetcher, enum ota_error refusal, const char *why)
{
    struct book_board *board = find_board(serve, fetcher, httpd_request_address(request));

    if (!board || !board->is_listed || board->is_told)
        return;
    book_note_refusal(board, refusal, why, loop_now_us());
    serve_publish(serve);
}

/* The download of this board that began last; NULL: none runs. */
static struct serve_download *find_download(const struct serve *serve,
                                            const struct book_board *board)
{
    struct serve_download *download = serve->downloads;

    while (download && download->board != board)
        download = download->next;
    return download;
}

/* Whether the address is not the one where the board downloads, or was told to. */
static bool is_elsewhere(const struct book_board *board, const struct serve_download *download,
                         const struct address *address)
{
    if (board->has_home && address_equal(&board->home, address))
        return false;
    if (board->has_home && board->is_told)
        return true;
    return download && !address_equal(&download->address, address);
}

/* Returns why a request with a MAC is refused for now; NULL: it is not. A board asks for nothing
 * while it downloads: a request from its address shows that it has restarted, and one from another
 * address is not its own. The latter counts as one without a MAC, or is refused if the MAC is
 * listed. A board that has moved is known again once its old connection has timed out. */
static const char *check_claim(struct serve *serve, struct book_board **board,
                               struct fetcher *fetcher, const struct address *address)
{
    struct serve_download *download;

    if (!*board || !fetcher->has_mac)
        return NULL;
    if ((*board)->downloads > 0)
        httpd_settle(serve->http); /* it may have the image by now */

    download = find_download(serve, *board);
    if (is_elsewhere(*board, download, address)) {
        serve_tell_claim(serve, *board, download, address);
        if ((*board)->is_listed)
            return (*board)->is_told ? "the board with this MAC fetches from another address"
                                     : "another address downloads with this MAC; ask again";
        fetcher->has_mac = false;
        *board = find_board(serve, fetcher, address);
        return NULL;
    }
    for (; download; download = find_download(serve, *board))
        httpd_abort(serve->http, download);
    return NULL;
}

void serve_give_up(struct serve *serve, struct book_board *board)
{
    struct serve_download *download;

    book_set_state(board, BOOK_GIVEN_UP);
    while ((download = find_download(serve, board)))
        httpd_abort(serve->http, download);
}

/* Whether it may still turn out that a listed name is this one's. */
static bool may_be_named(struct serve *serve, const struct book_board *board,
                         const struct address *address)
{
    const bool is_missing = board && board->is_told && !board->has_page;
    const bool is_known =
        board && !is_missing && (board->is_listed || address_equal(&board->address, address));

    return !is_known && names_must_wait(serve->config.names, address);
}

/* NULL: memory ran out, or the book is full. Boards without an entry are served all the same. */
static struct book_board *add_board(struct serve *serve, const struct fetcher *fetcher,
                                    const struct address *address)
{
    char name[ADDRESS_TEXT_MAX];

    if (fetcher->has_mac)
        mac_text(name, &fetcher->mac);
    else
        address_text(name, address);
    struct book_board *board = book_add(serve->config.book, name);
    if (board)
        board->offer = serve->config.rest;
    return board;
}

/* The image that a request is about; NULL: none that is for this board. */
static const struct offer *choose_offer(const struct serve *serve, const struct book_board *board,
                                        const struct resource *resource)
{
    const struct offer *own = board ? board->offer : serve->config.rest;

    if (own && resource->image != RESOURCE_ANY_IMAGE &&
        strcmp(own->name, serve->names[resource->image]) != 0)
        return NULL;
    return own;
}

/* The libraries ask for a digest before the image, without the headers that identify the board. So
 * a board that is listed by its MAC is unknown here, whoever else has asked from its address. */
static const struct offer *choose_digest_offer(const struct serve *serve,
                                               const struct book_board *board,
                                               const struct resource *resource)
{
    const bool is_known = board && (board->is_listed || board->has_mac);
    const struct offer *own = choose_offer(serve, board, resource);

    if (own || is_known)
        return own;
    if (resource->image != RESOURCE_ANY_IMAGE)
        return &serve->config.offers[resource->image];
    return serve->config.offer_count == 1 ? &serve->config.offers[0] : NULL;
}

/* The list may have another MAC by mistake, or another image than the one that the board names. */
static void warn_of_list(struct serve *serve, const struct httpd_request *request,
                         const struct fetcher *fetcher, const struct book_board *board)
{
    char mac[MAC_TEXT_MAX], text[BOOK_NAME_MAX + 64];

    if (board && board->is_listed)
        snprintf(text, sizeof text, "asks as %s for the image of another board and gets nothing",
                 board->name);
    else if (fetcher->has_mac)
        snprintf(text, sizeof text,
                 "asks as %s, which is not in the list of boards, and gets nothing",
                 mac_text(mac, &fetcher->mac));
    else
        snprintf(text, sizeof text,
                 "asks without a MAC, is not in the list of boards, and gets nothing");
    serve_warn(serve, SERVE_WARNING_RESOURCE, httpd_request_address(request), text);
}

/* -- what it gets -- */

struct headers {
    struct httpd_header items[HEADERS_MAX + 1];
    size_t count;
};

static void add_header(struct headers *headers, const char *name, const char *value)
{
    if (headers->count < HEADERS_MAX)
        headers->items[headers->count++] = (struct httpd_header){name, value};
}

/* The digests are those of the whole image; the boards compute them over what they get. */
static void add_image_headers(struct headers *headers, const struct offer *offer,
                              const struct offer_bytes *bytes, bool is_whole)
{
    add_header(headers, "Content-Type", "application/octet-stream");
    add_header(headers, "Accept-Ranges", "bytes");
    add_header(headers, "ETag", bytes->etag);
    add_header(headers, "Cache-Control", "no-cache");
    if (offer->version)
        add_header(headers, "x-version", offer->version);
    if (is_whole) {
        add_header(headers, "x-MD5", bytes->md5);
        add_header(headers, "x-SHA256", bytes->sha256);
        add_header(headers, "x-SHA512", bytes->sha512);
    }
}

static void choose_range(struct byte_range *range, const struct httpd_request *request,
                         const struct offer_bytes *bytes)
{
    const char *value = httpd_request_header(request, "Range");

    if (!etag_allows_range(httpd_request_header(request, "If-Range"), bytes->etag))
        value = NULL;
    byte_range_parse(range, value, bytes->size);
}

static bool is_head(const struct httpd_request *request)
{
    return strcmp(httpd_request_method(request), "HEAD") == 0;
}

/* Of a download in parts, only the one with the last byte counts. */
static bool is_download(const struct httpd_request *request, const struct book_board *board,
                        const struct offer_bytes *bytes, const struct byte_range *range)
{
    return board && !is_head(request) && range->size > 0 &&
           range->first + range->size == bytes->size;
}

/* NULL: memory ran out. */
static struct serve_download *
begin_download(struct serve *serve, const struct httpd_request *request, struct book_board *board,
               const struct offer_bytes *bytes, const struct byte_range *range)
{
    struct serve_download *download = malloc(sizeof *download);
    if (!download)
        return NULL;

    *download = (struct serve_download){.next = serve->downloads,
                                        .serve = serve,
                                        .address = *httpd_request_address(request),
                                        .board = board,
                                        .image = bytes->image,
                                        .size = range->size,
                                        .started_us = loop_now_us()};
    serve->downloads = download;
    book_choose_canary(serve->config.book, board, &serve->config.rules);
    book_note_start(board, range->size, download->started_us);
    serve_tell_start(serve, download);
    return download;
}

static void respond_bytes(struct serve *serve, struct httpd_request *request,
                          struct book_board *board, const struct offer *offer,
                          const struct offer_bytes *bytes)
{
    struct headers headers = {.count = 0};
    struct byte_range range;
    char text[RANGE_TEXT_MAX];

    choose_range(&range, request, bytes);
    add_image_headers(&headers, offer, bytes, range.kind == BYTE_RANGE_WHOLE);
    if (range.kind == BYTE_RANGE_UNSATISFIABLE)
        snprintf(text, sizeof text, "bytes */%zu", bytes->size);
    else
        snprintf(text, sizeof text, "bytes %zu-%zu/%zu", range.first, range.first + range.size - 1,
                 bytes->size);
    if (range.kind != BYTE_RANGE_WHOLE)
        add_header(&headers, "Content-Range", text);

    const unsigned status = range.kind == BYTE_RANGE_WHOLE  ? STATUS_OK
                            : range.kind == BYTE_RANGE_PART ? STATUS_PART
                                                            : STATUS_NO_SUCH_RANGE;
    struct serve_download *download = NULL;
    if (is_download(request, board, bytes, &range)) {
        download = begin_download(serve, request, board, bytes, &range);
        if (!download)
            return; /* as in serve_image() */
    }
    httpd_respond(request, &(struct httpd_response){.status = status,
                                                    .headers = headers.items,
                                                    .data = bytes->data + range.first,
                                                    .size = range.size,
                                                    .tag = download,
                                                    .is_kept = !download && range.size > 0});
}

/* "Content-Length: 0" comes with it; an ESP8266 waits eight seconds for content without it. */
static void respond_unchanged(struct httpd_request *request, const struct offer *offer,
                              const struct offer_bytes *bytes)
{
    struct headers headers = {.count = 0};

    add_header(&headers, "ETag", bytes->etag);
    if (offer->version)
        add_header(&headers, "x-version", offer->version);
    httpd_respond(request,
                  &(struct httpd_response){.status = STATUS_UNCHANGED, .headers = headers.items});
}

/* For ESP8266httpUpdate's mode "version". */
static void respond_version(struct httpd_request *request, const struct offer *offer)
{
    const struct httpd_header headers[] = {{"x-version", offer->version}, {NULL, NULL}};

    if (offer->version)
        httpd_respond(request, &(struct httpd_response){.status = STATUS_OK, .headers = headers});
    else
        serve_respond_text(request, STATUS_NOT_FOUND, "the image has no --serve-version");
}

static void respond_answer(struct serve *serve, struct httpd_request *request,
                           struct book_board *board, const struct offer *offer,
                           const struct answer *answer)
{
    const struct offer_bytes *bytes = &offer->forms[answer->form];
    const char *known = httpd_request_header(request, "If-None-Match");

    switch (answer->kind) {
    case ANSWER_IMAGE:
        if (known && etag_is_listed(known, bytes->etag))
            respond_unchanged(request, offer, bytes);
        else
            respond_bytes(serve, request, board, offer, bytes);
        break;
    case ANSWER_VERSION:
        respond_version(request, offer);
        break;
    case ANSWER_UNCHANGED:
    case ANSWER_NOT_NOW:
        respond_unchanged(request, offer, bytes);
        break;
    case ANSWER_REFUSED:
        serve_respond_text(request, STATUS_FORBIDDEN, answer->reason);
        break;
    case ANSWER_BUSY:
        serve_respond_text(request, STATUS_BUSY, answer->reason);
        break;
    }
}

/* -- the sidecars -- */

static void respond_digest(struct httpd_request *request, const struct resource *resource,
                           const struct fetcher *fetcher, const struct offer *offer)
{
    const bool is_for_esp32 =
        fetcher->family == INSPECT_FAMILY_ESP32 && offer->forms[OFFER_FOR_ESP32].data;
    const enum offer_form form = resource->is_packed ? OFFER_PACKED
                                 : is_for_esp32      ? OFFER_FOR_ESP32
                                                     : OFFER_PLAIN;
    const struct offer_bytes *bytes = &offer->forms[form];
    const char *digest = resource->kind == RESOURCE_MD5      ? bytes->md5
                         : resource->kind == RESOURCE_SHA256 ? bytes->sha256
                                                             : bytes->sha512;

    serve_respond_text(request, STATUS_OK, digest);
}

/* -- both -- */

static size_t count_downloads(const struct serve *serve, const struct address *address)
{
    size_t count = 0;

    for (const struct serve_download *at = serve->downloads; at; at = at->next)
        count += address_equal(&at->address, address);
    return count;
}

/* A download may have ended that is not counted as ended yet; where that matters, it is looked
 * at. */
static enum turn find_turn(struct serve *serve, const struct httpd_request *request,
                           const struct book_board *board)
{
    const struct address *address = httpd_request_address(request);
    const struct book *book = serve->config.book;
    enum turn turn = book_turn(book, board, &serve->config.rules, count_downloads(serve, address));

    if (turn != TURN_FULL && turn != TURN_FULL_HERE)
        return turn;
    httpd_settle(serve->http);
    return book_turn(book, board, &serve->config.rules, count_downloads(serve, address));
}

static void serve_board(struct serve *serve, struct httpd_request *request,
                        struct book_board *board, const struct fetcher *fetcher,
                        const struct offer *offer)
{
    struct answer answer;
    char old_reason[ANSWER_REASON_MAX] = "";

    if (board && board->downloads > 0)
        httpd_settle(serve->http); /* who asks again may have the image by now */
    if (board) {
        const enum book_news news = book_note_request(
            board, fetcher, httpd_request_address(request), answer_proof(fetcher, offer),
            serve->config.attempts_max, loop_now_us());
        memcpy(old_reason, board->reason, sizeof old_reason);
        board->is_by_version = answer_compares_versions(fetcher, offer);
        serve_tell_news(serve, board, news);
    }
    answer_decide(&answer, fetcher, offer, find_turn(serve, request, board));
    if (board) {
        book_note_answer(board, &answer);
        serve_tell_answer(serve, board, &answer, old_reason);
    }
    respond_answer(serve, request, board, offer, &answer);
}

/* The list offers nothing to the board. */
static void refuse_other_image(struct serve *serve, struct httpd_request *request, bool is_image,
                               const struct fetcher *fetcher, struct book_board *board)
{
    if (is_image) {
        warn_of_list(serve, request, fetcher, board);
        serve_note_refusal(serve, request, fetcher, OTA_E_IMAGE,
                           "it asks for the image of another board");
    }
    serve_respond_text(request, STATUS_FORBIDDEN, "the list of boards has no such image for it");
}

static void refuse_packed_form(struct serve *serve, struct httpd_request *request,
                               const struct fetcher *fetcher)
{
    serve_note_refusal(serve, request, fetcher, OTA_E_IMAGE,
                       "it asks for a compressed form, and there is none (see -z)");
    serve_respond_text(request, STATUS_NOT_FOUND, "there is no compressed form; see -z");
}

void serve_image(struct serve *serve, struct httpd_request *request,
                 const struct resource *resource)
{
    struct fetcher fetcher = {.wants_packed = resource->is_packed};
    const struct address *address = httpd_request_address(request);
    const bool is_image = resource->kind == RESOURCE_IMAGE;

    serve_read_fetcher(&fetcher, request);
    struct book_board *board = find_board(serve, &fetcher, address);
    const char *busy = is_image ? check_claim(serve, &board, &fetcher, address) : NULL;
    if (!busy && may_be_named(serve, board, address))
        busy = "the names in the list of boards are being looked up; ask again";
    if (busy) {
        serve_respond_text(request, STATUS_BUSY, busy);
        return;
    }
    const struct offer *offer = is_image ? choose_offer(serve, board, resource)
                                         : choose_digest_offer(serve, board, resource);
    if (!offer) {
        refuse_other_image(serve, request, is_image, &fetcher, board);
        return;
    }
    if (resource->is_packed && !offer->forms[OFFER_PACKED].data) {
        refuse_packed_form(serve, request, &fetcher);
        return;
    }
    if (!is_image) {
        respond_digest(request, resource, &fetcher, offer);
        return;
    }

    if (!board)
        board = add_board(serve, &fetcher, address);
    if (!board && !book_is_full(serve->config.book))
        return; /* memory ran out: the connection is closed, and the board asks again */
    serve_board(serve, request, board, &fetcher, offer);
}

void serve_on_progress(void *tag, size_t bytes, void *userdata)
{
    const struct serve_download *download = tag;
    struct serve *serve = userdata;

    if (bytes <= download->board->bytes)
        return;
    book_note_progress(download->board, bytes);
    serve_tell_progress(serve, download);
}

void serve_on_end(void *tag, bool is_whole, void *userdata)
{
    struct serve_download *download = tag;
    struct serve *serve = userdata;
    struct serve_download **link = &serve->downloads;

    while (*link != download)
        link = &(*link)->next;
    *link = download->next;
    book_note_end(download->board, is_whole, loop_now_us());
    serve_tell_end(serve, download, is_whole);
    free(download);
}
