/* The update pages, and what is known of each. Texts that are said on the wire are the boards' own;
 * of their pages only the parts by which programs recognise them are here. */
#include "web_page.h"

#include <stdio.h>
#include <string.h>

#define MS(n) ((int64_t)(n)*1000)

#define CORS "Access-Control-Allow-Headers: *\r\nAccess-Control-Allow-Origin: *\r\n"
#define UPDATE_SUCCESS                                                                             \
    "<META http-equiv=\"refresh\" content=\"15;URL=/\">Update Success! Rebooting..."
#define FORM(path, field, accept, submit)                                                          \
    "<form method='POST' action='" path "' enctype='multipart/form-data'>"                         \
    "<input type='file' accept='" accept "' name='" field "'>"                                     \
    "<input type='submit' value='" submit "'></form>"

static const struct resource esp8266_resources[] = {
    {"/update", "text/html",
     "<!DOCTYPE html><html lang='en'><body>" FORM("", "firmware", ".bin,.bin.gz", "Update Firmware")
         FORM("", "filesystem", ".bin,.bin.gz", "Update FileSystem") "</body></html>",
     false},
    {NULL, NULL, NULL, false},
};

static const struct resource esp32_resources[] = {
    {"/update", "text/html",
     "<!DOCTYPE html><html lang='en'><body>" FORM("", "firmware", ".bin,.bin.gz", "Update Firmware")
         FORM("", "filesystem", ".bin,.bin.gz,.image", "Update FileSystem") "</body></html>",
     false},
    {NULL, NULL, NULL, false},
};

static const struct resource form_resources[] = {
    {"/", "text/html", "<html><body>" FORM("/flash", "image", ".bin", "Send") "</body></html>",
     false},
    {NULL, NULL, NULL, false},
};

/* clang-format off */
static const struct page pages[] = {
    {
        .name = "esp8266", .help = "ESP8266HTTPUpdateServer, and the Pico's HTTPUpdateServer",
        .server = SERVER_OF_CORE, .scheme = AUTH_BASIC, .user = "admin",
        .resources = esp8266_resources, .upload_path = "/update", .filesystem = "filesystem",
        .allows_at_file = true, .headers = CORS,
        .success = {200, "text/html", NULL, UPDATE_SUCCESS, 0, false},
        .failure = {200, "text/html", NULL, "Update error: %s", 0, false},
        .fin_us = MS(100), .restart_us = 0,
    },
    {
        .name = "esp32", .help = "the ESP32's HTTPUpdateServer, cores from 3.2.1: checks Origin",
        .server = SERVER_OF_CORE, .scheme = AUTH_BASIC, .user = "admin", .check = CHECK_ORIGIN,
        .resources = esp32_resources, .upload_path = "/update", .filesystem = "filesystem",
        .allows_at_file = true,
        .success = {200, "text/html", NULL, UPDATE_SUCCESS, 0, false},
        .failure = {200, "text/html", NULL, "Update error: %s", 0, false},
        .fin_us = MS(100), .restart_us = 0,
    },
    {
        .name = "form", .help = "a hand-made page at / on the core's server, POST /flash",
        .server = SERVER_OF_CORE, .scheme = AUTH_BASIC, .user = "admin",
        .resources = form_resources, .upload_path = "/flash", .bare_errors = true,
        .success = {200, "text/plain", NULL, "Done", 0, false},
        .failure = {500, "text/plain", NULL, "error: %s", 0, false},
        .fin_us = -1, .restart_us = MS(500),
    },
};
/* clang-format on */

const struct page *page_find(const char *name)
{
    for (size_t i = 0; i < sizeof pages / sizeof pages[0]; i++)
        if (strcmp(pages[i].name, name) == 0)
            return &pages[i];
    return NULL;
}

void page_help(void)
{
    for (size_t i = 0; i < sizeof pages / sizeof pages[0]; i++)
        printf("  %-17s %s\n", pages[i].name, pages[i].help);
}
