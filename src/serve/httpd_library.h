/*
 * httpd_library.h: libmicrohttpd, loaded when boards are to be served, so that all else starts
 * without it.
 */
#ifndef ESP_OTA_SERVE_HTTPD_LIBRARY_H
#define ESP_OTA_SERVE_HTTPD_LIBRARY_H

#include <microhttpd.h>

/* The functions that are called, without their prefix. */
#define HTTPD_FUNCTIONS(X)                                                                         \
    X(add_response_header)                                                                         \
    X(create_response_from_buffer)                                                                 \
    X(create_response_from_callback)                                                               \
    X(destroy_response)                                                                            \
    X(get_connection_info)                                                                         \
    X(get_connection_values)                                                                       \
    X(get_daemon_info)                                                                             \
    X(get_timeout)                                                                                 \
    X(get_version)                                                                                 \
    X(lookup_connection_value)                                                                     \
    X(queue_response)                                                                              \
    X(quiesce_daemon)                                                                              \
    X(resume_connection)                                                                           \
    X(run)                                                                                         \
    X(start_daemon)                                                                                \
    X(stop_daemon)                                                                                 \
    X(suspend_connection)

struct httpd_library {
#define HTTPD_MEMBER(name) __typeof__(MHD_##name) *(name);
    HTTPD_FUNCTIONS(HTTPD_MEMBER)
#undef HTTPD_MEMBER
};

/* Loads the library for good and fills in http. Returns NULL, or the reason for the failure, which
 * is valid until the next dlopen(). */
const char *httpd_library_load(struct httpd_library *http);

#endif
