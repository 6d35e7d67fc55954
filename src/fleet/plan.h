/*
 * plan.h: which image and which password go to which board. Every image, every password file and
 * the report of an earlier run are read once, before any board is asked for anything.
 */
#ifndef ESP_OTA_FLEET_PLAN_H
#define ESP_OTA_FLEET_PLAN_H

#include "fleet/hosts.h"
#include "fleet/job.h"
#include "fleet/resume.h"

enum { PLAN_BOARDS_MAX = 10000 };

/* Both are read once, however many boards share them. */
struct plan_image {
    char *path; /* as asked for */
    struct image *image;
};
struct plan_password {
    char *path;
    char *password;
};

struct plan {
    const struct options *options;
    struct assignment *assignments; /* in the order in which they were added; no target twice */
    size_t count;
    struct plan_image *images;
    size_t image_count;
    struct plan_password *passwords;
    size_t password_count;
    struct resume *resume;       /* NULL: no earlier run */
    struct sign_key *key;        /* while images are loaded; NULL: they are sent as they are */
    struct sign_key *verify_key; /* that each of them has to be signed with; NULL: none has to */
};

/* For the boards that options names, with -i and --hosts. Fails with OTA_E_IMAGE, OTA_E_SIGNATURE,
 * OTA_E_USAGE or OTA_E_INTERNAL; the caller frees the plan with plan_free() in any case. options
 * must outlive it. */
enum ota_error plan_make(struct plan *plan, const struct options *options,
                         struct ota_failure *failure);

/* Adds one more board, with the image and the password of the options; nothing happens when it has
 * been added before. */
enum ota_error plan_add(struct plan *plan, const struct target *target,
                        struct ota_failure *failure);

void plan_free(struct plan *plan); /* cleanses the passwords */

#endif
