/*
 * crypto.h: the library context that digest.c and sign*.c, the users of libcrypto, work in.
 */
#ifndef ESP_OTA_CRYPTO_CRYPTO_H
#define ESP_OTA_CRYPTO_CRYPTO_H

#include <openssl/types.h>
#include <stdbool.h>

struct crypto {
    OSSL_LIB_CTX *context;
    OSSL_PROVIDER *provider;
};

/* A context that has read no openssl.cnf, so that neither "fips=yes" nor a provider list there
 * hides what old boards know and nothing else. It also saves the time that the default context
 * takes to read that file. libcrypto cleanses whatever it frees, and crypto_close() what was left
 * on the stack. Returns -1, with nothing to close, when libcrypto refuses. */
int crypto_open(struct crypto *crypto);
void crypto_close(struct crypto *crypto);

/* Whether libcrypto has asked for memory in vain. What it says of a key or a signature since then
 * may be about that: it reports damage, or a signature that does not hold. */
bool crypto_has_run_out(void);

/* From now on libcrypto keeps the numbers of private keys in memory that is locked, as far as that
 * is allowed, and left out of core dumps. */
void crypto_lock_keys(void);

#endif
