/*
 * job_rules.c: see job_rules.h. Touches nothing but its arguments.
 */
#include "job_rules.h"

#include <signal.h>
#include <string.h>

static const int64_t PAUSE_MIN_US = 1000000; /* a lost connection: idle again after 1.1 s */
static const int64_t PAUSE_MAX_US = 5000000;

enum { BLOCK_8266 = 1460, BLOCK_ESP32 = 1024 };

size_t job_rules_block(const struct options *options, const struct image *image)
{
    if (options->block)
        return options->block;
    return image->family == IMAGE_ESP32 ? BLOCK_ESP32 : BLOCK_8266;
}

int64_t job_rules_pause_us(unsigned attempt)
{
    int64_t doubled_us = PAUSE_MIN_US << (attempt < 4 ? attempt - 1 : 3);
    return doubled_us < PAUSE_MAX_US ? doubled_us : PAUSE_MAX_US;
}

int64_t job_rules_restart_us(const struct image *image)
{
    return image->family == IMAGE_ESP32 ? 800000 : 2500000;
}

bool job_rules_is_break(enum ota_error error)
{
    return error == OTA_E_LOST || error == OTA_E_STALLED;
}

bool job_rules_is_absence(enum ota_error error)
{
    return error == OTA_E_NOT_FOUND || error == OTA_E_NO_ANSWER || error == OTA_E_NOT_LISTENING ||
           error == OTA_E_UNREACHABLE;
}

bool job_rules_wants_plain(const struct image *image, const struct ota_failure *failure)
{
    return image && image->plain && failure->error == OTA_E_BOARD &&
           strstr(failure->message, "ERROR[10]");
}

static const char *default_port_source(const struct image *image)
{
    switch (image->family) {
    case IMAGE_ESP8266:
        return "the default port of ESP8266 boards";
    case IMAGE_ESP32:
        return "the default port of ESP32 boards";
    case IMAGE_PICO:
        return "the default port of Pico W boards";
    case IMAGE_UNKNOWN:
        break;
    }
    return "the default port of ESP8266 boards, as the image names no chip";
}

uint16_t job_rules_port(const struct assignment *assignment, uint16_t announced,
                        const char **source)
{
    if (assignment->target.port) {
        *source = "the given port";
        return assignment->target.port;
    }
    if (announced) {
        *source = "the announced port";
        return announced;
    }
    *source = default_port_source(assignment->image);
    return image_default_port(assignment->image);
}

const char *job_rules_signal_name(int number)
{
    static const char *const names[] = {
        [SIGHUP] = "SIGHUP", [SIGINT] = "SIGINT", [SIGQUIT] = "SIGQUIT"};
    bool is_named = number > 0 && (size_t)number < sizeof names / sizeof *names && names[number];
    return is_named ? names[number] : "SIGTERM";
}
