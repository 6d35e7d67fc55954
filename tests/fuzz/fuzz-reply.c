/*
 * fuzz-reply.c: any datagram gives a reply that satisfies the contract of protocol.h.
 */
#include "base/escape.h"
#include "upload/espota/protocol.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
    if (!condition)
        abort();
}

static bool is_terminated(const char *text, size_t capacity)
{
    return memchr(text, '\0', capacity) != NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct reply reply;
    size_t digits;

    protocol_parse_reply(&reply, data, size);
    require(is_terminated(reply.text, sizeof reply.text));
    require(is_terminated(reply.nonce, sizeof reply.nonce));
    require(escape_is_printable(reply.text));

    digits = strlen(reply.nonce);
    if (reply.type != REPLY_CHALLENGE) {
        require(digits == 0);
        return 0;
    }
    require(digits == (reply.scheme == AUTH_MD5 ? DIGEST_MD5_HEX : DIGEST_SHA256_HEX));
    require(strspn(reply.nonce, "0123456789abcdefABCDEF") == digits);
    require(size >= 5 + digits && memcmp(data + 5, reply.nonce, digits) == 0);
    return 0;
}
