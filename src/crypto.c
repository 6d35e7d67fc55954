/*
 * crypto.c: a library context of libcrypto's that no configuration file touches. Computes nothing.
 */
#include "crypto.h"

#include <openssl/crypto.h>
#include <openssl/provider.h>

void crypto_close(struct crypto *crypto)
{
    if (crypto->provider != NULL)
        OSSL_PROVIDER_unload(crypto->provider);
    OSSL_LIB_CTX_free(crypto->context);
}

int crypto_open(struct crypto *crypto)
{
    /* The first use would read openssl.cnf all the same, for the default context, and enter all
     * that libcrypto knows into tables by name, which takes as long as the rest of this function.
     */
    OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG | OPENSSL_INIT_NO_ADD_ALL_CIPHERS |
                            OPENSSL_INIT_NO_ADD_ALL_DIGESTS,
                        NULL);
    crypto->provider = NULL;
    crypto->context = OSSL_LIB_CTX_new();
    if (crypto->context != NULL)
        crypto->provider = OSSL_PROVIDER_load(crypto->context, "default");
    if (crypto->provider != NULL)
        return 0;
    crypto_close(crypto);
    return -1;
}
