/* httpd_library.c: loads libmicrohttpd. */
#include "serve/httpd_library.h"

#include "base/library.h"

/* The ABI of the headers. */
LIBRARY_SONAMES(httpd_sonames, "serve", "Serves firmware to boards that fetch it",
                "libmicrohttpd.so.12");

static const struct library_function httpd_functions[] = {
#define HTTPD_ENTRY(name) LIBRARY_FUNCTION(struct httpd_library, name, MHD_##name),
    HTTPD_FUNCTIONS(HTTPD_ENTRY)
#undef HTTPD_ENTRY
};

const char *httpd_library_load(struct httpd_library *http)
{
    return library_load(http, httpd_functions, sizeof httpd_functions / sizeof *httpd_functions,
                        httpd_sonames);
}
