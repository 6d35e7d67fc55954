/*
 * job_policy.c: decides about retries, pauses, ports and proofs.
 */
#include "fleet/job_policy.h"

#include "base/units.h"
#include "boardlog/expect.h"
#include "image/image_fit.h"

#include <string.h>

static const int64_t PAUSE_MIN_US = SECONDS(1); /* a lost connection: idle again after 1.1 s */
static const int64_t PAUSE_MAX_US = SECONDS(5);
static const int64_t RESTART_US = SECONDS(10); /* until a restarted board has joined the Wi-Fi */

int64_t job_policy_pause_us(unsigned attempt)
{
    int64_t doubled_us = PAUSE_MIN_US << (attempt < 4 ? attempt - 1 : 3);
    return doubled_us < PAUSE_MAX_US ? doubled_us : PAUSE_MAX_US;
}

bool job_policy_is_absence(enum ota_error error)
{
    return error == OTA_E_NOT_FOUND || error == OTA_E_NO_ANSWER || error == OTA_E_NOT_LISTENING ||
           error == OTA_E_UNREACHABLE;
}

enum job_way job_policy_way(enum ota_cause cause)
{
    static const enum job_way ways[OTA_CAUSE_COUNT] = {[OTA_CAUSE_DETOUR] = JOB_WAY_SUSPECTED,
                                                       [OTA_CAUSE_WRONG_SOURCE] = JOB_WAY_SUSPECTED,
                                                       [OTA_CAUSE_NO_WAY_OUT] = JOB_WAY_CLOSED,
                                                       [OTA_CAUSE_BROADCAST] = JOB_WAY_CLOSED};

    return ways[cause];
}

bool job_policy_may_be_other_protocol(const struct ota_failure *failure)
{
    const bool is_silent = failure->error == OTA_E_NO_ANSWER ||
                           failure->error == OTA_E_NOT_LISTENING || failure->error == OTA_E_NO_PAGE;
    const bool is_unexplained = failure->cause == OTA_CAUSE_NONE ||
                                failure->cause == OTA_CAUSE_THERE ||
                                failure->cause == OTA_CAUSE_ESPHOME;

    return is_silent && is_unexplained;
}

bool job_policy_is_worth_another(const struct ota_failure *failure, enum ota_error before,
                                 unsigned attempt, int64_t gone_us)
{
    enum ota_error error = failure->error;
    bool is_second = error == OTA_E_NO_CONNECTION && before == OTA_E_NO_CONNECTION;
    bool is_elsewhere = error == OTA_E_NOT_LISTENING || failure->cause == OTA_CAUSE_NO_ROUTE ||
                        job_policy_way(failure->cause) == JOB_WAY_CLOSED;
    bool is_gone = before == OTA_OK && gone_us >= RESTART_US;

    return ota_error_is_transient(error) && failure->cause != OTA_CAUSE_PART_KEPT && !is_second &&
           !(is_elsewhere && attempt == 1) && !is_gone;
}

const struct kind_family *job_policy_family(const struct kind *kind, const struct image *image,
                                            uint16_t port)
{
    char chips[KIND_CHIPS_MAX];
    const struct kind_family *found = NULL;
    size_t count = 0, count_at_port = 0;

    image_fit_chips(chips, image);
    for (size_t i = 0; i < kind_family_count; i++) {
        const struct kind_family *family = &kind_families[i];
        bool is_possible =
            kind_overlap(family->chips, kind->proven) &&
            (kind_overlap(family->chips, chips) || !kind_overlap(kind->proven, chips));

        if (!is_possible)
            continue;
        count++;
        count_at_port += family->port == port;
        if (!found || (family->port == port && found->port != port))
            found = family;
    }
    return count == 1 || count_at_port == 1 ? found : NULL;
}

bool job_policy_can_prove(const struct log_settings *settings, bool restart_proves)
{
    bool log_proves = settings->expect && expect_has_expected(settings->expect);

    return log_proves || (settings->online_us && restart_proves);
}

bool job_policy_wants_plain(const struct image *image, const struct ota_failure *failure)
{
    return image && image->plain && failure->error == OTA_E_BOARD &&
           failure->cause == OTA_CAUSE_MAGIC_BYTE;
}

/* Adds the default ports for the chips that fit the image and the kind, each port once. Leaves out
 * a port if the image (NULL: there is none) would be refused at it. */
static size_t add_default_ports(struct endpoint_port ports[ENDPOINTS_PORTS_MAX],
                                const struct upload_protocol *protocol, const char *chips,
                                const struct image *image, const struct kind *kind)
{
    char reason[IMAGE_FIT_REASON_MAX];
    size_t count = 0;

    for (size_t i = 0; i < protocol->port_count; i++) {
        const struct upload_port *port = &protocol->ports[i];
        bool is_there = count && ports[count - 1].number == port->number;

        if (is_there || count == ENDPOINTS_PORTS_MAX ||
            (port->is_rare && !*kind->proven && !*chips) || !kind_overlap(port->chips, chips) ||
            !kind_overlap(port->chips, kind->proven) ||
            (image && image_fit_board(reason, image, kind, *port->chips ? port->number : 0) ==
                          IMAGE_FIT_REFUSED))
            continue;
        ports[count++] =
            (struct endpoint_port){.number = port->number,
                                   .source = port->source,
                                   .is_of_image = *port->chips && *chips && !*kind->proven};
    }
    return count;
}

size_t job_policy_ports(struct endpoint_port ports[ENDPOINTS_PORTS_MAX],
                        const struct assignment *assignment, uint16_t announced,
                        const struct kind *kind, bool is_forced)
{
    const struct image *image = assignment->image;
    char chips[KIND_CHIPS_MAX];
    uint16_t given = assignment->target.port;
    const bool is_of_user = given && !assignment->target.has_announced_port;
    size_t count;

    if (given || announced) {
        *ports =
            (struct endpoint_port){.number = given ? given : announced,
                                   .source = is_of_user ? "the given port" : "the announced port",
                                   .is_announced = !is_of_user || given == announced,
                                   .announced = is_of_user && given != announced ? announced : 0};
        return 1;
    }
    const struct target_scheme *scheme = assignment->target.scheme;
    if (scheme && scheme->port) {
        *ports = (struct endpoint_port){.number = scheme->port, .source = scheme->port_source};
        return 1;
    }
    count = add_default_ports(ports, assignment->protocol, image_fit_chips(chips, image),
                              is_forced ? NULL : image, kind);
    return count ? count : add_default_ports(ports, assignment->protocol, "", NULL, kind);
}
