/*
 * httpd_stream.c: server-sent events: each tells a browser that there is something new to fetch. A
 * stream without news is suspended.
 */
#include "base/units.h"
#include "serve/httpd_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { STREAMS_MAX = 16, EVENT_SIZE = 256 };

/* So often, an event comes without news: times on the page grow old, and a browser that has gone
 * is noticed. */
static const int64_t REFRESH_US = SECONDS(20);

/* The last one asks nginx and other proxies to pass each event on at once. */
static const struct httpd_header stream_headers[] = {{"Content-Type", "text/event-stream"},
                                                     {"Cache-Control", "no-store"},
                                                     {"X-Accel-Buffering", "no"},
                                                     {NULL, NULL}};

static ssize_t read_stream(void *userdata, uint64_t position, char *target, size_t capacity)
{
    struct httpd_stream *stream = userdata;
    struct httpd *server = stream->server;

    (void)position;
    server->has_moved = true;
    if (server->is_closing)
        return MHD_CONTENT_READER_END_OF_STREAM;
    if (stream->revision == server->revision) {
        stream->is_suspended = true;
        server->http.suspend_connection(stream->mhd);
        return 0;
    }
    stream->revision = server->revision;
    return snprintf(target, capacity, "data: %u\n\n", stream->revision);
}

static void free_stream(void *userdata)
{
    struct httpd_stream *stream = userdata, **link = &stream->server->streams;

    while (*link != stream)
        link = &(*link)->next;
    *link = stream->next;
    stream->server->stream_count--;
    free(stream);
}

static struct httpd_stream *new_stream(struct httpd_request *request)
{
    struct httpd *server = request->server;
    struct httpd_stream *stream =
        server->stream_count < STREAMS_MAX ? malloc(sizeof *stream) : NULL;
    if (!stream)
        return NULL;

    /* An event comes at once: something may have happened since the page was sent. */
    *stream = (struct httpd_stream){.next = server->streams,
                                    .server = server,
                                    .mhd = request->mhd,
                                    .revision = server->revision - 1};
    server->streams = stream;
    server->stream_count++;
    return stream;
}

/* libmicrohttpd ends its answer to HEAD with the last chunk of a stream, which is content. */
static void respond_head(struct httpd_request *request)
{
    httpd_respond(request,
                  &(struct httpd_response){.status = MHD_HTTP_OK, .headers = stream_headers});
}

void httpd_respond_stream(struct httpd_request *request)
{
    struct httpd *server = request->server;
    const struct httpd_library *http = &server->http;
    bool is_complete = true;

    if (strcmp(request->method, MHD_HTTP_METHOD_HEAD) == 0) {
        respond_head(request);
        return;
    }

    struct httpd_stream *stream = new_stream(request);
    struct MHD_Response *response =
        stream ? http->create_response_from_callback(MHD_SIZE_UNKNOWN, EVENT_SIZE, read_stream,
                                                     stream, free_stream)
               : NULL;

    if (!response) {
        static const struct httpd_header later[] = {{"Retry-After", "60"}, {NULL, NULL}};
        if (stream)
            free_stream(stream);
        httpd_respond(request, &(struct httpd_response){.status = MHD_HTTP_SERVICE_UNAVAILABLE,
                                                        .headers = later});
        return;
    }
    for (const struct httpd_header *header = stream_headers; header->name && is_complete; header++)
        is_complete = http->add_response_header(response, header->name, header->value) == MHD_YES;
    request->is_answered =
        is_complete && http->queue_response(request->mhd, MHD_HTTP_OK, response) == MHD_YES;
    request->is_limited = request->is_answered;
    http->destroy_response(response);
    if (!server->refresh_timer.is_running)
        loop_timer_start(&server->refresh_timer, REFRESH_US);
}

void httpd_streams_resume(struct httpd *server)
{
    for (struct httpd_stream *stream = server->streams; stream; stream = stream->next) {
        if (stream->is_suspended)
            server->http.resume_connection(stream->mhd);
        stream->is_suspended = false;
    }
    httpd_wake(server);
}

void httpd_publish(struct httpd *server)
{
    server->revision++;
    httpd_streams_resume(server);
}

void httpd_streams_on_timer(void *userdata)
{
    struct httpd *server = userdata;

    httpd_publish(server);
    if (server->streams)
        loop_timer_start(&server->refresh_timer, REFRESH_US);
}

void httpd_streams_end(struct httpd *server)
{
    server->is_closing = true;
    httpd_publish(server);
}
