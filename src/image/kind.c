/*
 * kind.c: looks up names of boards in kind_table.c, and guesses the chip from the parts of unknown
 * ones.
 */
#include "image/kind.h"

#include "base/escape.h"
#include "image/inspect.h"
#include "image/kind_table.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct kind_family kind_families[] = {
    {"esp8266", KIND_PORT_ESP8266, "ESP8266"},
    {"esp32*", KIND_PORT_ESP32, "ESP32"},
    {"rp*", KIND_PORT_PICO, "Pico W"},
    {"ch32h4", KIND_PORT_PICO, "CH32H4"},
};

const size_t kind_family_count = sizeof kind_families / sizeof *kind_families;

/* Longer names are cut; all known names are much shorter. */
enum { NAME_MAX_LENGTH = 63, SHOWN_MAX = 4 * NAME_MAX_LENGTH + 1 };

static bool elements_overlap(const char *one, size_t one_length, const char *other,
                             size_t other_length)
{
    bool one_is_open = one_length > 0 && one[one_length - 1] == '*';
    bool other_is_open = other_length > 0 && other[other_length - 1] == '*';
    size_t common;

    one_length -= one_is_open;
    other_length -= other_is_open;

    common = one_length < other_length ? one_length : other_length;
    if (strncmp(one, other, common) != 0)
        return false;

    if (one_length == other_length)
        return true;
    return one_length < other_length ? one_is_open : other_is_open;
}

bool kind_overlap(const char *chips, const char *other_chips)
{
    if (!*chips || !*other_chips)
        return true;

    for (const char *one = chips; *one; one += strspn(one, ",")) {
        size_t one_length = strcspn(one, ",");

        for (const char *other = other_chips; *other; other += strspn(other, ",")) {
            size_t other_length = strcspn(other, ",");

            if (elements_overlap(one, one_length, other, other_length))
                return true;
            other += other_length;
        }
        one += one_length;
    }
    return false;
}

static void set_chips(char chips[KIND_CHIPS_MAX], const char *text)
{
    snprintf(chips, KIND_CHIPS_MAX, "%s", text);
}

/* Skips the separator of "esp32-s3" and "ESP32_S3". */
static const char *skip_separator(const char *at)
{
    return *at == '-' || *at == '_' ? at + 1 : at;
}

/* rest: the part behind "esp32". Only plain names mean the first ESP32: "esp32_bee_s3", for
 * example, has a later chip. */
static void guess_esp32(struct kind *kind, const char *rest, bool is_start)
{
    const char *at = skip_separator(rest), *suffix = inspect_chip_suffix(at);
    bool is_plain = !*rest || strcmp(rest, "dev") == 0 || strcmp(rest, "_dev") == 0;
    bool is_longer_word = suffix && isalnum((unsigned char)at[strlen(suffix)]);

    set_chips(kind->likely, is_plain && is_start ? "esp32" : "esp32*");
    if (suffix)
        snprintf(kind->likely, sizeof kind->likely, "esp32%s", suffix);
    if (is_start)
        set_chips(kind->proven, is_longer_word ? "esp32*" : kind->likely);
}

/* Guesses the chips from a name, in lower case, that is not in the table. It may be the name of a
 * new board or of an old core ("ESP8266_NODEMCU"). */
static void guess_chips(struct kind *kind, const char *name)
{
    static const struct {
        const char *text;
        bool is_proof; /* if the name begins with the text */
        const char *chips;
    } rows[] = {
        {"esp8266", true, "esp8266"},
        {"rpipico2", true, "rp2350"},
        {"rpipico", true, "rp2040"},
        {"raspberry_pi_pico_2", true, "rp2350"},
        {"raspberry_pi_pico", true, "rp2040"},
        {"rp2040", false, "rp2040"},
        {"rp2350", false, "rp2350"},
        {"stm32", true, "stm32"},
        {"nucleo_", true, "stm32"},
        {"nrf52", true, "nrf52"},
        {"uno_r4", true, "ra4m1"},
        {"unor4", true, "ra4m1"},
    };
    const char *esp32 = strstr(name, "esp32");

    if (esp32) {
        guess_esp32(kind, esp32 + strlen("esp32"), esp32 == name);
        return;
    }

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char *found = strstr(name, rows[i].text);

        if (!found)
            continue;

        set_chips(kind->likely, rows[i].chips);
        if (found == name && rows[i].is_proof)
            set_chips(kind->proven, rows[i].chips);
        return;
    }
}

static int compare_names(const void *name, const void *row)
{
    return strcmp(name, ((const struct kind_row *)row)->name);
}

/* Finds the chips of a type in lower case. If the table has several chips for it, the parts of the
 * name may decide between them. */
static void find_by_type(struct kind *kind, const char *type)
{
    const struct kind_row *row =
        bsearch(type, kind_rows, kind_row_count, sizeof *kind_rows, compare_names);

    if (!row || strchr(row->chips, ','))
        guess_chips(kind, type);
    if (!row)
        return;

    if (!*kind->proven || !kind_overlap(row->chips, kind->proven))
        set_chips(kind->proven, row->chips);
    if (!*kind->likely || !kind_overlap(row->chips, kind->likely))
        set_chips(kind->likely, row->chips);
}

/* Returns the number of hexadecimal digits at the end of a default name. A domain may follow them,
 * or the number that mDNS adds to a name already in use; 0 if anything else follows. */
static size_t count_digits(const char *text)
{
    size_t digits = strspn(text, "0123456789abcdef");
    const char *rest = text + digits;
    size_t mark = 0;

    if (*rest == '-')
        mark = 1;
    else if (strncmp(rest, " #", 2) == 0)
        mark = 2;
    if (mark && isdigit((unsigned char)rest[mark]))
        rest += mark + strspn(rest + mark, "0123456789");
    return !*rest || *rest == '.' ? digits : 0;
}

/* Finds the chips of a default name in lower case. Its digits are those of the MAC address, or of
 * the chip's serial number. */
static void find_by_name(struct kind *kind, const char *name)
{
    static const struct {
        const char *prefix;
        unsigned lengths; /* the possible numbers of digits, as bits of a set */
        bool is_proof;
        const char *chips;
    } rows[] = {
        {"esp8266-", 1 << 6, true, "esp8266"},
        /* Espressif's SDK has such names for DHCP. Sketches for other chips choose them, too. */
        {"esp-", 1 << 6, false, "esp8266"},
        {"esp_", 1 << 6, false, "esp8266"},
        {"esp32-", 1 << 6 | 1 << 12, true, "esp32*"}, /* from the cores of all these chips */
        {"pico-", 1 << 6 | 1 << 8 | 1 << 12 | 1 << 16, true, "rp*"},
        {"ch32h4-", 1 << 6, true, "ch32h4"},
    };
    const char *suffix = NULL;
    size_t digits = 0;

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        size_t length = strlen(rows[i].prefix);

        if (strncmp(name, rows[i].prefix, length) != 0)
            continue;
        digits = count_digits(name + length);
        if (digits >= 32 || !(rows[i].lengths >> digits & 1))
            continue;

        set_chips(kind->likely, rows[i].chips);
        if (rows[i].is_proof)
            set_chips(kind->proven, rows[i].chips);
    }

    if (strncmp(name, "esp32", strlen("esp32")) == 0)
        suffix = inspect_chip_suffix(name + strlen("esp32"));
    if (suffix && name[strlen("esp32") + strlen(suffix)] == '-')
        digits = count_digits(name + strlen("esp32") + strlen(suffix) + 1);
    if (suffix && (digits == 6 || digits == 12))
        snprintf(kind->proven, sizeof kind->proven, "esp32%s", suffix);

    if (*kind->proven)
        set_chips(kind->likely, kind->proven);
}

void kind_list_chips(char *text, size_t capacity, const char *chips)
{
    const char *comma = strchr(chips, ',');

    if (!*chips || strchr(chips, '*'))
        *text = '\0';
    else if (comma)
        snprintf(text, capacity, " (%.*s or %s)", (int)(comma - chips), chips, comma + 1);
    else
        snprintf(text, capacity, " (%s)", chips);
}

static bool is_one_family(const char *chips)
{
    size_t families = 0;

    for (size_t i = 0; i < kind_family_count; i++)
        families += kind_overlap(chips, kind_families[i].chips);
    return families == 1;
}

static struct kind find_with(void (*find)(struct kind *, const char *), const char *verb,
                             const char *text)
{
    struct kind kind = {0};
    char lower[NAME_MAX_LENGTH + 1], shown[SHOWN_MAX];
    size_t length = 0;

    for (; length < sizeof lower - 1 && text[length]; length++)
        lower[length] = (char)tolower((unsigned char)text[length]);
    lower[length] = '\0';

    find(&kind, lower);
    if (*kind.likely)
        snprintf(kind.clue, sizeof kind.clue, "%s \"%s\"", verb,
                 escape_text(shown, sizeof shown, text, length));
    return kind;
}

void kind_find(struct kind *kind, const char *type, const char *const names[], size_t count)
{
    *kind = find_with(find_by_type, "announces itself as", type);
    for (size_t i = 0; i < count && !is_one_family(kind->proven); i++) {
        struct kind named = find_with(find_by_name, "is called", names[i]);
        bool is_better = !*kind->likely && *named.likely;

        if (*named.proven)
            is_better = kind_overlap(named.proven, kind->proven);
        if (is_better)
            *kind = named;
    }
}

/* Newer versions of ESPHome announce the chip ("ESP32-C3", "RP2350"), others its family. LibreTiny
 * always has the model: "BK7231N". */
static void find_by_platform(struct kind *kind, const char *platform)
{
    static const struct {
        const char *platform, *chips;
    } rows[] = {
        {"esp8266", "esp8266"}, {"esp32", "esp32*"},  {"rp2", "rp*"},
        {"rp2040", "rp*"},      {"rp2350", "rp2350"}, {"nrf52", "nrf52"},
    };
    static const struct {
        const char *begins, *chips;
    } models[] = {{"bk72", "bk72xx"}, {"rtl87", "rtl87xx"}, {"ln882", "ln882x"}};
    static const char esp32[] = "esp32";
    const char *suffix = NULL;

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (strcmp(platform, rows[i].platform) == 0)
            set_chips(kind->proven, rows[i].chips);
    for (size_t i = 0; i < sizeof models / sizeof *models; i++)
        if (strncmp(platform, models[i].begins, strlen(models[i].begins)) == 0)
            set_chips(kind->proven, models[i].chips);

    if (strncmp(platform, esp32, strlen(esp32)) == 0)
        suffix = inspect_chip_suffix(skip_separator(platform + strlen(esp32)));
    if (suffix)
        snprintf(kind->proven, sizeof kind->proven, "esp32%s", suffix);
    set_chips(kind->likely, kind->proven);
}

void kind_add_platform(struct kind *kind, const char *platform)
{
    const struct kind found = find_with(find_by_platform, "announces the platform", platform);

    if (!*kind->proven && *found.proven)
        *kind = found;
}
