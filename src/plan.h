/*
 * plan.h: which image and which password go to which board. Loads every image and every password
 * file once, before any board is asked for anything.
 */
#ifndef PLAN_H
#define PLAN_H

#include "job.h"

struct plan {
    struct assignment *assignments; /* in the order of the command line; no target twice */
    size_t count;
    struct image **images; /* each distinct file once */
    size_t image_count;
    char **passwords;
    size_t password_count;
};

/* For the targets that options names. Fails with OTA_E_IMAGE, OTA_E_USAGE or OTA_E_INTERNAL; the
 * caller frees the plan with plan_free() in any case. options must outlive the plan. */
enum ota_error plan_make(struct plan *plan, const struct options *options,
                         struct ota_failure *failure);

void plan_free(struct plan *plan); /* cleanses the passwords */

#endif
