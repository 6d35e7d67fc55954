/*
 * inspect_signature.c: the form of a signature in the bytes behind an image. Its value can only be
 * verified with a key (sign.c).
 */
#include "image/inspect_internal.h"

enum { LENGTH_SIZE = 4, RSA_STEP = 128, ESP32_RSA_MIN = 256 };

bool inspect_has_esp8266_signature(struct view view, size_t image_size)
{
    static const size_t key_sizes[] = {128, 256, 384, 512}; /* RSA-1024 to RSA-4096 */

    for (size_t i = 0; i < sizeof key_sizes / sizeof *key_sizes; i++)
        if (view.size - image_size == key_sizes[i] + LENGTH_SIZE &&
            view_u32(view, view.size - LENGTH_SIZE) == key_sizes[i])
            return true;
    return false;
}

/* -- ESP32 -- */

/* Returns the size of the INTEGER at offset, in an ECDSA signature in DER; 0 for anything else. The
 * number must be positive, in its shortest form, and fit the curves of an ESP32 (P-256 or P-384).
 * Numbers under 192 bits are not accepted: they occur once in 2^64 signatures. */
static size_t measure_integer(struct view view, size_t offset)
{
    enum { INTEGER = 0x02, HEADER_SIZE = 2, SHORTEST = 24, LONGEST = 49, TOP_BIT = 0x80 };
    size_t size = view_u8(view, offset + 1);
    unsigned char first = view_u8(view, offset + HEADER_SIZE);
    unsigned char second = view_u8(view, offset + HEADER_SIZE + 1);

    if (view_u8(view, offset) != INTEGER || size < SHORTEST || size > LONGEST || first >= TOP_BIT ||
        (first == 0 && second < TOP_BIT))
        return 0;
    return HEADER_SIZE + size;
}

/* Returns the size of a SEQUENCE of two such numbers; 0 for anything else. */
static size_t measure_ecdsa(struct view trailer)
{
    enum { SEQUENCE = 0x30, HEADER_SIZE = 2 };
    size_t r = measure_integer(trailer, HEADER_SIZE);
    size_t s = r ? measure_integer(trailer, HEADER_SIZE + r) : 0;
    bool is_sequence = view_u8(trailer, 0) == SEQUENCE && s && view_u8(trailer, 1) == r + s;

    return is_sequence ? HEADER_SIZE + r + s : 0;
}

/* An RSA signature looks random: 128 of its bytes have about 101 different values (96 to 106). */
static bool looks_random(struct view view)
{
    enum { SAMPLE = RSA_STEP, DIFFERENT_MIN = 60 };
    bool is_seen[UINT8_MAX + 1] = {false};
    unsigned different = 0;

    for (size_t i = 0; i < SAMPLE; i++) {
        different += !is_seen[view_u8(view, i)];
        is_seen[view_u8(view, i)] = true;
    }
    return different >= DIFFERENT_MIN && different < SAMPLE;
}

size_t inspect_measure_esp32_signature(const unsigned char trailer[INSPECT_ESP32_TRAILER_SIZE],
                                       bool *is_ec)
{
    struct view view = {trailer, INSPECT_ESP32_TRAILER_SIZE};
    size_t size = measure_ecdsa(view);

    *is_ec = size != 0 && view_is_filled(view, size, view.size - size, 0);
    if (*is_ec)
        return size;

    size = ESP32_RSA_MIN;
    while (!view_is_filled(view, size, view.size - size, 0))
        size += RSA_STEP;

    for (size_t offset = 0; offset < size; offset += RSA_STEP)
        if (!looks_random(view_from(view, offset)))
            return 0;
    return size;
}

bool inspect_has_esp32_signature(struct view view, size_t image_size)
{
    bool is_ec;

    return view.size - image_size == INSPECT_ESP32_TRAILER_SIZE &&
           inspect_measure_esp32_signature(view.data + image_size, &is_ec) != 0;
}

/* -- any -- */

static bool is_signature(enum inspect_trailer trailer)
{
    return trailer == INSPECT_SIGNATURE_ESP8266 || trailer == INSPECT_SIGNATURE_ESP32 ||
           trailer == INSPECT_SIGNATURE_SECURE_BOOT;
}

enum inspect_trailer inspect_signature_at(const unsigned char *data, size_t size, size_t end)
{
    struct view view = {data, size};
    enum inspect_trailer trailer = inspect_has_esp8266_signature(view, end)
                                       ? INSPECT_SIGNATURE_ESP8266
                                       : esp32_trailer(view, end);

    return is_signature(trailer) ? trailer : INSPECT_NO_TRAILER;
}

/* Some formats do not record the image's length. They are judged as the boards judge all: by the
 * length of the signature in the last bytes. */
bool inspect_is_signed(const struct inspection *inspection, const unsigned char *data, size_t size)
{
    struct view view = {data, size};
    bool is_endless = inspection->format == INSPECT_PICO || inspection->format == INSPECT_UNKNOWN;
    size_t length = LENGTH_SIZE;

    if (!is_endless || size <= LENGTH_SIZE)
        return is_signature(inspection->trailer);

    length += view_u32(view, size - LENGTH_SIZE);
    return length < size && inspect_has_esp8266_signature(view, size - length);
}
