/* version.c: --version, for bug reports: what was built, and the libraries that it uses here. */
#include "cli/version.h"

#include "base/library.h"
#include "upload/protocols.h"

#include <commit.h> /* cmake/commit.cmake writes it */
#include <jansson.h>
#include <openssl/crypto.h>
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <stdio.h>
#include <zlib.h>

enum { LIBRARY_VERSION_MAX = 64 };

static void print_libraries(FILE *stream)
{
    char pcre2[LIBRARY_VERSION_MAX] = "";
    if (pcre2_config(PCRE2_CONFIG_VERSION, NULL) <= (int)sizeof pcre2)
        pcre2_config(PCRE2_CONFIG_VERSION, pcre2);

    fprintf(stream, "libraries: %s; zlib %s; jansson %s; PCRE2 %s; inih %s\n",
            OpenSSL_version(OPENSSL_VERSION), zlibVersion(), jansson_version_str(), pcre2,
            ESP_OTA_INIH_VERSION);
}

/* Loading them only to learn their versions would take several times as long as the rest. */
static void print_features(FILE *stream)
{
    fprintf(stream,
            "boards by name: libavahi-client, %s\n"
            "update pages: libcurl, %s\n"
            "--serve: libmicrohttpd, %s\n",
            LIBRARY_BINDING, LIBRARY_BINDING, LIBRARY_BINDING);
}

static void print_protocols(FILE *stream)
{
    fprintf(stream, "protocols:");
    for (size_t i = 0; protocols[i]; i++)
        fprintf(stream, "%s %s", i ? "," : "", protocols[i]->name);
    fputc('\n', stream);
}

void version_print(FILE *stream)
{
    fputs("esp-ota " ESP_OTA_VERSION "\n", stream);
    fputs("commit: " ESP_OTA_COMMIT "\n", stream);
    print_libraries(stream);
    print_features(stream);
    print_protocols(stream);
}
