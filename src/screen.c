/*
 * screen.c: the image's inspection held against the command line and the board's announcement. It
 * asks nobody and prints nothing.
 */
#include "screen.h"

#include "discover.h"
#include "escape.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

static const char *article(const char *name)
{
    return strchr("AEIOU", *name) ? "an" : "a";
}

enum screening screen_image(char reason[SCREEN_REASON_MAX], const struct image *image,
                            enum ota_command command)
{
    const struct inspection *inspection = &image->inspection;
    const char *name = inspection->name;
    *reason = '\0';
    if (inspection->sending == INSPECT_IMPOSSIBLE) {
        snprintf(reason, SCREEN_REASON_MAX, "%s", inspection->verdict);
        return SCREEN_REFUSED;
    }
    if (command == OTA_COMMAND_FILESYSTEM && inspection->kind == INSPECT_SKETCH) {
        snprintf(reason, SCREEN_REASON_MAX,
                 "is %s %s, a program, and not a filesystem image: leave -s out", article(name),
                 name);
        return SCREEN_REFUSED;
    }
    if (command == OTA_COMMAND_SKETCH && inspection->kind == INSPECT_FILESYSTEM) {
        snprintf(reason, SCREEN_REASON_MAX, "is %s %s, not a program: add -s", article(name), name);
        return SCREEN_REFUSED;
    }
    if (inspection->sending == INSPECT_SENDABLE)
        return SCREEN_SUITS;
    snprintf(reason, SCREEN_REASON_MAX, "%s", inspection->verdict);
    return SCREEN_DOUBTFUL;
}

/* What the name of a board says about its chip. */
struct guess {
    const char *family; /* with which the names of such chips begin; NULL: it says nothing */
    char chip[16];      /* "": only the family is clear */
    bool is_certain;    /* the chip, or without one the family, beyond doubt */
    bool is_family_certain;
};

static bool is_word_end(char character)
{
    return !isalnum((unsigned char)character);
}

/* Skips the separator of "esp32-s3" and "ESP32_S3". */
static const char *skip_separator(const char *at)
{
    return *at == '-' || *at == '_' ? at + 1 : at;
}

/* rest: what is behind "esp32". */
static struct guess guess_esp32(const char *rest, bool is_start)
{
    struct guess guess = {.family = "esp32", .is_certain = is_start, .is_family_certain = is_start};
    const char *at = skip_separator(rest), *suffix = inspect_chip_suffix(at);
    if (suffix) {
        snprintf(guess.chip, sizeof guess.chip, "esp32%s", suffix);
        guess.is_certain = is_start && is_word_end(at[strlen(suffix)]);
        return guess;
    }
    /* "esp32_bee_s3" has a later chip: only these plain names mean the first one. */
    if (is_start && (!*rest || strcmp(rest, "dev") == 0 || strcmp(rest, "_dev") == 0))
        snprintf(guess.chip, sizeof guess.chip, "esp32");
    return guess;
}

/* The names are those of the Arduino cores' boards and variants, which their mDNS announces. name
 * is in lower case. */
static struct guess guess_chip(const char *name)
{
    static const struct {
        const char *text;
        bool is_start;
        struct guess guess;
    } rows[] = {
        {"esp8266", true, {"esp8266", "esp8266", true, true}},
        {"rpipico2", true, {"rp", "rp2350", true, true}},
        {"rpipico", true, {"rp", "rp2040", true, true}},
        {"raspberry_pi_pico_2", true, {"rp", "rp2350", true, true}},
        {"raspberry_pi_pico", true, {"rp", "rp2040", true, true}},
        {"esp8266", false, {"esp8266", "esp8266", false, false}},
        {"rp2040", false, {"rp", "rp2040", false, false}},
        {"rp2350", false, {"rp", "rp2350", false, false}},
    };
    const char *esp32 = strstr(name, "esp32");
    if (esp32)
        return guess_esp32(esp32 + strlen("esp32"), esp32 == name);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char *found = strstr(name, rows[i].text);
        if (found && (found == name || !rows[i].is_start))
            return rows[i].guess;
    }
    return (struct guess){0};
}

/* Whether the guess contradicts the image. */
static enum screening compare(const struct guess *guess, const struct image *image)
{
    const char *chip = image->inspection.chip_name;
    if (!guess->family || !*chip || isdigit((unsigned char)*chip))
        return SCREEN_SUITS; /* nobody knows */
    bool is_family = strncmp(chip, guess->family, strlen(guess->family)) == 0;
    if (is_family && (!*guess->chip || strcmp(chip, guess->chip) == 0))
        return SCREEN_SUITS;
    return guess->is_certain || (!is_family && guess->is_family_certain) ? SCREEN_REFUSED
                                                                         : SCREEN_DOUBTFUL;
}

/* Whether the board is one of those that store what is compressed as it is. */
static bool must_be_unpacked(const struct guess *guess, const struct image *image)
{
    bool is_compressed = image->plain || image->inspection.format == INSPECT_GZIP;
    return is_compressed && guess->is_family_certain && strcmp(guess->family, "esp32") == 0;
}

enum screening screen_board(char reason[SCREEN_REASON_MAX], const struct image *image,
                            const char *type)
{
    char lower[DISCOVER_TYPE_MAX], shown[4 * DISCOVER_TYPE_MAX];
    size_t length = 0;
    for (; length < sizeof lower - 1 && type[length]; length++)
        lower[length] = (char)tolower((unsigned char)type[length]);
    lower[length] = '\0';
    const struct guess guess = guess_chip(lower);
    const enum screening screening = compare(&guess, image);
    *reason = '\0';
    if (screening != SCREEN_REFUSED && must_be_unpacked(&guess, image)) {
        snprintf(reason, SCREEN_REASON_MAX,
                 "the image is compressed, but the board announces itself as \"%s\", and no ESP32 "
                 "unpacks images",
                 escape_string(shown, sizeof shown, type));
        return SCREEN_REFUSED;
    }
    if (screening != SCREEN_SUITS)
        snprintf(reason, SCREEN_REASON_MAX,
                 "the image is for the chip %s, but the board announces itself as \"%s\"",
                 image->inspection.chip_name, escape_string(shown, sizeof shown, type));
    return screening;
}
