/* certificate.c: see certificate.h. */
#include "crypto/certificate.h"

#include "crypto/crypto.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdbool.h>

/* No password opens a certificate; libcrypto would ask for one on the terminal. */
static int give_no_password(char *buffer, int capacity, int is_for_writing, void *userdata)
{
    if (capacity > 0)
        *buffer = '\0';
    (void)is_for_writing;
    (void)userdata;
    return -1;
}

static bool has_certificate(STACK_OF(X509_INFO) * blocks)
{
    for (int i = 0; i < sk_X509_INFO_num(blocks); i++)
        if (sk_X509_INFO_value(blocks, i)->x509)
            return true;
    return false;
}

static enum certificates judge(struct crypto *crypto, const char *text, size_t size)
{
    BIO *source = BIO_new_mem_buf(text, (int)size);
    if (!source)
        return CERTIFICATES_UNJUDGED;

    STACK_OF(X509_INFO) *blocks =
        PEM_X509_INFO_read_bio_ex(source, NULL, give_no_password, NULL, crypto->context, NULL);
    const bool has_any = blocks && has_certificate(blocks);

    sk_X509_INFO_pop_free(blocks, X509_INFO_free);
    BIO_free(source);
    ERR_clear_error();
    if (crypto_has_run_out())
        return CERTIFICATES_UNJUDGED;
    if (!blocks)
        return CERTIFICATES_DAMAGED;
    return has_any ? CERTIFICATES_GOOD : CERTIFICATES_NONE;
}

enum certificates certificates_judge(const char *text, size_t size)
{
    struct crypto crypto;

    if (crypto_open(&crypto) != 0)
        return CERTIFICATES_UNJUDGED;
    const enum certificates result = judge(&crypto, text, size);
    crypto_close(&crypto);
    return result;
}
