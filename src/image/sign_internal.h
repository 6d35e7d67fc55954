/*
 * sign_internal.h: the key of sign.h. For sign.c and sign_key.c only.
 */
#ifndef ESP_OTA_IMAGE_SIGN_INTERNAL_H
#define ESP_OTA_IMAGE_SIGN_INTERNAL_H

#include "crypto/crypto.h"
#include "image/sign.h"

struct sign_key {
    struct crypto crypto;
    EVP_PKEY *pkey;
    bool is_ec;
    size_t size; /* of an RSA signature; 0 for an EC key */
    enum exposure exposure;
    const char *title; /* "RSA-2048", "EC P-256" */
    char shown[256];   /* its path, escaped */
};

#endif
