/*
 * plan.c: from the options to the assignments of a fleet. It reads files and prints nothing.
 */
#include "plan.h"

#include "error.h"
#include "password.h"

#include <stdlib.h>
#include <string.h>

static enum ota_error out_of_memory(struct ota_failure *failure)
{
    return fail(failure, OTA_E_INTERNAL, "out of memory");
}

/* Makes room for one more pointer; NULL when memory ran out. */
static void *grow(void *list, size_t count, size_t size)
{
    return realloc(list, (count + 1) * size);
}

static enum ota_error load_image(struct plan *plan, const struct options *options,
                                 struct ota_failure *failure)
{
    struct image **images = grow(plan->images, plan->image_count, sizeof *images);
    if (!images)
        return out_of_memory(failure);
    plan->images = images;
    struct image *image;
    if (image_load(&image, options->file, options->size_limit, failure) != OTA_OK)
        return failure->error;
    images[plan->image_count++] = image;
    return options->json ? image_add_sha256(image, failure) : OTA_OK;
}

static enum ota_error add(struct plan *plan, const struct assignment *assignment,
                          struct ota_failure *failure)
{
    struct assignment *assignments =
        grow(plan->assignments, plan->count, sizeof *plan->assignments);
    if (!assignments)
        return out_of_memory(failure);
    plan->assignments = assignments;
    assignments[plan->count++] = *assignment;
    return OTA_OK;
}

enum ota_error plan_make(struct plan *plan, const struct options *options,
                         struct ota_failure *failure)
{
    *plan = (struct plan){0};
    enum ota_error error = load_image(plan, options, failure);
    for (size_t i = 0; i < options->target_count && error == OTA_OK; i++) {
        const struct assignment assignment = {
            .target = options->targets[i], .image = plan->images[0], .password = options->password};
        error = add(plan, &assignment, failure);
    }
    return error;
}

void plan_free(struct plan *plan)
{
    free(plan->assignments);
    for (size_t i = 0; i < plan->image_count; i++)
        image_free(plan->images[i]);
    free(plan->images);
    for (size_t i = 0; i < plan->password_count; i++)
        password_free(plan->passwords[i]);
    free(plan->passwords);
}
