/*
 * job_other_protocol.c: a board that does not answer may take uploads by another protocol than it
 * was asked by. Its announcements tell. They are looked for only when the job has failed, so that no
 * other upload waits for them.
 */
#include "fleet/job_internal.h"

#include "base/error.h"
#include "base/text.h"
#include "base/units.h"
#include "discovery/board_list.h"
#include "fleet/job_policy.h"
#include "upload/protocols.h"

static const int64_t LOOK_US = SECONDS(2);

static const struct upload_protocol *protocol_of(const struct announced_service *service)
{
    const struct board board = {.service = service->service, .port = service->port};

    return protocols_for(&board);
}

/* Adds the first of the announced protocols to the failure. A board that also announces the
 * protocol that it was asked by is silent for another reason. */
static void add_other_protocol(struct ota_failure *failure, const struct upload_protocol *asked,
                               const struct announced_service *services, size_t count)
{
    const struct announced_service *other = NULL;

    for (size_t i = 0; i < count; i++) {
        const struct upload_protocol *protocol = protocol_of(&services[i]);

        if (protocol == asked)
            return;
        if (protocol && !other)
            other = &services[i];
    }
    if (!other)
        return;

    failure->cause = protocol_of(other)->announced_cause;
    text_append(failure->message, sizeof failure->message, "; the board announces %s (%s)",
                protocol_of(other)->title, service_type(other->service));
}

static void on_services(const struct announced_service *services, size_t count, void *userdata)
{
    struct job *job = userdata;

    job_stop_looking(job);
    add_other_protocol(&job->last, job->config.assignment->protocol, services, count);
    job_end(job, job->paused, &job->last);
}

static bool is_announced_as_asked(const struct job *job)
{
    const struct announced_service found = {.service = job->found.service, .port = job->found.port};

    return found.port && protocol_of(&found) == job->config.assignment->protocol;
}

bool job_looks_for_other_protocol(struct job *job, enum ota_phase phase,
                                  const struct ota_failure *failure)
{
    const bool is_deadline_near = job->deadline_us && job->deadline_us - loop_now_us() < LOOK_US;

    if (!job_policy_may_be_other_protocol(failure) || !job->found.count ||
        is_announced_as_asked(job) || job->broken.failure.error || is_deadline_near)
        return false;

    job->last = *failure;
    job->paused = phase;
    job->services = services_at_start(job->config.loop, job->config.mdns, &job->found.addresses[0],
                                      LOOK_US, on_services, job);
    return job->services;
}

void job_stop_looking(struct job *job)
{
    services_at_free(job->services);
    job->services = NULL;
}
