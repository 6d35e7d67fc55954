/* page_facts.c: Tasmota's Server header, Status 2 and 4, WLED's info, ESPEasy's /json, ElegantOTA's
 * identity, SafeBoot's texts. */
#include "upload/web/page_facts.h"

#include "base/escape.h"
#include "base/json_memory.h"
#include "base/version_match.h"
#include "http/status.h"
#include "image/image.h"
#include "upload/web/page_text.h"

#include <ctype.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

/* ESPEasy has the page of the ESP8266 core, or on an ESP32 a form with one file. */
static bool may_be_espeasy(const struct page *page)
{
    return page == &pages[PAGE_ESP8266] || page == &pages[PAGE_ESP32] || page == &pages[PAGE_FORM];
}

const char *page_facts_path(const struct page *page, bool wants_version)
{
    if (wants_version && may_be_espeasy(page))
        return "/json";

    if (page == &pages[PAGE_TASMOTA])
        return "/cm?cmnd=Status%202";
    if (page == &pages[PAGE_WLED])
        return "/json/info";
    if (page == &pages[PAGE_SAFEBOOT])
        return "/sbversion";
    return NULL;
}

/* An ESP8266 stores the image beside the running one, in the space that Status 4 tells of. The
 * safeboot firmware of an ESP32 replaces the running one, so the space beside it says nothing. */
const char *page_facts_room_path(const struct page *page, const struct page_facts *facts)
{
    if (page == &pages[PAGE_TASMOTA] && strcmp(facts->chips, "esp8266") == 0)
        return "/cm?cmnd=Status%204";
    return NULL;
}

/* SafeBoot tells the version of the recovery firmware; an upload does not replace that. */
bool page_facts_tell_version(const struct page *page, bool has_told)
{
    return page == &pages[PAGE_TASMOTA] || page == &pages[PAGE_WLED] ||
           (has_told && may_be_espeasy(page));
}

enum { PLAIN_MAX = 16, KIB_MAX = 1 << 20 };

/* Longer names first. The rest of the ESP32 family's names (ESP32-D0WD-V3) are packages. */
static const char *const known_chips[] = {
    "esp32c61", "esp32s2", "esp32s3", "esp32c2", "esp32c3", "esp32c5", "esp32c6",
    "esp32h2",  "esp32p4", "esp32",   "esp8266", "rp2040",  "rp2350",
};

/* Lower-case letters and digits only: "esp32s38mb". */
static void simplify_name(char plain[PLAIN_MAX], const char *name)
{
    size_t length = 0;

    for (; *name && length + 1 < PLAIN_MAX; name++)
        if (isalnum((unsigned char)*name))
            plain[length++] = (char)tolower((unsigned char)*name);
    plain[length] = '\0';
}

void page_facts_chips(char chips[KIND_CHIPS_MAX], const char *hardware)
{
    char plain[PLAIN_MAX];

    simplify_name(plain, hardware);
    if (strncmp(plain, "esp8285", 7) == 0)
        memcpy(plain, "esp8266", 7);

    *chips = '\0';
    for (size_t i = 0; i < sizeof known_chips / sizeof *known_chips && !*chips; i++)
        if (strncmp(plain, known_chips[i], strlen(known_chips[i])) == 0)
            snprintf(chips, KIND_CHIPS_MAX, "%s", known_chips[i]);
}

static void set_hardware(struct page_facts *facts, const char *hardware, size_t length)
{
    escape_text(facts->hardware, sizeof facts->hardware, hardware, length);
    page_facts_chips(facts->chips, facts->hardware);
}

/* "Tasmota/13.3.0 (ESP8266EX)" */
static void read_server(struct page_facts *facts, const char *server)
{
    static const char start[] = "Tasmota/";
    const char *version = server + sizeof start - 1;

    if (strncmp(server, start, sizeof start - 1) != 0)
        return;
    if (!*facts->version)
        escape_text(facts->version, sizeof facts->version, version, strcspn(version, " "));

    const char *hardware = strchr(version, '(');
    if (hardware)
        set_hardware(facts, hardware + 1, strcspn(hardware + 1, ")"));
}

/* The parts of which a version consists, cut to fit where they are escaped. */
enum { TASMOTA_PART_MAX = 41, WLED_PART_MAX = 31, ESPEASY_PART_MAX = 29 };

static void set_string(char *target, size_t capacity, const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));

    if (text)
        escape_string(target, capacity, text);
}

/* "2026-11-29T10:07:31" is put together on the board; its image contains the compiler's
 * __TIME__. */
static void set_time_mark(struct page_facts *facts, const char *built)
{
    enum { TIME_LENGTH = 8 };
    const char *time = strrchr(built, 'T');

    if (time && strlen(time + 1) == TIME_LENGTH && strspn(time + 1, "0123456789:") == TIME_LENGTH)
        snprintf(facts->mark, sizeof facts->mark, "%s", time + 1);
}

/* "14.3.0(safeboot)"; in builds of Tasmota's own, "14.3.0(release-safeboot)", or a commit in the
 * place of "release" (arendst/Tasmota, image_name in tasmota.ino). */
static bool is_safeboot(const char *version)
{
    return strstr(version, "(safeboot)") || strstr(version, "-safeboot)");
}

static bool read_status2(struct page_facts *facts, const json_t *root)
{
    const json_t *status = json_object_get(root, "StatusFWR");
    char version[TASMOTA_PART_MAX] = "", built[TASMOTA_PART_MAX] = "", hardware[PAGE_FACT_MAX] = "";

    set_string(version, sizeof version, status, "Version");
    set_string(built, sizeof built, status, "BuildDateTime");
    set_string(hardware, sizeof hardware, status, "Hardware");
    if (*hardware)
        set_hardware(facts, hardware, strlen(hardware));
    if (!*version)
        return false;
    set_time_mark(facts, built);
    facts->is_recovery = is_safeboot(version);
    snprintf(facts->version, sizeof facts->version, "%s%s%s", version, *built ? " of " : "", built);
    return true;
}

/* Tasmota's Status 4: Free is in KiB, and ends at a sector's end. */
static void read_status4(struct page_facts *facts, const json_t *root)
{
    const json_t *free_kib = json_object_get(json_object_get(root, "StatusMEM"), "Free");
    json_int_t kib = json_integer_value(free_kib);

    if (!json_is_integer(free_kib) || kib < 0 || kib > KIB_MAX)
        return;
    facts->has_room = true;
    facts->room = (size_t)kib * 1024;
}

static bool read_wled_info(struct page_facts *facts, const json_t *root)
{
    char brand[PAGE_FACT_MAX] = "", arch[PAGE_FACT_MAX] = "";
    char version[WLED_PART_MAX] = "", release[WLED_PART_MAX] = "";
    const json_t *build = json_object_get(root, "vid"), *uptime = json_object_get(root, "uptime");
    const json_int_t seconds = json_integer_value(uptime);

    set_string(brand, sizeof brand, root, "brand");
    set_string(version, sizeof version, root, "ver");
    set_string(arch, sizeof arch, root, "arch");
    set_string(release, sizeof release, root, "release");
    if (strcmp(brand, "WLED") != 0 || !*version)
        return false;
    if (*arch)
        set_hardware(facts, arch, strlen(arch));
    facts->has_uptime = json_is_integer(uptime) && seconds >= 0 && seconds <= UINT32_MAX;
    facts->uptime_s = facts->has_uptime ? (uint32_t)seconds : 0;
    snprintf(facts->mark, sizeof facts->mark, "%s",
             json_string_value(json_object_get(root, "ver")));
    snprintf(facts->version, sizeof facts->version, "%s", version);
    if (json_is_integer(build))
        snprintf(facts->version, sizeof facts->version, "%s (build %lld%s%s)", version,
                 (long long)json_integer_value(build), *release ? ", " : "", release);
    return true;
}

/* The build is a number (20116), or a text that begins with one in newer versions. */
static bool read_espeasy(struct page_facts *facts, const json_t *root)
{
    char build[ESPEASY_PART_MAX] = "", git[ESPEASY_PART_MAX] = "", built[ESPEASY_PART_MAX] = "";
    const json_t *system = json_object_get(root, "System");
    const json_t *number = json_object_get(system, "Build");
    const char *chip = json_string_value(json_object_get(system, "ESP Chip Model"));
    const char *mark = json_string_value(json_object_get(system, "Git Build"));

    set_string(build, sizeof build, system, "Build");
    set_string(git, sizeof git, system, "Git Build");
    set_string(built, sizeof built, system, "Build Time");
    if (json_is_integer(number))
        snprintf(build, sizeof build, "%lld", (long long)json_integer_value(number));
    if (!*build || !json_object_get(system, "Git Build"))
        return false;

    if (chip)
        set_hardware(facts, chip, strlen(chip));
    snprintf(facts->mark, sizeof facts->mark, "%s", mark ? mark : "");
    snprintf(facts->version, sizeof facts->version, "%s%s%s%s%s", build, *git ? ", " : "", git,
             *built ? " of " : "", built);
    return true;
}

/* {"id": A1B2C3, "hardware": "ESP8266"}: not always JSON. */
static void read_identity(struct page_facts *facts, const char *text)
{
    static const char key[] = "\"hardware\"";
    const char *name = strstr(text, key);

    name = name ? strchr(name + strlen(key), '"') : NULL;
    if (name)
        set_hardware(facts, name + 1, strcspn(name + 1, "\""));
}

static bool read_json(struct page_facts *facts, const struct page *page,
                      const struct http_reply *reply)
{
    json_t *root = json_memory_load(http_reply_text(reply), reply->body_length, 0, NULL);
    bool tells_version = false;

    if (!root)
        return false;
    if (page == &pages[PAGE_TASMOTA]) {
        tells_version = read_status2(facts, root);
        read_status4(facts, root);
    } else if (page == &pages[PAGE_WLED])
        tells_version = read_wled_info(facts, root);
    else if (may_be_espeasy(page))
        tells_version = read_espeasy(facts, root);
    json_decref(root);
    return tells_version;
}

/* "ESP32-S3 (8 MB)" is the board; another short text without markup is the version. */
static bool read_safeboot(struct page_facts *facts, const struct http_reply *reply)
{
    char text[PAGE_FACT_MAX];
    const char *body = http_reply_text(reply);

    if (!*body || strchr(body, '<') || reply->body_length >= PAGE_FACT_MAX ||
        http_reply_may_be_cut(reply)) /* "3.1" may be the beginning of "3.12" */
        return false;
    page_text(text, PAGE_FACT_MAX, body, reply->body_length);
    if (strncmp(text, "ESP32", 5) == 0) {
        set_hardware(facts, text, strlen(text));
        return false;
    }
    snprintf(facts->version, sizeof facts->version, "%s", text);
    return true;
}

/* A compressed image whose original is not there tells nothing. */
bool page_facts_fit_image(const struct page_facts *facts, const struct image *image)
{
    const struct image *plain = image->plain ? image->plain : image;

    if (!*facts->mark || image_is_compressed(plain))
        return !facts->is_recovery;
    return version_match_data(plain->data, plain->size, facts->mark);
}

bool page_facts_add(struct page_facts *facts, const struct page *page,
                    const struct http_reply *reply)
{
    if (page == &pages[PAGE_TASMOTA])
        read_server(facts, reply->server);
    if (reply->status != STATUS_OK)
        return false;
    if (page == &pages[PAGE_SAFEBOOT])
        return read_safeboot(facts, reply);
    if (page == &pages[PAGE_ELEGANTOTA]) {
        read_identity(facts, http_reply_text(reply));
        return false;
    }
    return read_json(facts, page, reply);
}
