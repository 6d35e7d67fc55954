/*
 * page_facts.h: what pages tell of their boards: the version of the firmware, the chip. Pure.
 */
#ifndef ESP_OTA_UPLOAD_WEB_PAGE_FACTS_H
#define ESP_OTA_UPLOAD_WEB_PAGE_FACTS_H

#include "http/reply.h"
#include "image/kind.h"
#include "upload/web/page_table.h"

#include <stdint.h>

struct image;

enum { PAGE_FACT_MAX = 96 };

/* All texts are escaped, and "" where nothing is known. */
struct page_facts {
    char version[PAGE_FACT_MAX];  /* of the firmware, with its time of build if there is one */
    char mark[PAGE_FACT_MAX];     /* bytes that the image of this version contains; not escaped */
    char hardware[PAGE_FACT_MAX]; /* the chip in the page's words */
    char chips[KIND_CHIPS_MAX];   /* the same as a set (image/kind.h) */
    bool is_recovery;             /* the version is that of Tasmota's safeboot firmware */
    bool has_room;                /* the page tells how large an image may be */
    size_t room;                  /* bytes */
    bool has_uptime;              /* the page tells how long the board has been running */
    uint32_t uptime_s;
};

/* The path that tells more of the board; NULL: this page has none. If only some boards with the
 * page have such a path (ESPEasy), it is returned only if wants_version. */
const char *page_facts_path(const struct page *page, bool wants_version);
/* The path that tells how large an image may be, which depends on the chip; NULL: none does. */
const char *page_facts_room_path(const struct page *page, const struct page_facts *facts);

/* Whether the path of page_facts_path() tells the firmware's version after an upload. has_told: it
 * did before the upload. */
bool page_facts_tell_version(const struct page *page, bool has_told);

/* Whether an image may be the firmware with these facts. What is unknown may be, but not as the
 * recovery firmware, which is on the board whatever image it got: the image must show that it is
 * this one. */
bool page_facts_fit_image(const struct page_facts *facts, const struct image *image);

/* Adds what a reply of the page says, whatever path it is from. Returns whether it tells the
 * version. */
bool page_facts_add(struct page_facts *facts, const struct page *page,
                    const struct http_reply *reply);

/* The set of chips that this hardware is one of: "ESP32-S3 (rev 1)" is "esp32s3"; "" for unknown
 * hardware. */
void page_facts_chips(char chips[KIND_CHIPS_MAX], const char *hardware);

#endif
