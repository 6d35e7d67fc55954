/* version.c: --version, for bug reports: what was built, and the libraries that it uses here. */
#include "cli/version.h"

#include "discovery/avahi_library.h"
#include "http/curl_library.h"
#include "serve/httpd_library.h"
#include "upload/protocols.h"

#include <commit.h> /* cmake/commit.cmake writes it */
#include <jansson.h>
#include <openssl/crypto.h>
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <stdio.h>
#include <zlib.h>

enum { LIBRARY_VERSION_MAX = 64 };

static void print_libraries(void)
{
    char pcre2[LIBRARY_VERSION_MAX] = "";
    if (pcre2_config(PCRE2_CONFIG_VERSION, NULL) <= (int)sizeof pcre2)
        pcre2_config(PCRE2_CONFIG_VERSION, pcre2);

    printf("libraries: %s; zlib %s; jansson %s; PCRE2 %s\n", OpenSSL_version(OPENSSL_VERSION),
           zlibVersion(), jansson_version_str(), pcre2);
}

/* Why a feature does not work here, or the library by which it works. */
static void print_feature(const char *feature, const char *library, const char *reason)
{
    if (reason)
        printf("%s: not available: %s\n", feature, reason);
    else
        printf("%s: %s\n", feature, library);
}

/* Each reason is valid only until the next library is loaded. */
static void print_features(void)
{
    struct avahi_library avahi;
    struct curl_library curl;
    struct httpd_library http;
    char served[LIBRARY_VERSION_MAX];

    print_feature("boards by name", "libavahi-client", avahi_library_load(&avahi));

    const char *reason = curl_library_load(&curl);
    print_feature("update pages", reason ? "" : curl.version(), reason);

    reason = httpd_library_load(&http);
    snprintf(served, sizeof served, "libmicrohttpd %s", reason ? "" : http.get_version());
    print_feature("--serve", served, reason);
}

static void print_protocols(void)
{
    printf("protocols:");
    for (size_t i = 0; protocols[i]; i++)
        printf("%s %s", i ? "," : "", protocols[i]->name);
    putchar('\n');
}

void version_print(void)
{
    puts("esp-ota " ESP_OTA_VERSION);
    puts("commit: " ESP_OTA_COMMIT);
    print_libraries();
    print_features();
    print_protocols();
}
