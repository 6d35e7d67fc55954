/*
 * job_other_protocol.c: a board that does not answer may take uploads by another protocol than it
 * was asked by, or at another port. Its announcements tell. They are looked for only when the job
 * has failed, so that no other upload waits for them.
 */
#include "fleet/job_internal.h"

#include "base/text.h"
#include "base/units.h"
#include "discovery/board_list.h"
#include "fleet/job_policy.h"
#include "upload/protocols.h"

#include <stdio.h>

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

static bool was_asked_at(const struct job *job, uint16_t port)
{
    for (size_t i = 0; i < job->endpoints.port_count; i++)
        if (job->endpoints.ports[i].number == port)
            return true;
    return false;
}

static bool is_port_given(const struct job *job)
{
    const struct target *target = &job->config.assignment->target;

    return target->port && !target->has_announced_port;
}

/* The announcement of the protocol that the board was asked by, if it names a port at which it was
 * not asked. NULL: there is none. A job goes on at one port only: whoever announces another address
 * and another port each time would keep it going for ever. */
static const struct announced_service *
find_other_port(const struct job *job, const struct announced_service *services, size_t count)
{
    if (job->config.assignment->target.has_announced_port || job->has_gone_on)
        return NULL;

    for (size_t i = 0; i < count; i++)
        if (service_tells_port(services[i].service) &&
            protocol_of(&services[i]) == job->config.assignment->protocol &&
            !was_asked_at(job, services[i].port))
            return &services[i];
    return NULL;
}

static void set_port(struct job *job, const struct announced_service *announced)
{
    job->has_gone_on = true;
    job->found.service = announced->service;
    job->found.port = announced->port;
}

/* Goes on at the port of an announcement that came late. That is no new attempt, as the board was
 * not asked where it listens. */
static void go_on_at_port(struct job *job)
{
    char message[OTA_MESSAGE_MAX + 64];

    snprintf(message, sizeof message, "%s: %s; the board announces port %u, which is tried now",
             ota_phase_name(job->paused), job->last.message, job->found.port);
    job_note(job, job->paused, message);
    job_rest(job, job->paused, &job->last, 0, false);
}

/* The user has given another port. */
static void add_other_port(struct ota_failure *failure, uint16_t announced)
{
    failure->cause = OTA_CAUSE_OTHER_PORT;
    text_append(failure->message, sizeof failure->message, "; the board announces port %u",
                announced);
}

static void on_services(const struct announced_service *services, size_t count, void *userdata)
{
    struct job *job = userdata;
    const struct announced_service *other_port = find_other_port(job, services, count);

    const bool goes_on = other_port && !is_port_given(job);

    if (goes_on)
        set_port(job, other_port);
    else if (other_port)
        add_other_port(&job->last, other_port->port);
    else
        add_other_protocol(&job->last, job->config.assignment->protocol, services, count);
    job_stop_looking(job); /* frees services */

    if (goes_on)
        go_on_at_port(job);
    else
        job_end(job, job->paused, &job->last);
}

static bool is_announced_as_asked(const struct job *job)
{
    const struct announced_service found = {.service = job->found.service, .port = job->found.port};

    return found.port && protocol_of(&found) == job->config.assignment->protocol;
}

uint16_t job_announced_port(const struct job *job)
{
    const bool is_told = is_announced_as_asked(job) && service_tells_port(job->found.service);

    return is_told ? job->found.port : 0;
}

bool job_looks_for_other_protocol(struct job *job, enum ota_phase phase,
                                  const struct ota_failure *failure)
{
    const bool is_deadline_near = job->deadline_us && job->deadline_us - loop_now_us() < LOOK_US;
    const uint16_t announced = job_announced_port(job);

    if (!job_policy_may_be_other_protocol(failure) || !job->found.count ||
        job->broken.failure.error)
        return false;

    job->last = *failure;
    job->paused = phase;
    if (announced && is_port_given(job) && !was_asked_at(job, announced)) {
        add_other_port(&job->last, announced);
        job_end(job, phase, &job->last);
        return true;
    }
    if (is_announced_as_asked(job) || is_deadline_near)
        return false;

    const struct services_at_config config = {.loop = job->config.loop,
                                              .mdns = job->config.mdns,
                                              .address = job->found.addresses[0],
                                              .services = SERVICES_ALL,
                                              .timeout_us = LOOK_US,
                                              .on_done = on_services,
                                              .userdata = job};
    job->services = services_at_start(&config);
    return job->services;
}

void job_stop_looking(struct job *job)
{
    services_at_free(job->services);
    job->services = NULL;
}
