/*
 * certificate.h: whether a file of certificates to trust is good, before libcurl reads it.
 */
#ifndef ESP_OTA_CRYPTO_CERTIFICATE_H
#define ESP_OTA_CRYPTO_CERTIFICATE_H

#include <stddef.h>

enum certificates {
    CERTIFICATES_GOOD,
    CERTIFICATES_NONE,     /* none in PEM format; other PEM blocks, such as keys, are allowed */
    CERTIFICATES_DAMAGED,  /* a PEM block cannot be read, so that OpenSSL takes none of the file */
    CERTIFICATES_UNJUDGED, /* libcrypto failed: see digest_error() */
};

/* Judges the content of the file as OpenSSL does when it loads one. size: bytes, at most
 * INT_MAX. */
enum certificates certificates_judge(const char *text, size_t size);

#endif
