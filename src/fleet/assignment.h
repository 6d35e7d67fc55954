/*
 * assignment.h: a board of a plan, and what it is to get.
 */
#ifndef ESP_OTA_FLEET_ASSIGNMENT_H
#define ESP_OTA_FLEET_ASSIGNMENT_H

#include "crypto/auth.h"
#include "discovery/target.h"
#include "image/image.h"
#include "upload/endpoints.h"
#include "upload/upload.h"

#include <stdbool.h>

struct expect;

/* What a board without its own password, or key, gets of the common one. */
enum assignment_secret {
    ASSIGNMENT_SECRET_SHARED,
    ASSIGNMENT_SECRET_NONE,     /* it would be withheld, but there is none */
    ASSIGNMENT_SECRET_WITHHELD, /* a project file has named the board */
};

/* A board, and the image for it. */
struct assignment {
    struct target target;
    size_t line;         /* of --hosts, from 1; 0: it is from no list */
    const char *label;   /* its name in the configuration, borrowed; NULL: it has none */
    const char *similar; /* names to suggest if the board is not found, borrowed; or NULL */
    const struct upload_protocol *protocol;
    const struct image *image;           /* NULL: nothing is sent, only the log followed */
    const char *password;                /* NULL or "": none was given */
    const unsigned char *encryption_key; /* NULL: none was given */
    enum assignment_secret common_password, common_key;
    enum auth_scheme min_auth;        /* AUTH_MD5 or AUTH_SHA256 */
    struct upload_own own;            /* what its line sets; the strings are not the assignment's */
    const struct expect *expect;      /* of its own, instead of the log settings'; NULL: none */
    bool is_confirmed;                /* by an earlier run: nothing is to be done */
    uint16_t confirmed_port;          /* the board's, in that run; 0: unknown */
    struct address confirmed_address; /* likewise; AF_UNSPEC: unknown */
    struct address confirmed_addresses[ENDPOINTS_ADDRESSES_MAX]; /* all of its name, likewise */
    size_t confirmed_address_count;                              /* 0: unknown */
    bool shares_name; /* another one of the plan has the same name, but another port or path */
};

enum { ASSIGNMENT_LABEL_MAX = 5 * TARGET_NAME_MAX + 8, ASSIGNMENT_DIFFERENCE_MAX = 128 };

/* The board's name in every message: the name of its section in the configuration, else that of its
 * target, as assignment_target() writes it. Returns label. */
const char *assignment_label(char label[ASSIGNMENT_LABEL_MAX], const struct assignment *assignment);

/* The board's name in JSON, for --resume and for --metrics: its target's, as target_full_name()
 * writes it, escaped. Port and path of the target follow if another board has the same name:
 * "127.0.0.1:3232", "[fd00::17]:80/update". Returns text. */
const char *assignment_target(char text[ASSIGNMENT_LABEL_MAX], const struct assignment *assignment);

/* The port that was given, unless assignment_target() has it; else 0. */
uint16_t assignment_target_port(const struct assignment *assignment);

/* In what two assignments of one board differ, so that what one of them demands would be dropped:
 * the end of a sentence that the board's name begins, "is named twice with different passwords"; ""
 * if in nothing. min_auth is not compared, as the stricter one holds for both. Returns text. */
const char *assignment_difference(char text[ASSIGNMENT_DIFFERENCE_MAX], const struct assignment *a,
                                  const struct assignment *b);

/* The board has turned out to be the same one. If the two differ, fills in failure (OTA_E_USAGE)
 * and returns true. */
bool assignment_fail_different(struct ota_failure *failure, const struct assignment *assignment,
                               const struct assignment *same);

enum { ASSIGNMENT_SAME_MAX = ASSIGNMENT_LABEL_MAX + 32 };

/* If they do not: why it is left out. Returns message. */
const char *assignment_same(char message[ASSIGNMENT_SAME_MAX], const struct assignment *assignment,
                            const struct assignment *same);

/* The board has an address now at which the other one has got another image, in this run or an
 * earlier one, and may be the same board: fills in failure (OTA_E_AMBIGUOUS). */
void assignment_fail_address(struct ota_failure *failure, const struct assignment *other,
                             bool is_earlier);

/* The board has only addresses of others, which were found there in this run or in an earlier one,
 * but not the same ones as one of them: fills in failure (OTA_E_AMBIGUOUS). */
void assignment_fail_shared(struct ota_failure *failure, const struct assignment *other,
                            bool is_earlier);

/* The board has an address of the other one, too, and was not found at the rest: so the failure may
 * say nothing of the board. Makes it OTA_E_AMBIGUOUS. */
void assignment_blame_shared(struct ota_failure *failure, const struct assignment *other);

/* The host on multicast DNS that the board's name is, not escaped; "": unknown. Only a name under
 * .local is one, unless /etc/hosts has it, perhaps for a host with another name. */
const char *assignment_host(const struct assignment *assignment);

/* Why --resume leaves out a board. */
extern const char ASSIGNMENT_CONFIRMED[];

/* If the failure is for want of a password or key, adds why the board got none, and the cause. */
void assignment_explain(const struct assignment *assignment, struct ota_failure *failure);

#endif
