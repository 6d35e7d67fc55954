/* The update pages, and what is known of each. Texts that are said on the wire are the boards' own;
 * of their pages only the parts by which programs recognize them are here. */
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

static const struct resource async_updater_resources[] = {
    {"/update", "text/html",
     "<!doctypehtml><html lang=en>" FORM("?name=firmware", "firmware", ".bin,.bin.gz",
                                         "Update Firmware")
         FORM("?name=filesystem", "filesystem", ".bin,.bin.gz", "Update FileSystem"),
     false},
    {NULL, NULL, NULL, false},
};

static const struct resource form_resources[] = {
    {"/", "text/html", "<html><body>" FORM("/flash", "image", ".bin", "Send") "</body></html>",
     false},
    {NULL, NULL, NULL, false},
};

static const struct resource async_resources[] = {
    {"/", "text/plain", "root\n", true},
    {"/update", "text/html",
     "<html><body>" FORM("/update", "update", ".bin", "Update") "</body></html>", false},
    {NULL, NULL, NULL, false},
};

/* The password of this page is a comparison in its script. */
static const struct resource webupdater_old_resources[] = {
    {"/", "text/html",
     "<html><body><form name='loginForm'>ESP32 Login Page"
     "<input name='userid'><input name='pwd' type='password'></form>"
     "<script>window.open('/serverIndex')</script></body></html>",
     true},
    {"/serverIndex", "text/html",
     "<html><body><form method='POST' action='#' enctype='multipart/form-data' id='upload_form'>"
     "<input type='file' name='update'></form></body></html>",
     true},
    {NULL, NULL, NULL, false},
};

static const struct resource esphome_resources[] = {
    {"/", "text/html", "<!DOCTYPE html><html><body><esp-app></esp-app></body></html>", false},
    {NULL, NULL, NULL, false},
};

/* Its script sends the file; what it calls "filename" is a text. */
static const struct resource espurna_resources[] = {
    {"/", "text/html",
     "<!DOCTYPE html><html><head><title>ESPurna 0.0.0</title></head><body>"
     "<input name=\"filename\" type=\"text\" readonly><input name=\"upgrade\" type=\"file\">"
     "<input id=\"uploader\" type=\"file\"></body></html>",
     false},
    {NULL, NULL, NULL, false},
};

static const struct resource safeboot_resources[] = {
    {"/", "text/html",
     "<html><head><title>SafeBoot</title></head><body>" FORM("/", "firmware", ".bin",
                                                             "Update") "</body></html>",
     true},
    {"/sbversion", "text/plain", "v3.2.5", true},
    {"/chipspecs", "text/plain", "ESP32-D0WD-V3 (4 MB)", true},
    {NULL, NULL, NULL, false},
};

static const struct resource wifimanager_resources[] = {
    {"/update", "text/html",
     "<!DOCTYPE html><html lang='de'><body class=''><div class='wrap'>" FORM(
         "u", "update", ".bin,application/octet-stream", "Update") "</div></body></html>",
     false},
    {NULL, NULL, NULL, false},
};

static const struct page_service http_service[] = {{"_http._tcp", NULL}, {NULL, NULL}};
static const struct page_service tasmota_services[] = {{"_http._tcp", "devicetype=tasmota"},
                                                       {NULL, NULL}};
static const struct page_service wled_services[] = {
    {"_wled._tcp", "mac=%m"}, {"_http._tcp", NULL}, {NULL, NULL}};
static const struct page_service sketch_services[] = {
    {"_arduino._tcp", "ssh_upload=no tcp_check=no auth_upload=yes board=%b"}, {NULL, NULL}};
static const struct page_service esphome_services[] = {
    {"_http._tcp", NULL}, {"_esphomelib._tcp", NULL}, {NULL, NULL}};

#define CLOSES "Connection: close\r\n"
#define OPEN_TO_ALL "Access-Control-Allow-Origin: *\r\n"

/* clang-format off */
static const struct page pages[] = {
    {
        .name = "esp8266", .help = "ESP8266HTTPUpdateServer, and the Pico's HTTPUpdateServer",
        .server = SERVER_OF_CORE, .scheme = AUTH_BASIC, .user = "admin",
        .resources = esp8266_resources, .upload_path = "/update", .filesystem = "filesystem",
        .allows_at_file = true, .challenge_has_headers = true, .headers = CORS,
        .success = {200, "text/html", NULL, UPDATE_SUCCESS, 0, false},
        .failure = {200, "text/html", NULL, "Update error: %s", 0, false},
        .fin_us = MS(100), .restart_us = 0, .hooks = &espeasy_hooks, .services = http_service,
    },
    {
        .name = "esp32", .help = "the ESP32's HTTPUpdateServer, cores from 3.2.1: checks Origin",
        .server = SERVER_OF_CORE, .scheme = AUTH_BASIC, .user = "admin", .check = CHECK_ORIGIN,
        .resources = esp32_resources, .upload_path = "/update", .filesystem = "filesystem",
        .allows_at_file = true, .says_wrong_origin = true,
        .success = {200, "text/html", NULL, UPDATE_SUCCESS, 0, false},
        .failure = {200, "text/html", NULL, "Update error: %s", 0, false},
        .fin_us = MS(100), .restart_us = 0, .services = http_service,
    },
    {
        .name = "form", .help = "a hand-made page at / on the core's server, POST /flash",
        .server = SERVER_OF_CORE, .scheme = AUTH_BASIC, .user = "admin",
        .resources = form_resources, .upload_path = "/flash", .bare_errors = true,
        .keeps_running = true,
        .success = {200, "text/plain", NULL, "Done", 0, false},
        .failure = {500, "text/plain", NULL, "error: %s", 0, false},
        .fin_us = -1, .restart_us = MS(500), .services = http_service,
    },
    {
        .name = "webupdater", .help = "OTAWebUpdater, cores 3.x: 307 is the success; checks Origin",
        .server = SERVER_OF_CORE, .scheme = AUTH_BASIC, .user = "admin", .check = CHECK_ORIGIN,
        .upload_path = "/update", .bare_errors = true, .allows_at_file = true,
        .headers = CLOSES,
        .keeps_running = true,
        .success = {307, "text/html", CLOSES "Refresh: 10\r\nLocation: /\r\n", "", 0, false},
        .failure = {502, "text/plain", NULL, "%s", 0, false},
        .fin_us = MS(500), .restart_us = 0, .hooks = &webupdater_hooks, .services = http_service,
    },
    {
        .name = "webupdater-old", .help = "OTAWebUpdater, cores 1.x and 2.x: always restarts",
        .server = SERVER_OF_CORE, .scheme = AUTH_BASIC, .user = "admin",
        .resources = webupdater_old_resources, .upload_path = "/update", .succeeds_empty = true,
        .restarts_always = true, .ignores_password = true, .headers = CLOSES,
        .keeps_running = true,
        .success = {200, "text/plain", NULL, "OK", 0, false},
        .failure = {200, "text/plain", NULL, "FAIL", 0, false},
        .fin_us = -1, .restart_us = 0, .services = http_service,
    },
    {
        .name = "elegantota", .help = "ElegantOTA 3 on the core's server: /ota/start, /ota/upload",
        .server = SERVER_OF_CORE, .scheme = AUTH_BASIC, .user = "admin",
        .upload_path = "/ota/upload", .writes_unauthorised = true, .succeeds_empty = true,
        .headers = CLOSES,
        .keeps_running = true,
        .success = {200, "text/plain", NULL, "OK", 0, false},
        .failure = {400, "text/plain", NULL, "%s\n", 0, false},
        .fin_us = -1, .restart_us = MS(2000), .hooks = &elegant_hooks, .services = http_service,
    },
    {
        .name = "elegantota-async", .help = "the same on ESPAsyncWebServer",
        .server = SERVER_ASYNC, .scheme = AUTH_DIGEST, .user = "admin",
        .upload_path = "/ota/upload", .succeeds_empty = true, .keeps_running = true,
        .headers = OPEN_TO_ALL,
        .success = {200, "text/plain", NULL, "OK", 0, false},
        .failure = {400, "text/plain", NULL, "%s\n", 0, false},
        .fin_us = -1, .restart_us = MS(2000), .hooks = &elegant_hooks, .services = http_service,
    },
    {
        .name = "elegantota2", .help = "AsyncElegantOTA: the field MD5 before the file; always restarts",
        .server = SERVER_ASYNC, .scheme = AUTH_DIGEST, .user = "admin",
        .upload_path = "/update", .succeeds_empty = true, .keeps_running = true,
        .restarts_always = true, .headers = OPEN_TO_ALL,
        .success = {200, "text/plain", NULL, "OK", 0, false},
        .failure = {500, "text/plain", NULL, "FAIL", 0, false},
        .fin_us = -1, .restart_us = MS(1000), .hooks = &elegant2_hooks, .services = http_service,
    },
    {
        .name = "elegantota2-core", .help = "ElegantOTA 2 on an ESP8266's own server: as esp8266",
        .server = SERVER_OF_CORE, .scheme = AUTH_BASIC, .user = "admin",
        .upload_path = "/update", .filesystem = "filesystem", .allows_at_file = true,
        .headers = CORS,
        .success = {200, "text/html", NULL, UPDATE_SUCCESS, 0, false},
        .failure = {200, "text/html", NULL, "Update error: %s", 0, false},
        .fin_us = MS(100), .restart_us = 0, .hooks = &elegant2_core_hooks,
        .services = http_service,
    },
    {
        .name = "asyncupdate", .help = "ESPAsyncHTTPUpdateServer: crashes without ?name=",
        .server = SERVER_ASYNC, .scheme = AUTH_DIGEST, .user = "admin",
        .resources = async_updater_resources, .upload_path = "/update", .succeeds_empty = true,
        .allows_at_file = true, .keeps_running = true, .headers = CLOSES,
        .success = {200, "text/html", NULL, UPDATE_SUCCESS, 0, false},
        .failure = {200, "text/html", NULL, "Update error: %s", 0, false},
        .fin_us = -1, .restart_us = MS(1000), .hooks = &async_updater_hooks,
        .services = http_service,
    },
    {
        .name = "async", .help = "a hand-made page on ESPAsyncWebServer: OK or FAIL, restarts",
        .server = SERVER_ASYNC, .scheme = AUTH_DIGEST, .user = "admin",
        .resources = async_resources, .upload_path = "/update", .succeeds_empty = true,
        .keeps_running = true, .restarts_always = true, .headers = OPEN_TO_ALL,
        .success = {200, "text/plain", NULL, "OK", 0, false},
        .failure = {200, "text/plain", NULL, "FAIL", 0, false},
        .fin_us = -1, .restart_us = MS(500), .services = http_service,
    },
    {
        .name = "tasmota", .help = "Tasmota from 15.5: /up before /u2; checks Referer",
        .server = SERVER_OF_CORE, .scheme = AUTH_BASIC, .user = "admin", .check = CHECK_REFERER,
        .upload_path = "/u2", .writes_unauthorised = true, .names_server = true,
        .fin_us = -1, .restart_us = MS(1000), .version = "15.5.0", .version_after = "15.6.0",
        .hooks = &tasmota_hooks, .services = tasmota_services,
    },
    {
        .name = "wled", .help = "WLED from 16: demands the release, or skipValidation",
        .server = SERVER_ASYNC, .scheme = AUTH_DIGEST, .user = "", .ignores_password = true,
        .upload_path = "/update", .bare_errors = true,
        .success = {200, "text/html", NULL,
                    "<html><body><h2>Update successful!</h2>Rebooting...</body></html>", 0, false},
        .failure = {500, "text/html", NULL,
                    "<html><body><h2>Update failed!</h2>%s</body></html>", 0, false},
        .fin_us = -1, .restart_us = MS(1000), .version = "16.0.0", .version_after = "16.1.0",
        .hooks = &wled_hooks, .services = wled_services,
    },
    {
        .name = "wled-old", .help = "WLED up to 0.15",
        .server = SERVER_ASYNC, .scheme = AUTH_DIGEST, .user = "", .ignores_password = true,
        .upload_path = "/update", .keeps_running = true, .bare_errors = true,
        .success = {200, "text/html", NULL,
                    "<html><body><h2>Update successful!</h2>Rebooting...</body></html>", 0, false},
        .failure = {500, "text/html", NULL,
                    "<html><body><h2>Update failed!</h2>Please check your file and retry!</body>"
                    "</html>", 0, false},
        .fin_us = -1, .restart_us = MS(1000), .version = "0.15.0", .version_after = "0.15.1",
        .hooks = &wled_old_hooks, .services = wled_services,
    },
    {
        .name = "esphome", .help = "ESPHome's web server on an ESP32 (ESP-IDF)",
        .server = SERVER_OF_IDF, .scheme = AUTH_BASIC, .user = "admin",
        .resources = esphome_resources, .upload_path = "/update", .keeps_running = true,
        .appends = true, .headers = CLOSES,
        .success = {200, "text/plain", NULL, "Update Successful!", 0, false},
        .failure = {200, "text/plain", NULL, "Update Failed!", 0, false},
        .fin_us = -1, .restart_us = MS(100), .version = "2026.10.0", .version_after = "2026.11.0",
        .services = esphome_services,
    },
    {
        .name = "esphome-async", .help = "ESPHome's web server on an ESP8266",
        .server = SERVER_ASYNC, .scheme = AUTH_DIGEST, .user = "admin",
        .resources = esphome_resources, .upload_path = "/update", .keeps_running = true,
        .appends = true,
        .success = {200, "text/plain", NULL, "Update Successful!", 0, false},
        .failure = {200, "text/plain", NULL, "Update Failed!", 0, false},
        .fin_us = -1, .restart_us = MS(100), .version = "2026.10.0", .version_after = "2026.11.0",
        .services = esphome_services,
    },
    {
        .name = "espurna", .help = "ESPurna's web interface",
        .server = SERVER_ASYNC, .scheme = AUTH_DIGEST, .user = "admin",
        .resources = espurna_resources, .upload_path = "/upgrade", .keeps_running = true,
        .headers = "X-Frame-Options: deny\r\n",
        .success = {200, "text/plain", NULL, "OK", 0, false},
        .failure = {500, "text/plain", NULL, "%s", 0, false},
        .fin_us = -1, .restart_us = MS(1000), .hooks = &espurna_hooks, .services = http_service,
    },
    {
        .name = "safeboot", .help = "MycilaSafeBoot, the recovery firmware of an ESP32",
        .server = SERVER_OF_CORE, .scheme = AUTH_BASIC, .user = "", .ignores_password = true,
        .resources = safeboot_resources, .upload_path = "/", .bare_errors = true,
        .success = {200, "text/plain", NULL, "Update Success! Rebooting...", 0, false},
        .failure = {500, "text/plain", NULL, "Update error: %s", 0, false},
        .fin_us = -1, .restart_us = MS(500), .hooks = &safeboot_hooks, .services = http_service,
    },
    {
        .name = "wifimanager", .help = "WiFiManager, in German: the form at /update leads to /u",
        .server = SERVER_OF_CORE, .scheme = AUTH_BASIC, .user = "admin",
        .resources = wifimanager_resources, .upload_path = "/u", .bare_errors = true,
        .has_error_numbers = true,
        .success = {200, "text/html", NULL,
                    "<html lang='de'><div class='msg S'><strong>Update erfolgreich.</strong></div>"
                    "</html>", 0, false},
        .failure = {200, "text/html", NULL,
                    "<html lang='de'><div class='msg D'><strong>Update fehlgeschlagen!</strong>"
                    "</div>OTA Error: %s</html>", 0, false},
        .fin_us = -1, .restart_us = MS(1000), .services = http_service,
    },
    {
        .name = "sketch", .help = "a sketch server (JAndrassy's ArduinoOTA): POST /sketch, port 65280",
        .server = SERVER_SKETCH, .scheme = AUTH_BASIC, .user = "arduino", .upload_path = "/sketch",
        .port = 65280, .fin_us = MS(500), .restart_us = MS(500), .hooks = &sketch_hooks,
        .services = sketch_services,
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
