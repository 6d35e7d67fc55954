/*
 * plan.h: assigns images and passwords to boards. All files are read once, before any board is
 * contacted.
 */
#ifndef ESP_OTA_FLEET_PLAN_H
#define ESP_OTA_FLEET_PLAN_H

#include "esp-ota/error.h"
#include "fleet/hosts.h"
#include "fleet/job.h"
#include "fleet/resume.h"
#include "image/image_prepare.h"

#include <stdint.h>

enum { PLAN_BOARDS_MAX = 10000 };

/* The images and the boards. Paths may be "-", standard input. */
struct plan_settings {
    const struct upload_protocol *protocol; /* of targets without a scheme; NULL: no uploads */
    struct hosts boards;                    /* each -i, with the port of -p */
    uint16_t port;                          /* -p; 0: not given */
    char *hosts;                            /* --hosts: a path; NULL: none */
    char *file;     /* -f: a path; NULL: --hosts names one for each board, or logs are followed */
    char *password; /* NULL: none was given; "": explicitly none; see secret.h */
    unsigned char *encryption_key; /* for ESPHome; NULL: none was given; see secret.h */
    enum auth_scheme min_auth;     /* --min-auth: AUTH_MD5 or AUTH_SHA256 */
    char *resume;                  /* --resume: a path; NULL: no earlier run */
    char *sign;                    /* --sign: the path of a key; NULL: nothing is signed */
    char *verify_key;              /* --verify-key: a path; NULL: nothing is verified */
    size_t size_limit;             /* --max-size, bytes */
    bool force;                    /* --force: an unsuitable image is sent nevertheless */
    bool needs_sha256;             /* of each image, for --json; --resume needs it anyway */
    bool is_served;                /* --serve; --hosts may have a line for boards without one */
    bool may_lack_image;           /* a board without an image is one whose log is followed */
    bool judges_logs;              /* by the same expectations of all */
    struct prepare_settings prepare;
};

/* Each file is read once, however many boards share it. */
struct plan_image {
    char *path; /* as asked for */
    struct image *image;
};
struct plan_secret {
    char *path;
    char *password;     /* or */
    unsigned char *key; /* for ESPHome; the other one is NULL */
};
struct plan_secrets {
    struct plan_secret *list;
    size_t count, capacity;
};

struct plan {
    const struct plan_settings *settings;
    struct assignment *assignments; /* in the order in which they were added; no target twice */
    size_t count, capacity;
    struct plan_image *images;
    size_t image_count, image_capacity;
    struct plan_secrets passwords, keys;
    struct hosts hosts;          /* whose strings the assignments have */
    struct resume *resume;       /* NULL: no earlier run */
    struct sign_key *key;        /* while images are loaded; NULL: they are sent as they are */
    struct sign_key *verify_key; /* that each of them has to be signed with; NULL: none has to */
};

/* For the boards of -i and --hosts. Fails with OTA_E_IMAGE, OTA_E_SIGNATURE, OTA_E_USAGE or
 * OTA_E_INTERNAL; the caller frees the plan with plan_free() in any case. The settings must outlive
 * it. */
enum ota_error plan_make(struct plan *plan, const struct plan_settings *settings,
                         struct ota_failure *failure);

/* Adds a board, with the image and the password of the settings. A second time does nothing. */
enum ota_error plan_add(struct plan *plan, const struct target *target,
                        struct ota_failure *failure);

/* Begins the message with the list of --hosts and the board's line in it, if it is from there.
 * Returns the failure's error. */
enum ota_error plan_name_line(const struct plan *plan, size_t line, struct ota_failure *failure);

/* Whether the log of some board is judged by a pattern of its own. */
bool plan_judges_logs(const struct plan *plan);

void plan_free(struct plan *plan); /* cleanses the passwords and keys */

#endif
