/*
 * curl_library.h: libcurl, loaded when the first board with a web server is met. If it were linked,
 * the library and its dependencies (TLS, HTTP/2, SSH, LDAP, Kerberos) would take most of the
 * program's start-up, also for uploads that need none of it.
 */
#ifndef ESP_OTA_HTTP_CURL_LIBRARY_H
#define ESP_OTA_HTTP_CURL_LIBRARY_H

#include "esp-ota/error.h"

#include <curl/curl.h>
#include <openssl/ssl.h>
#include <stdbool.h>

/* The functions in use: curl_easy_init() as curl.easy_init(), and so on. */
#define CURL_FUNCTIONS(X)                                                                          \
    X(easy_cleanup)                                                                                \
    X(easy_getinfo)                                                                                \
    X(easy_init)                                                                                   \
    X(easy_setopt)                                                                                 \
    X(easy_strerror)                                                                               \
    X(global_init_mem)                                                                             \
    X(multi_add_handle)                                                                            \
    X(multi_cleanup)                                                                               \
    X(multi_info_read)                                                                             \
    X(multi_init)                                                                                  \
    X(multi_remove_handle)                                                                         \
    X(multi_setopt)                                                                                \
    X(multi_socket_action)                                                                         \
    X(version_info)

/* Those of OpenSSL: SSL_CTX_ctrl() as tls.CTX_ctrl(). */
#define TLS_FUNCTIONS(X)                                                                           \
    X(CTX_ctrl)                                                                                    \
    X(CTX_set_msg_callback)                                                                        \
    X(CTX_set_options)

struct tls_library {
#define TLS_MEMBER(name) __typeof__(SSL_##name) *(name);
    TLS_FUNCTIONS(TLS_MEMBER)
#undef TLS_MEMBER
};

struct curl_library {
#define CURL_MEMBER(name) __typeof__(curl_##name) *(name);
    CURL_FUNCTIONS(CURL_MEMBER)
#undef CURL_MEMBER
    struct tls_library tls; /* all NULL if curl_library_refuses_tls() */
};

/* Loads the library for good, initializes it and fills in curl. Returns NULL, or the reason for the
 * failure, which is valid until the next dlopen(). */
const char *curl_library_load(struct curl_library *curl);

/* Whether this libcurl must not be used for https, and if so, fills in failure (OTA_E_INTERNAL).
 * Only where its TLS is an OpenSSL whose functions can be found can messages of a handshake be
 * bounded, and a second handshake refused: in libcurl with GnuTLS, a peer that asks for one and
 * then says nothing holds the loop for ever. */
bool curl_library_refuses_tls(const struct curl_library *curl, struct ota_failure *failure);

#endif
