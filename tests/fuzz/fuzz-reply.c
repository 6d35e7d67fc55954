/*
 * fuzz-reply.c: any datagram gives a reply that satisfies the contract of protocol.h.
 */
#include "base/escape.h"
#include "require.h"
#include "upload/espota/protocol.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct reply reply;
    size_t digits;

    protocol_parse_reply(&reply, data, size);
    require_terminated(reply.text, sizeof reply.text);
    require_terminated(reply.nonce, sizeof reply.nonce);
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
