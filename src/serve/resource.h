/*
 * resource.h: what a path of the server names. Pure. No path leads to a file: all that there is
 * stands in one table, and the names of the images.
 */
#ifndef ESP_OTA_SERVE_RESOURCE_H
#define ESP_OTA_SERVE_RESOURCE_H

#include <stdbool.h>
#include <stddef.h>

enum resource_kind {
    RESOURCE_NONE,
    RESOURCE_PAGE,     /* for people */
    RESOURCE_STYLE,    /* of the page */
    RESOURCE_SCRIPT,   /* of the page */
    RESOURCE_EVENTS,   /* by which the page stays up to date */
    RESOURCE_STATUS,   /* the page's facts as JSON */
    RESOURCE_MANIFEST, /* for ESPHome's http_request */
    RESOURCE_IMAGE,
    RESOURCE_MD5, /* sidecars of an image: one line with its digest */
    RESOURCE_SHA256,
    RESOURCE_SHA512,
};

enum { RESOURCE_ANY_IMAGE = -1 };

struct resource {
    enum resource_kind kind;
    /* Of an image and its sidecars. */
    int image;      /* index of the name; RESOURCE_ANY_IMAGE: whichever is for the board */
    bool is_packed; /* NAME.gz: the compressed form */
};

/* The path under which every board finds its image. */
extern const char RESOURCE_FIRMWARE[]; /* "/firmware.bin" */

/* Finds the resource by its path, without escapes and query; names are those of the images. */
void resource_find(struct resource *resource, const char *path, const char *const names[],
                   size_t count);

#endif
