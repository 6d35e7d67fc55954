/* Section numbers are those of the Noise protocol framework, revision 34. */
#include "noise.h"

#include <openssl/evp.h>
#include <string.h>

static const char NAME[] = "Noise_NNpsk0_25519_ChaChaPoly_SHA256";

/* ChaCha20-Poly1305, 12.3. With direction 1 seals, with 0 opens; the tag is at the end. */
static bool run_cipher(int direction, const uint8_t *key, uint64_t nonce, const uint8_t *ad,
                       size_t ad_length, const uint8_t *in, size_t length, uint8_t *out,
                       uint8_t *tag)
{
    uint8_t iv[12] = {0};
    int count = 0;
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();

    for (int i = 0; i < 8; i++)
        iv[4 + i] = (uint8_t)(nonce >> (8 * i));
    bool done = context &&
                EVP_CipherInit_ex(context, EVP_chacha20_poly1305(), NULL, key, iv, direction) == 1;
    if (done && !direction)
        done = EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, NOISE_TAG, tag) == 1;
    done = done && EVP_CipherUpdate(context, NULL, &count, ad, (int)ad_length) == 1 &&
           EVP_CipherUpdate(context, out, &count, in, (int)length) == 1 &&
           EVP_CipherFinal_ex(context, out + count, &count) == 1;
    if (done && direction)
        done = EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, NOISE_TAG, tag) == 1;
    EVP_CIPHER_CTX_free(context);
    return done;
}

static void mix_hash(struct noise *noise, const void *data, size_t length)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();

    EVP_DigestInit_ex(context, EVP_sha256(), NULL);
    EVP_DigestUpdate(context, noise->hash, NOISE_KEY);
    EVP_DigestUpdate(context, data, length);
    EVP_DigestFinal_ex(context, noise->hash, NULL);
    EVP_MD_CTX_free(context);
}

static void hmac(const uint8_t *key, const void *data, size_t length, uint8_t out[NOISE_KEY])
{
    size_t size = 0;
    EVP_Q_mac(NULL, "HMAC", NULL, "SHA256", NULL, key, NOISE_KEY, data, length, out, NOISE_KEY,
              &size);
}

/* HKDF, 4.3: three outputs, of which callers may need fewer. */
static void derive(const struct noise *noise, const void *input, size_t length,
                   uint8_t out[3][NOISE_KEY])
{
    uint8_t secret[NOISE_KEY], block[NOISE_KEY + 1] = {1};

    hmac(noise->chaining, input, length, secret);
    hmac(secret, block, 1, out[0]);
    for (uint8_t i = 1; i < 3; i++) {
        memcpy(block, out[i - 1], NOISE_KEY);
        block[NOISE_KEY] = (uint8_t)(i + 1);
        hmac(secret, block, sizeof block, out[i]);
    }
}

static void mix_key(struct noise *noise, const void *input)
{
    uint8_t out[3][NOISE_KEY];

    derive(noise, input, NOISE_KEY, out);
    memcpy(noise->chaining, out[0], NOISE_KEY);
    memcpy(noise->cipher, out[1], NOISE_KEY);
}

static void start(struct noise *noise, const uint8_t *psk, const void *prologue, size_t length)
{
    uint8_t out[3][NOISE_KEY];
    size_t size = 0;

    *noise = (struct noise){0};
    EVP_Q_digest(NULL, "SHA256", NULL, NAME, strlen(NAME), noise->hash, &size);
    memcpy(noise->chaining, noise->hash, NOISE_KEY);
    mix_hash(noise, prologue, length);
    derive(noise, psk, NOISE_KEY, out); /* MixKeyAndHash */
    memcpy(noise->chaining, out[0], NOISE_KEY);
    mix_hash(noise, out[1], NOISE_KEY);
    memcpy(noise->cipher, out[2], NOISE_KEY);
}

/* The token e, with its mixing into the key, 9.2. */
static void mix_public(struct noise *noise, const uint8_t *public)
{
    mix_hash(noise, public, NOISE_KEY);
    mix_key(noise, public);
}

/* Makes our key, and the secret that it shares with the host's. */
static bool agree(const uint8_t *host, uint8_t *public, uint8_t *secret)
{
    size_t size = NOISE_KEY, secret_size = NOISE_KEY;
    EVP_PKEY *own = EVP_PKEY_Q_keygen(NULL, NULL, "X25519");
    EVP_PKEY *other = EVP_PKEY_new_raw_public_key(EVP_PKEY_X25519, NULL, host, NOISE_KEY);
    EVP_PKEY_CTX *context = own ? EVP_PKEY_CTX_new(own, NULL) : NULL;
    bool done = other && context && EVP_PKEY_get_raw_public_key(own, public, &size) == 1 &&
                EVP_PKEY_derive_init(context) == 1 &&
                EVP_PKEY_derive_set_peer(context, other) == 1 &&
                EVP_PKEY_derive(context, secret, &secret_size) == 1;

    EVP_PKEY_CTX_free(context);
    EVP_PKEY_free(other);
    EVP_PKEY_free(own);
    return done;
}

bool noise_respond(struct noise *noise, const uint8_t psk[NOISE_KEY], const void *prologue,
                   size_t prologue_length, const uint8_t host[NOISE_MESSAGE],
                   uint8_t board[NOISE_MESSAGE])
{
    uint8_t tag[NOISE_TAG], nothing[1], secret[NOISE_KEY], out[3][NOISE_KEY];

    start(noise, psk, prologue, prologue_length);
    mix_public(noise, host);
    memcpy(tag, host + NOISE_KEY, NOISE_TAG);
    if (!run_cipher(0, noise->cipher, 0, noise->hash, NOISE_KEY, nothing, 0, nothing, tag))
        return false;
    mix_hash(noise, tag, NOISE_TAG);

    if (!agree(host, board, secret))
        return false;
    mix_public(noise, board);
    mix_key(noise, secret);
    if (!run_cipher(1, noise->cipher, 0, noise->hash, NOISE_KEY, nothing, 0, nothing,
                    board + NOISE_KEY))
        return false;
    mix_hash(noise, board + NOISE_KEY, NOISE_TAG);

    derive(noise, "", 0, out);
    memcpy(noise->from_host, out[0], NOISE_KEY);
    memcpy(noise->to_host, out[1], NOISE_KEY);
    return true;
}

bool noise_unwrap(struct noise *noise, uint8_t *message, size_t length)
{
    return length >= NOISE_TAG &&
           run_cipher(0, noise->from_host, noise->opened++, NULL, 0, message, length - NOISE_TAG,
                      message, message + length - NOISE_TAG);
}

bool noise_wrap(struct noise *noise, const void *plain, size_t length, uint8_t *message)
{
    return run_cipher(1, noise->to_host, noise->sealed++, NULL, 0, plain, length, message,
                      message + length);
}
