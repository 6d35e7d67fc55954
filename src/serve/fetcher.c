/* fetcher.c: see fetcher.h. */
#include "serve/fetcher.h"

#include "base/hex.h"
#include "base/text.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

static const struct fetcher_kind {
    unsigned family;
    const char *name;
    const char *header; /* what the names of its headers begin with */
    const char *agent;  /* what its User-Agent begins with */
} fetcher_kinds[] = {
    {INSPECT_FAMILY_ESP8266, "ESP8266", "x-ESP8266-", "ESP8266-http-Update"},
    {INSPECT_FAMILY_ESP32, "ESP32", "x-ESP32-", "ESP32-http-Update"},
    {INSPECT_FAMILY_PICO, "Pico W", "x-Pico-", "Pico-HTTP-Update"},
    /* As in the first releases of arduino-pico with HTTPUpdate: a name is missing. */
    {INSPECT_FAMILY_PICO, "Pico W", "x--", "-http-Update"},
    /* ESP-IDF's own client, whatever the chip. */
    {INSPECT_FAMILY_ESP32, "ESP32", NULL, "ESP32 HTTP Client/"},
};
enum { FETCHER_KINDS = sizeof fetcher_kinds / sizeof *fetcher_kinds };

static bool has_beginning(const char *text, const char *beginning)
{
    return strncasecmp(text, beginning, strlen(beginning)) == 0;
}

static void learn_mac(struct fetcher *fetcher, const char *value)
{
    struct mac mac;

    if ((fetcher->has_mac && !fetcher->is_base_mac) || !mac_parse(&mac, value))
        return;
    fetcher->mac = mac;
    fetcher->has_mac = true;
    fetcher->is_base_mac = false;
}

/* A board without Wi-Fi has no other (an ESP32-P4 with Ethernet). */
static void learn_base_mac(struct fetcher *fetcher, const char *value)
{
    if (!fetcher->has_mac)
        fetcher->has_mac = fetcher->is_base_mac = mac_parse(&fetcher->mac, value);
}

/* Reads hexadecimal digits, length of them, in lower case. */
static void learn_digest(bool *has_digest, char *digest, size_t length, const char *value)
{
    if (*has_digest || strlen(value) != length || strspn(value, HEX_DIGITS) != length)
        return;

    for (size_t i = 0; i <= length; i++)
        digest[i] = (char)tolower((unsigned char)value[i]);
    *has_digest = true;
}

static void learn_md5(struct fetcher *fetcher, const char *value)
{
    learn_digest(&fetcher->has_md5, fetcher->md5, DIGEST_MD5_HEX, value);
}

static void learn_sha256(struct fetcher *fetcher, const char *value)
{
    learn_digest(&fetcher->has_sha256, fetcher->sha256, DIGEST_SHA256_HEX, value);
}

static void learn_free_space(struct fetcher *fetcher, const char *value)
{
    const char *end;
    uint64_t size;

    if (!fetcher->has_free_space && parse_decimal(value, UINT32_MAX, &size, &end) && *end == '\0') {
        fetcher->free_space = size;
        fetcher->has_free_space = true;
    }
}

static void learn_version(struct fetcher *fetcher, const char *value)
{
    const size_t length = strlen(value);

    if (fetcher->has_version || length == 0 || length >= FETCHER_VERSION_MAX)
        return;
    memcpy(fetcher->version, value, length + 1);
    fetcher->has_version = true;
}

static void learn_mode(struct fetcher *fetcher, const char *value)
{
    static const struct {
        const char *value;
        enum fetcher_mode mode;
        enum inspect_format filesystem;
    } modes[] = {{"sketch", FETCHER_SKETCH, INSPECT_UNKNOWN},
                 /* said of LittleFS, too, and of FAT where there is no such partition */
                 {"spiffs", FETCHER_FILESYSTEM, INSPECT_UNKNOWN},
                 /* HTTPUpdate of arduino-esp32 from 2026 on: updateFatfs() and others; flashfs is
                  * for the filesystem that the board has, whichever that is */
                 {"fatfs", FETCHER_FILESYSTEM, INSPECT_FAT},
                 {"littlefs", FETCHER_FILESYSTEM, INSPECT_LITTLEFS},
                 {"flashfs", FETCHER_FILESYSTEM, INSPECT_UNKNOWN},
                 {"version", FETCHER_VERSION, INSPECT_UNKNOWN}};

    if (fetcher->mode != FETCHER_UNSAID)
        return;
    fetcher->mode = FETCHER_OTHER_MODE;
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++)
        if (strcasecmp(value, modes[i].value) == 0) {
            fetcher->mode = modes[i].mode;
            fetcher->filesystem = modes[i].filesystem;
        }
}

/* What a header says, by its name without the beginning. */
static const struct {
    const char *name;
    void (*learn)(struct fetcher *fetcher, const char *value);
} fetcher_facts[] = {{"STA-MAC", learn_mac},
                     {"BASE-MAC", learn_base_mac},
                     {"sketch-md5", learn_md5},
                     {"sketch-sha256", learn_sha256},
                     {"free-space", learn_free_space},
                     {"version", learn_version},
                     {"mode", learn_mode}};

static void learn_family(struct fetcher *fetcher, unsigned family)
{
    if (fetcher->family == 0)
        fetcher->family = family;
}

static void read_agent(struct fetcher *fetcher, const char *value)
{
    for (size_t i = 0; i < FETCHER_KINDS; i++)
        if (has_beginning(value, fetcher_kinds[i].agent))
            learn_family(fetcher, fetcher_kinds[i].family);
}

static void read_fact(struct fetcher *fetcher, const struct fetcher_kind *kind, const char *name,
                      const char *value)
{
    learn_family(fetcher, kind->family);
    if (fetcher->family != kind->family)
        return;
    for (size_t i = 0; i < sizeof fetcher_facts / sizeof *fetcher_facts; i++)
        if (strcasecmp(name, fetcher_facts[i].name) == 0)
            fetcher_facts[i].learn(fetcher, value);
}

void fetcher_read_header(struct fetcher *fetcher, const char *name, const char *value)
{
    if (strcasecmp(name, "User-Agent") == 0)
        read_agent(fetcher, value);

    for (size_t i = 0; i < FETCHER_KINDS; i++) {
        const char *beginning = fetcher_kinds[i].header;
        if (beginning && has_beginning(name, beginning))
            read_fact(fetcher, &fetcher_kinds[i], name + strlen(beginning), value);
    }
}

const char *fetcher_family_name(unsigned family)
{
    for (size_t i = 0; i < FETCHER_KINDS; i++)
        if (fetcher_kinds[i].family == family)
            return fetcher_kinds[i].name;
    return "";
}

bool fetcher_unpacks(const struct fetcher *fetcher)
{
    return (fetcher->family & (INSPECT_FAMILY_ESP8266 | INSPECT_FAMILY_PICO)) != 0;
}
