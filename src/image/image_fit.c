/*
 * image_fit.c: compares the facts about an image with the command line and the kind of the board.
 */
#include "image/image_fit.h"

#include "base/text.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

/* Chips whose programs begin with the vector table that inspect_has_vector_table() knows, and all
 * those that take images without a check, from a sketch server. */
#define CORTEX_M "samd,stm32,ra4m1,nrf52"
#define SKETCH_BOARDS CORTEX_M ",avr"
/* Boards that fetch images of the Arduino cores, and none of another system. */
#define ESP_OTA_BOARDS "esp8266,esp32*,rp*"
/* Boards that take nothing but UF2 files. */
#define LIBRETINY "bk72xx,rtl87xx,ln882x"

const char *image_fit_override(bool is_forced)
{
    return is_forced ? "; overridden by --force" : " (--force sends it anyway)";
}

static const char *article(const char *name)
{
    return strchr("AEIOU", *name) ? "an" : "a";
}

static bool is_filesystem(const struct image *image)
{
    return image->command == OTA_COMMAND_FILESYSTEM || image->inspection.kind == INSPECT_FILESYSTEM;
}

/* Whether the image has no known format, but the vector table of these chips. */
static bool is_cortex_m_program(const struct image *image)
{
    return !is_filesystem(image) && image->inspection.format == INSPECT_UNKNOWN &&
           image->inspection.has_vector_table;
}

enum image_fit image_fit_image(char reason[IMAGE_FIT_REASON_MAX], const struct image *image,
                               enum ota_command command, bool is_served)
{
    const struct inspection *inspection = &image->inspection;
    const char *name = inspection->name;

    *reason = '\0';

    if (*image->flaw) {
        snprintf(reason, IMAGE_FIT_REASON_MAX, "%s", image->flaw);
        return IMAGE_FIT_REFUSED;
    }
    if (inspection->sending == INSPECT_SERVABLE && is_served)
        return IMAGE_FIT_SUITS;
    if (inspection->sending >= INSPECT_SERVABLE) {
        snprintf(reason, IMAGE_FIT_REASON_MAX, "%s", inspection->verdict);
        return IMAGE_FIT_REFUSED;
    }

    if (command == OTA_COMMAND_FILESYSTEM && inspection->kind == INSPECT_SKETCH) {
        snprintf(reason, IMAGE_FIT_REASON_MAX,
                 "should not be sent as a filesystem image: it is %s %s, a program; leave -s out",
                 article(name), name);
        return IMAGE_FIT_REFUSED;
    }
    if (command == OTA_COMMAND_SKETCH && inspection->kind == INSPECT_FILESYSTEM) {
        snprintf(reason, IMAGE_FIT_REASON_MAX,
                 "should not be sent as a program: it is %s %s; add -s", article(name), name);
        return IMAGE_FIT_REFUSED;
    }

    if (inspection->sending == INSPECT_SENDABLE)
        return IMAGE_FIT_SUITS;
    if (command == OTA_COMMAND_FILESYSTEM && image_is_compressed(image) &&
        inspection->kind != INSPECT_FILESYSTEM)
        snprintf(reason, IMAGE_FIT_REASON_MAX,
                 "may not work: its format is unknown, and only an ESP8266 whose sketch was built "
                 "with ATOMIC_FS_UPDATE unpacks a compressed filesystem image");
    else
        snprintf(reason, IMAGE_FIT_REASON_MAX, "%s", inspection->verdict);
    return IMAGE_FIT_DOUBTFUL;
}

const char *image_fit_chips(char chips[KIND_CHIPS_MAX], const struct image *image)
{
    static const struct {
        unsigned bit;
        enum image_family family;
        const char *chips;
    } rows[] = {{INSPECT_FAMILY_ESP8266, IMAGE_ESP8266, "esp8266"},
                {INSPECT_FAMILY_ESP32, IMAGE_ESP32, "esp32*"},
                {INSPECT_FAMILY_PICO, IMAGE_PICO, "rp*"}};
    const struct inspection *inspection = &image->inspection;

    *chips = '\0';
    if (is_filesystem(image) && image_is_compressed(image)) {
        snprintf(chips, KIND_CHIPS_MAX, "esp8266"); /* no other core unpacks it */
        return chips;
    }
    if (is_cortex_m_program(image)) {
        snprintf(chips, KIND_CHIPS_MAX, CORTEX_M);
        return chips;
    }
    if (*inspection->chip_name && !isdigit((unsigned char)*inspection->chip_name)) {
        snprintf(chips, KIND_CHIPS_MAX, "%s", inspection->chip_name);
        return chips;
    }

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        bool is_for_family = inspection->families ? (inspection->families & rows[i].bit) != 0
                                                  : image->family == rows[i].family;

        if (is_for_family)
            text_append(chips, KIND_CHIPS_MAX, "%s%s", *chips ? "," : "", rows[i].chips);
    }
    return chips;
}

/* Writes "the image is for the chip esp32" or "the compressed filesystem image is for ESP8266
 * boards". */
static void describe_image(char *text, size_t capacity, const struct image *image,
                           const char *chips)
{
    size_t count = 0, named = 0;

    if (strcspn(chips, "*,") == strlen(chips) && *image->inspection.chip_name) {
        snprintf(text, capacity, "the image is for the chip %s", chips);
        return;
    }

    if (is_cortex_m_program(image)) {
        snprintf(text, capacity,
                 "the image begins like a program for a Cortex-M microcontroller (SAMD, STM32, "
                 "RA4M1, nRF52)");
        return;
    }

    if (is_filesystem(image))
        snprintf(text, capacity, "the %sfilesystem image is for ",
                 image_is_compressed(image) ? "compressed " : "");
    else
        snprintf(text, capacity, "the image is for ");
    for (size_t i = 0; i < kind_family_count; i++)
        count += kind_overlap(kind_families[i].chips, chips);

    for (size_t i = 0; i < kind_family_count; i++) {
        if (!kind_overlap(kind_families[i].chips, chips))
            continue;

        text_append(text, capacity, "%s%s", text_separator(named, count, " and "),
                    kind_families[i].title);
        named++;
    }
    if (named > 0)
        text_append(text, capacity, " boards");
}

/* Predicts how such a board would treat the image. */
static const char *predict_outcome(const char *board_chips, const struct image *image,
                                   const char *chips)
{
    static const struct {
        const char *board_chips;
        const char *image_chips;
        const char *outcome;
    } rows[] = {
        {"esp8266", "esp32*",
         ": an ESP8266 accepts such an image but cannot start it, and then needs a cable"},
        {"esp8266", "rp*," CORTEX_M "," LIBRETINY,
         ": an ESP8266 rejects such an image at the end of the upload"},
        {"esp32*", "esp8266,esp32*,rp*," CORTEX_M "," LIBRETINY,
         ": an ESP32 rejects such an image, but only in the middle or at the end of the upload"},
        {SKETCH_BOARDS, "esp8266,esp32*,rp*," LIBRETINY,
         ": such a board does not check images; it would not start, and then need a cable"},
        {"rp*", "esp8266,esp32*,rp*," CORTEX_M "," LIBRETINY,
         ": a Pico W does not check images; it would not start, and then need a cable"},
    };

    if (is_filesystem(image))
        return image_is_compressed(image)
                   ? ": the board would store it compressed, and then have no filesystem"
                   : ": the board would accept it, but could not mount it";

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (kind_overlap(rows[i].board_chips, board_chips) &&
            kind_overlap(rows[i].image_chips, chips))
            return rows[i].outcome;
    return "";
}

/* True if the board would store a gzip file without unpacking it. */
static bool must_be_unpacked(const struct kind *kind, const struct image *image)
{
    return image_is_compressed(image) && *kind->proven &&
           !kind_overlap(kind->proven, "esp8266,rp*");
}

/* Writes the families that the board can have by this default port: "Pico W and CH32H4". */
static void name_port_families(char *text, size_t capacity, uint16_t port, const struct kind *kind)
{
    *text = '\0';
    for (size_t i = 0; i < kind_family_count; i++)
        if (kind_families[i].port == port && kind_overlap(kind_families[i].chips, kind->likely))
            text_append(text, capacity, "%s%s", *text ? " and " : "", kind_families[i].title);
}

/* Returns a possible family of the board with this default port. NULL if there is none, or if the
 * image is for such a family. */
static const struct kind_family *find_other_family(uint16_t port, const struct kind *kind,
                                                   const char *chips)
{
    const struct kind_family *found = NULL;

    for (size_t i = 0; i < kind_family_count; i++) {
        const struct kind_family *family = &kind_families[i];

        if (family->port != port || !kind_overlap(family->chips, kind->likely))
            continue;
        if (kind_overlap(family->chips, chips))
            return NULL;

        if (!found)
            found = family;
    }
    return found;
}

static bool is_proven_pico(const struct kind *kind)
{
    return *kind->proven && !kind_overlap(kind->proven, "esp8266,esp32*,ch32h4," SKETCH_BOARDS);
}

/* True for a Pico W: it starts any image without a check. */
static bool starts_unchecked(const struct kind *kind, uint16_t port)
{
    return is_proven_pico(kind) || (port == KIND_PORT_PICO && kind_overlap(kind->likely, "rp*"));
}

static bool is_of_unknown_format(const struct image *image)
{
    const struct inspection *inspection = &image->inspection;
    bool is_packed = inspection->format == INSPECT_GZIP;

    return (is_packed ? inspection->inner : inspection->format) == INSPECT_UNKNOWN;
}

/* True if the board's chips all have a vector table, and the image has none of theirs. */
static bool lacks_vector_table(const struct kind *kind, const struct image *image)
{
    const char *chips = kind->proven;

    if (!*chips || !kind_overlap(chips, SKETCH_BOARDS) || image_is_compressed(image) ||
        kind_overlap(chips, "esp8266,esp32*,ch32h4"))
        return false;
    if (kind_overlap(chips, CORTEX_M) && image->inspection.has_vector_table)
        return false;
    return !(kind_overlap(chips, "avr") && image->inspection.has_avr_vectors);
}

const struct image *image_fit_variant(const struct image *image, const struct kind *kind,
                                      uint16_t port)
{
    const char *chips = *kind->proven ? kind->proven : kind->likely;

    if (!image->for_esp32)
        return image;
    if (*chips)
        return kind_overlap(chips, "esp32*") ? image->for_esp32 : image;

    if (port == KIND_PORT_ESP32)
        return image->for_esp32;
    return port == KIND_PORT_ESP8266 || port == KIND_PORT_PICO ? image : NULL;
}

/* Writes why an image of unknown format is not sent to a Pico W; board names the families of the
 * port. */
static void explain_unchecked_start(char reason[IMAGE_FIT_REASON_MAX], const struct kind *kind,
                                    const char *board)
{
    bool is_proven = is_proven_pico(kind);

    snprintf(reason, IMAGE_FIT_REASON_MAX,
             "the format of the image is not known, and %s%s%s: a Pico W does not check images, "
             "and one that does not start needs a cable",
             is_proven ? "the board " : "the port is the default of ",
             is_proven ? kind->clue : board, is_proven ? "" : " boards");
}

/* Refuses a sketch of unknown format for a board that would start it unchecked. board: the names of
 * the boards that have this port. Returns whether it did. */
static bool refuse_unknown_sketch(char reason[IMAGE_FIT_REASON_MAX], const struct image *image,
                                  const struct kind *kind, uint16_t port, const char *board)
{
    char chips[KIND_CHIPS_MAX + 8];

    if (is_filesystem(image) || !is_of_unknown_format(image))
        return false;

    if (starts_unchecked(kind, port)) {
        explain_unchecked_start(reason, kind, board);
        return true;
    }
    if (!lacks_vector_table(kind, image))
        return false;

    kind_list_chips(chips, sizeof chips, kind->proven);
    snprintf(
        reason, IMAGE_FIT_REASON_MAX,
        "the image has no vector table, with which every program for such a board%s begins, and "
        "the board %s: it does not check images, and one that does not start needs a cable",
        chips, kind->clue);
    return true;
}

static bool refuse_servable(char reason[IMAGE_FIT_REASON_MAX], const struct image *image,
                            const struct kind *kind)
{
    const struct inspection *inspection = &image->inspection;

    if (inspection->sending != INSPECT_SERVABLE || !*kind->proven ||
        !kind_overlap(kind->proven, ESP_OTA_BOARDS))
        return false;

    snprintf(reason, IMAGE_FIT_REASON_MAX, "the image is %s, and the board %s", inspection->what,
             kind->clue);
    return true;
}

static bool refuse_packed(char reason[IMAGE_FIT_REASON_MAX], const struct image *image,
                          const struct kind *kind)
{
    if (!must_be_unpacked(kind, image))
        return false;

    snprintf(reason, IMAGE_FIT_REASON_MAX,
             "the image is compressed, but the board %s, and no %s unpacks images", kind->clue,
             kind_overlap(kind->proven, "esp32*") ? "ESP32" : "such board");
    return true;
}

enum image_fit image_fit_board(char reason[IMAGE_FIT_REASON_MAX], const struct image *image,
                               const struct kind *kind, uint16_t port)
{
    /* All boards but a few ESP8266 would lose their filesystem, and confirm. */
    const enum image_fit doubt =
        is_filesystem(image) && image_is_compressed(image) ? IMAGE_FIT_REFUSED : IMAGE_FIT_DOUBTFUL;
    char chips[KIND_CHIPS_MAX], about[128], board[64];
    bool is_disproved = !kind_overlap(kind->proven, image_fit_chips(chips, image));
    bool is_unlikely = !kind_overlap(kind->likely, chips);
    const struct kind_family *family;

    *reason = '\0';
    name_port_families(board, sizeof board, port, kind);
    if (refuse_servable(reason, image, kind) ||
        refuse_unknown_sketch(reason, image, kind, port, board) ||
        (!is_disproved && refuse_packed(reason, image, kind)))
        return IMAGE_FIT_REFUSED;

    describe_image(about, sizeof about, image, chips);
    if (is_disproved || is_unlikely) {
        const char *board_chips = is_disproved ? kind->proven : kind->likely;

        kind_list_chips(board, sizeof board, board_chips);
        snprintf(reason, IMAGE_FIT_REASON_MAX, "%s, but the board %s%s%s", about, kind->clue, board,
                 predict_outcome(board_chips, image, chips));
        return is_disproved ? IMAGE_FIT_REFUSED : doubt;
    }

    family = find_other_family(port, kind, chips);
    if (!family)
        return IMAGE_FIT_SUITS;
    snprintf(reason, IMAGE_FIT_REASON_MAX, "%s, but port %u is the default port of %s boards%s",
             about, port, board, predict_outcome(family->chips, image, chips));
    return doubt;
}

enum image_fit image_fit_sha256_challenge(char reason[IMAGE_FIT_REASON_MAX],
                                          const struct image *image)
{
    static const struct kind esp32 = {
        .proven = "esp32*",
        .likely = "esp32*",
        .clue = "asks for its password with SHA-256, as only an ESP32 does",
    };

    return image_fit_board(reason, image, &esp32, 0);
}

enum image_fit image_fit_sketch_server(char reason[IMAGE_FIT_REASON_MAX], const struct image *image,
                                       bool takes_filesystem)
{
    static const struct kind esp = {
        .proven = "esp8266,esp32*",
        .likely = "esp8266,esp32*",
        .clue = "has a sketch server that takes filesystem images, as only those of ESP8266 and "
                "ESP32 boards do",
    };
    static const struct kind other = {
        .proven = SKETCH_BOARDS ",rp*",
        .likely = SKETCH_BOARDS ",rp*",
        .clue = "has a sketch server that takes no filesystem images, so it is neither an ESP8266 "
                "nor an ESP32",
    };

    return image_fit_board(reason, image, takes_filesystem ? &esp : &other, 0);
}
