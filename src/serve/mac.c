/* mac.c: see mac.h. */
#include "serve/mac.h"

#include "base/hex.h"

#include <stdio.h>
#include <string.h>

bool mac_parse(struct mac *mac, const char *text)
{
    static const struct mac zero;
    struct mac parsed;

    if (strlen(text) != MAC_TEXT_MAX - 1 || (text[2] != ':' && text[2] != '-'))
        return false;

    const char separator = text[2];

    for (int i = 0; i < 6; i++, text += 3) {
        const int byte = hex_byte((unsigned char)text[0], (unsigned char)text[1]);

        if (byte < 0 || (i < 5 && text[2] != separator))
            return false;
        parsed.bytes[i] = (uint8_t)byte;
    }

    if ((parsed.bytes[0] & 1) != 0 || mac_equal(&parsed, &zero))
        return false;
    *mac = parsed;
    return true;
}

static bool has_mac_dashes(const char *text)
{
    if (strlen(text) != MAC_TEXT_MAX - 1)
        return false;
    for (size_t i = 0; text[i]; i++)
        if ((text[i] == '-') != (i % 3 == 2))
            return false;
    return true;
}

bool mac_is_meant(const char *text)
{
    enum { COLONS_MIN = 3, DIGITS = 12 };
    size_t colons = 0;

    for (const char *c = text; *c; c++)
        colons += *c == ':';
    return colons >= COLONS_MIN || has_mac_dashes(text) ||
           (strlen(text) == DIGITS && strspn(text, HEX_DIGITS) == DIGITS);
}

bool mac_equal(const struct mac *a, const struct mac *b)
{
    return memcmp(a->bytes, b->bytes, sizeof a->bytes) == 0;
}

char *mac_text(char target[MAC_TEXT_MAX], const struct mac *mac)
{
    const uint8_t *bytes = mac->bytes;

    snprintf(target, MAC_TEXT_MAX, "%02X:%02X:%02X:%02X:%02X:%02X", bytes[0], bytes[1], bytes[2],
             bytes[3], bytes[4], bytes[5]);
    return target;
}
