/*
 * httpd_internal.h: shared by the files of the HTTP server.
 */
#ifndef ESP_OTA_SERVE_HTTPD_INTERNAL_H
#define ESP_OTA_SERVE_HTTPD_INTERNAL_H

#include "serve/httpd.h"
#include "serve/httpd_library.h"

struct httpd;

/* A daemon of libmicrohttpd on the loop. */
struct httpd_daemon {
    struct httpd *server;
    struct MHD_Daemon *mhd; /* NULL: there is none */
    struct loop_watch watch;
    struct loop_timer timer;
    bool is_old; /* after a reload: it accepts no connection, and ends with its last one */
};

/* A connection of a client. */
struct httpd_connection {
    struct httpd *server;
    int fd; /* libmicrohttpd's */
    struct address address;
    struct loop_timer deadline; /* of the request, then of the response */
    bool is_expendable;         /* in the list of the server: may be ended for room */
    bool is_kept;               /* although it is: its response is one of the few to finish */
    bool has_asked;
    struct httpd_connection *older, *newer;
    struct httpd_transfer *transfer; /* of the response; NULL: it has no tag */
};

struct httpd_request {
    struct httpd *server;
    struct httpd_connection *connection;
    struct MHD_Connection *mhd;
    const char *method, *path;
    bool is_answered;
    bool is_limited; /* with one of the answers of which there are only so many at a time */
};

/* A response whose sender wants to know how it goes. */
struct httpd_transfer {
    struct httpd_transfer *next;
    struct httpd *server;
    struct httpd_connection *connection; /* NULL: libmicrohttpd is done with the response */
    void *tag;
    int fd;             /* our own of the connection: it stays when libmicrohttpd closes its own */
    size_t size;        /* of the content */
    uint64_t acked;     /* what the client had acknowledged before */
    bool is_sent;       /* libmicrohttpd has written all of it */
    uint64_t end;       /* what it will have acknowledged then, if it gets all of it */
    int64_t timeout_us; /* monotonic: until when a sent one may stay unacknowledged */
};

struct httpd_document {
    unsigned users; /* its owner, and the responses that are being sent */
    char *text;
    size_t size;
};

/* One more user, who calls httpd_document_free(). */
void httpd_document_use(struct httpd_document *document);

/* A stream of server-sent events. */
struct httpd_stream {
    struct httpd_stream *next;
    struct httpd *server;
    struct MHD_Connection *mhd;
    unsigned revision; /* that it has told */
    bool is_suspended;
};

struct httpd {
    struct httpd_config config;
    struct httpd_library http;
    int listener;
    uint16_t port;
    struct httpd_daemon daemons[2]; /* the second one is for a reload */
    unsigned connection_count;
    bool has_closed;                          /* this run of a daemon has closed a connection */
    bool has_settled;                         /* this run has called httpd_settle() */
    bool has_moved;                           /* this run has called any function of ours */
    unsigned futile_runs;                     /* in succession, without such a call */
    struct httpd_connection *oldest, *newest; /* of those that may be ended for room */
    struct httpd_transfer *transfers;
    size_t transfer_count, sent_count; /* all, and those of them that are sent */
    struct loop_timer settle_timer;
    bool is_settling;    /* the timer is for responses that are sent, too */
    int64_t progress_us; /* when the progress of all is looked at next */
    struct httpd_stream *streams;
    size_t stream_count;
    unsigned revision;
    struct loop_timer refresh_timer; /* of the streams */
    bool is_closing;
};

/* Begins to track a response. NULL: memory or file descriptors ran out. */
struct httpd_transfer *httpd_transfer_new(struct httpd_connection *connection, void *tag,
                                          size_t size);

/* libmicrohttpd is done with it; is_sent: it has written all. May call on_end. */
void httpd_transfer_done(struct httpd_transfer *transfer, bool is_sent);

/* Ends those that still wait for acknowledgements. */
void httpd_transfers_end(struct httpd *server);
void httpd_transfers_on_timer(void *userdata);

/* Runs the daemons later, from the loop. */
void httpd_wake(struct httpd *server);

/* Resumes the streams of all daemons. Those without news are suspended again, if a daemon runs. */
void httpd_streams_resume(struct httpd *server);

/* Lets the streams end by themselves. */
void httpd_streams_end(struct httpd *server);
void httpd_streams_on_timer(void *userdata);

#endif
