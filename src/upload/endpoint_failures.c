/*
 * endpoint_failures.c: groups the endpoints by the errno of their connections, and describes each
 * group in a clause.
 */
#include "upload/endpoint_failures.h"

#include "base/text.h"
#include "net/tcp_connect.h"

#include <errno.h>
#include <stdio.h>

enum { LISTED_MAX = 6 };

/* The most telling one first; others come after these. */
static const int telling[] = {ECONNREFUSED, ETIMEDOUT, EPERM, EACCES, EHOSTUNREACH};
static const size_t telling_count = sizeof telling / sizeof *telling;

void endpoint_failures_add(struct endpoint_failures *failures, size_t endpoint, int reason,
                           const struct ota_failure *failure)
{
    failures->reasons[endpoint] = reason;
    if (reason || failures->later.error != OTA_OK)
        return;
    failures->later = *failure;
    failures->later_at = endpoint;
}

static size_t rank_of(int reason)
{
    size_t rank = 0;

    while (rank < telling_count && telling[rank] != reason)
        rank++;
    return rank;
}

/* The endpoint with the most telling reason; count if there is none. */
static size_t find_most_telling(const int *reasons, size_t count)
{
    size_t best = count;

    for (size_t i = 0; i < count; i++)
        if (reasons[i] && (best == count || rank_of(reasons[i]) < rank_of(reasons[best])))
            best = i;
    return best;
}

/* Lists the endpoints with this reason, "A, B and C", and removes the reason. */
static void take_group(char list[OTA_MESSAGE_MAX], int *reasons, const struct endpoints *endpoints,
                       int reason)
{
    const size_t count = endpoints_count(endpoints);
    size_t total = 0, listed = 0;

    for (size_t i = 0; i < count; i++)
        total += reasons[i] == reason;

    *list = '\0';
    for (size_t i = 0; i < count; i++) {
        char place[ENDPOINTS_TEXT_MAX];

        if (reasons[i] != reason)
            continue;
        reasons[i] = 0;
        if (listed < LISTED_MAX)
            text_append(list, OTA_MESSAGE_MAX, "%s%s", text_separator(listed, total, " and "),
                        endpoints_text(place, endpoints, i));
        listed++;
    }
    if (listed > LISTED_MAX)
        text_append(list, OTA_MESSAGE_MAX, " and %zu more", listed - LISTED_MAX);
}

size_t endpoint_failures_describe(const struct endpoint_failures *failures,
                                  const struct endpoints *endpoints, int64_t deadline_us,
                                  struct ota_failure *failure)
{
    const size_t count = endpoints_count(endpoints);
    struct endpoint_failures left = *failures;
    bool is_told = failures->later.error != OTA_OK;
    size_t told_at = failures->later_at, next;
    char list[OTA_MESSAGE_MAX];

    if (is_told)
        *failure = failures->later;

    while ((next = find_most_telling(left.reasons, count)) < count) {
        const int reason = left.reasons[next];
        struct ota_failure group;

        take_group(list, left.reasons, endpoints, reason);
        tcp_connect_fail(&group, reason, list, deadline_us);
        if (is_told) {
            text_append(failure->message, sizeof failure->message, "; %s", group.message);
        } else {
            *failure = group;
            told_at = next;
        }
        is_told = true;
    }
    return told_at;
}
