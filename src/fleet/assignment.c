/* assignment.c: what a board is called, and whether it is named twice for the same. */
#include "fleet/assignment.h"

#include "base/error.h"
#include "base/escape.h"
#include "base/text.h"
#include "boardlog/expect.h"
#include "discovery/etc_hosts.h"
#include "secrets/encryption_key.h"

#include <stdio.h>
#include <string.h>

const char ASSIGNMENT_CONFIRMED[] = "has confirmed this image in an earlier run";

const char *assignment_target(char text[ASSIGNMENT_LABEL_MAX], const struct assignment *assignment)
{
    const struct target *target = &assignment->target;
    char full_name[TARGET_FULL_MAX];
    char name[4 * TARGET_NAME_MAX], path[TARGET_NAME_MAX], port[sizeof ":65535"] = "";

    escape_string(name, sizeof name, target_full_name(full_name, target));
    escape_string(path, sizeof path, target->path);
    if (target->port)
        snprintf(port, sizeof port, ":%u", target->port);

    const bool has_brackets = *port && strchr(name, ':') && target->kind == TARGET_ADDRESS;
    if (assignment->shares_name)
        snprintf(text, ASSIGNMENT_LABEL_MAX, "%s%s%s%s%s", has_brackets ? "[" : "", name,
                 has_brackets ? "]" : "", port, path);
    else
        snprintf(text, ASSIGNMENT_LABEL_MAX, "%s", name);
    return text;
}

uint16_t assignment_target_port(const struct assignment *assignment)
{
    return assignment->shares_name ? 0 : assignment->target.port;
}

const char *assignment_label(char label[ASSIGNMENT_LABEL_MAX], const struct assignment *assignment)
{
    if (!assignment->label)
        return assignment_target(label, assignment);
    return escape_string(label, ASSIGNMENT_LABEL_MAX, assignment->label);
}

/* What nobody sees at the end of a password that was given and rejected: of a script with the line
 * ends of Windows, of quotes. */
static const char *unseen_end(const char *password)
{
    const size_t length = password ? strlen(password) : 0;

    switch (length > 0 ? password[length - 1] : '\0') {
    case ' ':
    case '\t':
        return "blank";
    case '\r':
        return "carriage return";
    case '\n':
        return "line feed";
    default:
        return NULL;
    }
}

void assignment_explain(const struct assignment *assignment, struct ota_failure *failure)
{
    enum assignment_secret secret = ASSIGNMENT_SECRET_SHARED;
    const char *end = unseen_end(assignment->password);

    if (failure->cause == OTA_CAUSE_PASSWORD_REJECTED && end)
        text_append(failure->message, sizeof failure->message,
                    "; the password that was given ends in a %s", end);

    if (failure->error == OTA_E_PASSWORD_NEEDED)
        secret = assignment->common_password;
    else if (failure->error == OTA_E_KEY_NEEDED)
        secret = assignment->common_key;
    if (secret == ASSIGNMENT_SECRET_SHARED || failure->cause != OTA_CAUSE_NONE)
        return;

    failure->cause = OTA_CAUSE_PROJECT_BOARD;
    if (secret == ASSIGNMENT_SECRET_WITHHELD)
        text_append(failure->message, sizeof failure->message,
                    "; yours is not for a board that a project file, .esp-ota, names");
}

static bool is_own_equal(const struct upload_own *a, const struct upload_own *b)
{
    for (size_t i = 0; i < UPLOAD_OWN_COUNT; i++) {
        const char *first = a->values[i], *second = b->values[i];

        if (first && second ? strcmp(first, second) != 0 : first != second)
            return false;
    }
    return true;
}

/* Whether both logs are to say the same. */
static bool is_expect_equal(const struct expect *a, const struct expect *b)
{
    const struct expect_state nothing = {0};

    if (!a || !b)
        return a == b;
    for (size_t n = 0;; n++) {
        const char *first = expect_missing(a, &nothing, n);
        const char *second = expect_missing(b, &nothing, n);

        if (!first || !second)
            return first == second;
        if (strcmp(first, second) != 0)
            return false;
    }
}

/* Whether both schemes reach a board in the same way; without one, the protocol's is meant. Schemes
 * of one protocol, such as http and https, differ in their default port. */
static bool is_scheme_equal(const struct target *a, const struct target *b)
{
    return (a->scheme ? a->scheme->port : 0) == (b->scheme ? b->scheme->port : 0);
}

/* Without a scheme, the user has not written the protocol's name, or has done so elsewhere. */
static void describe_ways(char text[ASSIGNMENT_DIFFERENCE_MAX], const struct assignment *a,
                          const struct assignment *b)
{
    const struct target_scheme *first = a->target.scheme, *second = b->target.scheme;
    const bool are_one = a->protocol == b->protocol;

    if (first && second)
        snprintf(text, ASSIGNMENT_DIFFERENCE_MAX, "is named twice, with %s:// and with %s://",
                 first->name, second->name);
    else if (first || second)
        snprintf(text, ASSIGNMENT_DIFFERENCE_MAX, "is named twice, with %s:// and without%s%s",
                 (first ? first : second)->name, are_one ? "" : ", which means ",
                 are_one ? "" : (first ? b : a)->protocol->name);
    else
        snprintf(text, ASSIGNMENT_DIFFERENCE_MAX, "is named twice, with the protocols %s and %s",
                 a->protocol->name, b->protocol->name);
}

/* Two files may have the same secret. NULL: none. */
static bool is_password_equal(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

static bool is_key_equal(const unsigned char *a, const unsigned char *b)
{
    return a && b ? memcmp(a, b, ENCRYPTION_KEY_SIZE) == 0 : a == b;
}

/* How the two would get their images; text remains as it is if in the same way. */
static void compare_ways(char text[ASSIGNMENT_DIFFERENCE_MAX], const struct assignment *a,
                         const struct assignment *b)
{
    if (a->protocol != b->protocol || !is_scheme_equal(&a->target, &b->target))
        describe_ways(text, a, b);
}

static void compare_demands(char text[ASSIGNMENT_DIFFERENCE_MAX], const struct assignment *a,
                            const struct assignment *b)
{
    const char *what = NULL;

    if (strcmp(a->target.user, b->target.user) != 0)
        what = "users";
    else if (!is_own_equal(&a->own, &b->own))
        what = "page=, field= or user=";
    else if (!is_expect_equal(a->expect, b->expect))
        what = "expect=";
    else if (!is_password_equal(a->password, b->password))
        what = "passwords";
    else if (!is_key_equal(a->encryption_key, b->encryption_key))
        what = "encryption keys";
    else if (a->image != b->image)
        snprintf(text, ASSIGNMENT_DIFFERENCE_MAX, "would get two different images");

    if (what)
        snprintf(text, ASSIGNMENT_DIFFERENCE_MAX, "is named twice with different %s", what);
}

const char *assignment_difference(char text[ASSIGNMENT_DIFFERENCE_MAX], const struct assignment *a,
                                  const struct assignment *b)
{
    *text = '\0';
    if (!a->image && !b->image)
        return text; /* only their log is followed */
    compare_ways(text, a, b);
    if (!*text)
        compare_demands(text, a, b);
    return text;
}

/* As assignment_difference(), but for two names. One without a scheme demands no way: it has the
 * usual one. https is demanded for what it protects. */
static void compare_names(char text[ASSIGNMENT_DIFFERENCE_MAX], const struct assignment *a,
                          const struct assignment *b)
{
    const bool is_way_demanded = (a->target.scheme && b->target.scheme) ||
                                 target_is_https(&a->target) || target_is_https(&b->target);

    *text = '\0';
    if (is_way_demanded)
        compare_ways(text, a, b);
    if (!*text)
        compare_demands(text, a, b);
}

bool assignment_fail_different(struct ota_failure *failure, const struct assignment *assignment,
                               const struct assignment *same)
{
    char name[ASSIGNMENT_LABEL_MAX], difference[ASSIGNMENT_DIFFERENCE_MAX] = "";

    compare_names(difference, same, assignment);
    if (!*difference)
        return false;
    ota_fail(failure, OTA_E_USAGE, "is the same board as %s, so it %s; leave one of them out",
             assignment_label(name, same), difference);
    return true;
}

void assignment_fail_address(struct ota_failure *failure, const struct assignment *other,
                             bool is_earlier)
{
    char name[ASSIGNMENT_LABEL_MAX];

    ota_fail(failure, OTA_E_AMBIGUOUS,
             "has the address at which %s got another image in %s run, and may be the same board",
             assignment_label(name, other), is_earlier ? "an earlier" : "this");
    failure->cause = is_earlier ? OTA_CAUSE_EARLIER_ADDRESS : OTA_CAUSE_OTHER_ADDRESS;
}

void assignment_fail_shared(struct ota_failure *failure, const struct assignment *other,
                            bool is_earlier)
{
    char name[ASSIGNMENT_LABEL_MAX];

    assignment_label(name, other);
    if (is_earlier)
        ota_fail(
            failure, OTA_E_AMBIGUOUS,
            "has the address at which %s was found in an earlier run, and may be another board",
            name);
    else
        ota_fail(failure, OTA_E_AMBIGUOUS,
                 "has the address at which %s was found in this run, but not the same addresses as "
                 "%s, and may be another board",
                 name, name);
    failure->cause = OTA_CAUSE_SHARED_ADDRESS;
}

void assignment_blame_shared(struct ota_failure *failure, const struct assignment *other)
{
    char name[ASSIGNMENT_LABEL_MAX];

    failure->error = OTA_E_AMBIGUOUS;
    failure->cause = OTA_CAUSE_SHARED_ADDRESS;
    text_append(failure->message, sizeof failure->message,
                "; %s was found at another one of its addresses", assignment_label(name, other));
}

const char *assignment_host(const struct assignment *assignment)
{
    const struct target *target = &assignment->target;
    struct address address;

    if (target->kind != TARGET_LOCAL || etc_hosts_find(&address, 1, target->name) != 0)
        return "";
    return target->name;
}

const char *assignment_same(char message[ASSIGNMENT_SAME_MAX], const struct assignment *assignment,
                            const struct assignment *same)
{
    char name[ASSIGNMENT_LABEL_MAX];

    if (target_names_equal(&same->target, &assignment->target) &&
        strcmp(same->target.path, assignment->target.path) == 0)
        snprintf(message, ASSIGNMENT_SAME_MAX, "is named twice; once is enough");
    else
        snprintf(message, ASSIGNMENT_SAME_MAX, "is the same board as %s",
                 assignment_label(name, same));
    return message;
}
