/*
 * crypto.h: a library context of libcrypto for each use.
 */
#ifndef ESP_OTA_CRYPTO_CRYPTO_H
#define ESP_OTA_CRYPTO_CRYPTO_H

#include <openssl/types.h>
#include <stdbool.h>

struct crypto {
    OSSL_LIB_CTX *context;
    OSSL_PROVIDER *provider;
};

/* Opens a context that ignores openssl.cnf: neither "fips=yes" nor a provider list there can hide
 * the old algorithms of the boards. It also saves the time to read that file. libcrypto cleanses
 * all memory it frees, and crypto_close() cleanses the stack. Returns -1, with nothing to close,
 * when libcrypto fails. */
int crypto_open(struct crypto *crypto);
void crypto_close(struct crypto *crypto);

/* How often libcrypto has failed to allocate memory. If the number has risen since an operation
 * began, libcrypto may report a damaged key, a wrong signature or a failed handshake for that
 * reason alone. crypto_has_run_out() compares it with that of the last crypto_open(). */
unsigned crypto_shortages(void);
bool crypto_has_run_out(void);

/* Counts a failed allocation of the caller as one of libcrypto, so that digest_error() names the
 * reason: libcrypto knows none. */
void crypto_add_shortage(void);

/* Whether libcrypto has the default context that other libraries use. libcrypto tries to create it
 * only once. If memory ran out then, those libraries would crash. */
bool crypto_has_default(void);

/* From now on libcrypto keeps the numbers of private keys in memory that is locked, as far as
 * allowed, and left out of core dumps. */
void crypto_lock_keys(void);

#endif
