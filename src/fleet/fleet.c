/*
 * fleet.c: the boards of a fleet (job.c), as many at a time as -j allows; the canaries first.
 * fleet_password.c asks for the password.
 *
 * It opens no socket and prints nothing. A board waiting for its next attempt holds no slot. It
 * then queues behind the untried boards, so offline boards barely delay the rest.
 */
#include "fleet/fleet_internal.h"

#include "base/error.h"
#include "base/fd_limit.h"
#include "base/loop.h"
#include "boardlog/boot_check.h"
#include "fleet/job_policy.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Boards started per turn of the loop; running boards must not wait for long. */
enum { STARTS_MAX = 16 };

/* -- events -- */

static void emit_board_event(struct fleet *fleet, const struct ota_event *event)
{
    struct ota_event complete = *event;
    complete.totals = &fleet->totals;
    fleet->config.on_event(&complete, fleet->config.event_userdata);
}

void fleet_look_later(struct fleet *fleet)
{
    loop_timer_start(&fleet->turn, 0);
}

static bool is_retrying(const struct member *member)
{
    return member->has_rested && (member->state == RESTING || member->state == READY);
}

void fleet_set_state(struct member *member, enum state state)
{
    struct fleet *fleet = member->fleet;

    if (member->state == UNTRIED)
        fleet->open++;
    if (member->state == RUNNING)
        fleet->totals.running--;
    if (is_retrying(member))
        fleet->totals.retrying--;

    member->state = state;
    if (state == RESTING)
        member->has_rested = true;

    if (state == RUNNING)
        fleet->totals.running++;
    if (is_retrying(member))
        fleet->totals.retrying++;
    if (state == ENDED)
        fleet->open--;
    fleet_look_later(fleet);
}

void fleet_queue(struct member *member)
{
    struct fleet *fleet = member->fleet;

    fleet_set_state(member, READY);
    member->next_ready = NULL;
    *fleet->ready_end = member;
    fleet->ready_end = &member->next_ready;
}

static bool is_canary(const struct member *member)
{
    return (size_t)(member - member->fleet->members) < member->fleet->canaries;
}

/* By which the board gets its image; NULL: it gets none. */
static const char *protocol_of(const struct member *member)
{
    return member->assignment->image ? member->assignment->protocol->name : NULL;
}

static void skip_member(struct member *member, enum ota_skip why, const char *message)
{
    char name[ASSIGNMENT_LABEL_MAX], target[ASSIGNMENT_LABEL_MAX], address[ADDRESS_TEXT_MAX];
    const struct assignment *assignment = member->assignment;
    const struct address *confirmed = &assignment->confirmed_address;
    const bool has_address = why == OTA_SKIP_CONFIRMED && confirmed->any.sa_family != AF_UNSPEC;
    struct fleet *fleet = member->fleet;

    fleet_set_state(member, ENDED);
    member->error = OTA_OK;
    member->exit_status = 0;
    if (is_canary(member))
        fleet->canaries++; /* another board takes its slot */
    fleet->totals.skipped++;
    fleet->totals.total -= member->total;
    assignment_label(name, assignment);
    assignment_target(target, assignment);
    emit_board_event(
        fleet,
        &(struct ota_event){.type = OTA_EVENT_SKIPPED,
                            .board = name,
                            .target = target,
                            .image = assignment->image,
                            .protocol = protocol_of(member),
                            .address = has_address ? address_text(address, confirmed) : NULL,
                            .port = assignment->target.port,
                            .addresses = assignment->confirmed_addresses,
                            .address_count = has_address ? assignment->confirmed_address_count : 0,
                            .skip = why,
                            .message = message});
}

/* -- the course of the roll-out -- */

/* A staged roll-out ends with the first canary that fails. */
static void judge_result(struct member *member)
{
    struct fleet *fleet = member->fleet;
    const struct fleet_settings *settings = fleet->config.settings;

    if (member->error != OTA_OK && is_canary(member))
        fleet->why_stopped = "not tried, as a canary has failed";
    else if (settings->failures_max && fleet->totals.failed >= settings->failures_max)
        fleet->why_stopped = "not tried, as too many others have failed";
}

static bool are_canaries_confirmed(const struct fleet *fleet)
{
    for (size_t i = 0; i < fleet->canaries && i < fleet->config.count; i++)
        if (fleet->members[i].state != ENDED)
            return false;
    return true;
}

static void skip_confirmed(struct fleet *fleet)
{
    while (fleet->begun < fleet->config.count &&
           fleet->members[fleet->begun].assignment->is_confirmed)
        skip_member(&fleet->members[fleet->begun++], OTA_SKIP_CONFIRMED, ASSIGNMENT_CONFIRMED);
}

/* Returns the next board that may start, or NULL if there is none for now. */
static struct member *take_next(struct fleet *fleet)
{
    skip_confirmed(fleet);
    bool is_next_canary = fleet->begun < fleet->canaries;
    if (fleet->begun < fleet->config.count && (is_next_canary || are_canaries_confirmed(fleet)))
        return &fleet->members[fleet->begun++];
    struct member *member = fleet->ready;
    while (member && member->state == ENDED) /* its deadline passed in the queue */
        member = member->next_ready;
    fleet->ready = member ? member->next_ready : NULL;
    if (!fleet->ready)
        fleet->ready_end = &fleet->ready;
    return member;
}

static void skip_the_rest(struct fleet *fleet)
{
    for (skip_confirmed(fleet); fleet->begun < fleet->config.count; skip_confirmed(fleet))
        skip_member(&fleet->members[fleet->begun++], OTA_SKIP_UNTRIED, fleet->why_stopped);
}

static bool has_ended(const struct fleet *fleet)
{
    return fleet->open == 0 && fleet->begun == fleet->config.count;
}

static void start_member(struct member *member);

static void on_fleet_turn(void *userdata)
{
    struct fleet *fleet = userdata;

    if (fleet->why_stopped)
        skip_the_rest(fleet);
    fleet_password_turn(fleet);
    for (int starts = 0; fleet->totals.running < fleet->places; starts++) {
        struct member *member = starts < STARTS_MAX ? take_next(fleet) : NULL;
        if (!member)
            break;
        start_member(member);
    }
    if (!has_ended(fleet) || fleet->is_done)
        return;
    fleet->is_done = true;
    fleet->config.on_done(fleet->config.done_userdata);
}

/* -- one board -- */

/* Logs that go on take the descriptors that -j leaves to uploads, so -j is no remedy. */
static void blame_logs(const struct fleet *fleet, struct ota_failure *failure)
{
    if (failure->cause == OTA_CAUSE_TOO_MANY_FILES && boot_check_goes_on(fleet->config.log))
        failure->cause = OTA_CAUSE_TOO_MANY_LOGS;
}

/* A board that listens only at the address at which another one was found is not to blame for its
 * silence at the rest. */
static void blame_taker(const struct member *member, struct ota_event *event,
                        struct ota_failure *failure)
{
    if (event->type != OTA_EVENT_RESULT || !member->taker || !job_policy_is_absence(failure->error))
        return;
    assignment_blame_shared(failure, member->taker->assignment);
    event->exit_status = ota_error_exit_status(failure->error, 0);
}

static void take_result(struct member *member, const struct ota_event *event)
{
    struct fleet *fleet = member->fleet;
    member->error = event->failure->error;
    member->exit_status = event->exit_status;
    if (member->error == OTA_OK)
        fleet->totals.confirmed++;
    else
        fleet->totals.failed++;
    if (member->state != ENDED)
        fleet_set_state(member, ENDED);
    judge_result(member);
}

static void on_job_event(const struct ota_event *event, void *userdata)
{
    struct member *member = userdata;
    struct ota_totals *totals = &member->fleet->totals;
    struct ota_failure failure;
    struct ota_event complete = *event;

    if (event->failure) {
        failure = *event->failure;
        blame_logs(member->fleet, &failure);
        blame_taker(member, &complete, &failure);
        complete.failure = &failure;
    }
    totals->bytes = totals->bytes - member->bytes + event->bytes;
    member->bytes = event->bytes;
    totals->total = totals->total - member->total + event->total;
    member->total = event->total;
    if (event->type == OTA_EVENT_AUTHENTICATED && !event->is_by_key)
        fleet_password_accepted(member);
    if (event->type == OTA_EVENT_RESULT)
        take_result(member, &complete);
    emit_board_event(member->fleet, &complete);
}

/* A result that no job has given. */
static void fail_member(struct member *member, const struct ota_failure *failure)
{
    char name[ASSIGNMENT_LABEL_MAX], target[ASSIGNMENT_LABEL_MAX];

    assignment_label(name, member->assignment);
    assignment_target(target, member->assignment);
    on_job_event(&(struct ota_event){.type = OTA_EVENT_RESULT,
                                     .board = name,
                                     .target = target,
                                     .target_port = assignment_target_port(member->assignment),
                                     .image = member->assignment->image,
                                     .protocol = protocol_of(member),
                                     .port = member->assignment->target.port,
                                     .total = member->total,
                                     .failure = failure,
                                     .exit_status = ota_error_exit_status(failure->error, 0)},
                 member);
}

/* Whether the address of the other board belongs to this host now: DHCP may hand it on during a
 * run. A board has one host name on multicast DNS, however it was named by the user. */
static bool has_changed_owner(const struct member *other, const char *host)
{
    return *other->host && *host && strcasecmp(other->host, host) != 0;
}

/* Whether the names may be of two boards. A board may have several names of the system's resolver,
 * but then the wanted one has no address that the other one does not have. */
static bool may_be_two_boards(const struct member *other, const struct member *wanted,
                              const char *host)
{
    if (*other->host && *host)
        return has_changed_owner(other, host);
    return other->assignment->target.kind != TARGET_ADDRESS &&
           wanted->assignment->target.kind != TARGET_ADDRESS &&
           !endpoints_have_addresses(&other->claimed, &wanted->claimed);
}

/* Whether the board has its address from an earlier run, and not by being named by it. Since then
 * its name may have got another address, and another board this one. */
static bool is_remembered(const struct member *member)
{
    return member->assignment->is_confirmed && member->assignment->target.kind != TARGET_ADDRESS;
}

/* Perhaps its log is still followed. */
static bool has_confirmed(const struct member *member)
{
    return member->state == ENDED && member->is_found && (member->error == OTA_OK || member->job);
}

static bool has_got_another_image(const struct member *other, const struct member *wanted)
{
    const bool has_got_one = other->assignment->is_confirmed || has_confirmed(other);

    return has_got_one && other->assignment->image != wanted->assignment->image;
}

/* Whether the other board has confirmed, both host names have the same addresses, and both had that
 * of the board at the same time: when all boards were listed, or while the other one was RUNNING.
 * Then nobody has handed it on. */
static bool is_other_name_of(const struct member *other, const struct member *wanted)
{
    const struct address *announced = &wanted->assignment->target.announced;
    char difference[ASSIGNMENT_DIFFERENCE_MAX];
    const bool was_listed =
        announced->any.sa_family != AF_UNSPEC &&
        address_equal(announced, &other->assignment->target.announced) &&
        address_is_among(other->endpoints.addresses, other->endpoints.address_count, announced);

    return (was_listed || wanted->rival == other) && has_confirmed(other) &&
           endpoints_have_same_addresses(&other->claimed, &wanted->claimed) &&
           !*assignment_difference(difference, wanted->assignment, other->assignment);
}

/* Judges a claim against another board whose endpoints overlap with it. The other board is the same
 * one if it was found at one of the claimed endpoints, or can be found nowhere else, unless the
 * address has changed owner. Until that is known, the claim is undecided: an announcement may name
 * the address of a third board, which must not be left out because of it.
 *
 * A host name that has changed is no proof of another board: to send the same image again does no
 * harm then, but another image would replace the first one. The same holds if an earlier run has
 * updated the other board at a port that its report does not tell. If it has done so by a name,
 * another host may have the address by now: only its host name shows that. */
static enum job_claim compare_claim(const struct member *wanted, const struct endpoints *claimed,
                                    const char *host, const struct member *other)
{
    const bool is_other = may_be_two_boards(other, wanted, host);

    if (is_remembered(other))
        return has_changed_owner(other, host) || !has_got_another_image(other, wanted)
                   ? JOB_CLAIM_GRANTED
                   : JOB_CLAIM_DENIED;
    if (!is_other && (other->is_found || endpoints_contain(claimed, &other->endpoints)))
        return JOB_CLAIM_DENIED;
    if (other->state == RUNNING)
        return JOB_CLAIM_UNDECIDED;
    if (is_other_name_of(other, wanted))
        return JOB_CLAIM_DENIED;
    return has_got_another_image(other, wanted) ? JOB_CLAIM_DENIED : JOB_CLAIM_GRANTED;
}

static bool was_found(const struct member *member)
{
    return member->state == ENDED && member->is_found &&
           (member->job || !job_policy_is_absence(member->error));
}

static bool has_host(const struct member *member, const char *host)
{
    return *host && strcasecmp(member->host, host) == 0;
}

/* Whether the names may be of two boards, of which an earlier run has found one. Its report does
 * not tell the hosts of all names. */
static bool may_be_another_now(const struct member *member, const struct member *wanted,
                               const char *host)
{
    return *host ? !has_host(member, host) : may_be_two_boards(member, wanted, host);
}

/* Whether the board was found at its addresses, in this run or an earlier one, under another host
 * name, and the wanted one has not the same ones: it may be another board, which would get nothing.
 * Whether it has confirmed does not matter. */
static bool has_taken_addresses(const struct member *member, const struct member *wanted,
                                const char *host)
{
    const bool is_other = is_remembered(member)
                              ? may_be_another_now(member, wanted, host)
                              : was_found(member) && may_be_two_boards(member, wanted, host);

    return is_other && !endpoints_have_same_addresses(&member->claimed, &wanted->claimed);
}

/* Removes the addresses that other boards have taken; *taker is set to one of them. Returns the
 * board because of which no address is left, or NULL. */
static struct member *drop_taken_addresses(const struct member *wanted, struct endpoints *claimed,
                                           const char *host, const struct member **taker)
{
    for (size_t i = 0; i < wanted->fleet->config.count; i++) {
        struct member *member = &wanted->fleet->members[i];

        if (member == wanted || !has_taken_addresses(member, wanted, host) ||
            !endpoints_overlap(&member->endpoints, claimed))
            continue;
        *taker = member;
        endpoints_drop_addresses(claimed, &member->claimed);
        if (claimed->address_count == 0)
            return member;
    }
    return NULL;
}

/* Sets *same to the board because of which the claim is denied or undecided. Addresses that are not
 * granted are removed from the claim. */
static enum job_claim judge_claim(struct member *wanted, struct endpoints *claimed,
                                  const char *host, struct member **same)
{
    const struct fleet *fleet = wanted->fleet;
    enum job_claim claim = JOB_CLAIM_GRANTED;

    for (size_t i = 0; i < fleet->config.count && claim != JOB_CLAIM_DENIED; i++) {
        struct member *member = &fleet->members[i];
        if (member == wanted || !endpoints_overlap(&member->endpoints, claimed))
            continue;

        const enum job_claim other = compare_claim(wanted, claimed, host, member);
        if (other == JOB_CLAIM_GRANTED)
            continue;
        claim = other;
        *same = member;
    }
    if (claim != JOB_CLAIM_GRANTED)
        return claim;
    wanted->taker = NULL;
    *same = drop_taken_addresses(wanted, claimed, host, &wanted->taker);
    return *same ? JOB_CLAIM_DENIED : JOB_CLAIM_GRANTED;
}

/* Holds the board to the scheme from now on. False if it got a weaker answer before. */
static bool require_auth(struct member *member, enum auth_scheme least)
{
    if (member->job) {
        job_require_auth(member->job, least);
        member->has_given_md5 = job_has_given_md5(member->job);
    }
    return least == AUTH_MD5 || !member->has_given_md5;
}

/* Two names of one board are one target. */
static void leave_to(const struct member *same, struct member *member)
{
    char message[ASSIGNMENT_SAME_MAX];

    skip_member(member, OTA_SKIP_DUPLICATE,
                assignment_same(message, member->assignment, same->assignment));
}

/* The claim is denied because of the other board, which is the same one, or may be. */
static void end_denied(struct member *member, const struct member *same, const char *host,
                       bool is_strict)
{
    char name[ASSIGNMENT_LABEL_MAX];
    struct ota_failure failure;

    assignment_label(name, same->assignment);
    if (is_remembered(same) && !has_host(same, host)) {
        if (has_got_another_image(same, member))
            assignment_fail_address(&failure, same->assignment, true);
        else
            assignment_fail_shared(&failure, same->assignment, true);
        fail_member(member, &failure);
    } else if (may_be_two_boards(same, member, host) && !is_other_name_of(same, member)) {
        if (has_got_another_image(same, member))
            assignment_fail_address(&failure, same->assignment, false);
        else
            assignment_fail_shared(&failure, same->assignment, false);
        fail_member(member, &failure);
    } else if (assignment_fail_different(&failure, member->assignment, same->assignment)) {
        fail_member(member, &failure);
    } else if (!is_strict) {
        ota_fail(&failure, OTA_E_USAGE,
                 "is the same board as %s, which got an answer with MD5 already; put "
                 "min-auth=sha256 on that line, too",
                 name);
        fail_member(member, &failure);
    } else {
        leave_to(same, member);
    }
}

/* A later attempt may be narrowed to some of the addresses. */
static void note_addresses(struct member *member, const struct endpoints *claimed)
{
    struct endpoints added = *claimed;

    endpoints_drop_addresses(&added, &member->claimed);
    if (added.address_count)
        member->claimed = *claimed;
}

static enum job_claim on_endpoints(struct endpoints *endpoints, const char *host, void *userdata)
{
    struct member *member = userdata, *same = NULL;

    note_addresses(member, endpoints);
    const enum job_claim claim = judge_claim(member, endpoints, host, &same);

    if (claim == JOB_CLAIM_GRANTED) {
        member->endpoints = *endpoints;
        snprintf(member->host, sizeof member->host, "%s", host);
        member->is_found = false;
        return claim;
    }

    if (same->state == RUNNING)
        member->rival = same;
    const bool is_strict = require_auth(same, member->assignment->min_auth);
    if (claim == JOB_CLAIM_DENIED)
        end_denied(member, same, host, is_strict);
    return claim;
}

static void on_found(size_t endpoint, void *userdata)
{
    struct member *member = userdata;

    if (!member->is_found)
        endpoints_narrow(&member->endpoints, endpoint);
    member->is_found = true;
}

/* Other boards that ask for the password do not wait for the proof, or for the end of a log. */
static void on_sent(void *userdata)
{
    fleet_password_left(userdata);
}

static void on_rest(void *userdata)
{
    struct member *member = userdata;

    fleet_password_rested(member);
    fleet_set_state(member, RESTING);
}

static void on_ready(void *userdata)
{
    fleet_queue(userdata);
}

static void on_job_password(void *userdata)
{
    fleet_password_asked(userdata);
}

static bool on_rejected(void *userdata)
{
    return fleet_password_rejected(userdata);
}

static void on_planned(const char *message, void *userdata)
{
    skip_member(userdata, OTA_SKIP_DRY_RUN, message);
}

/* Such a board holds no slot, and its result comes with fleet_end_logs(). */
static void on_log(void *userdata)
{
    struct member *member = userdata;
    fleet_set_state(member, ENDED);
}

static void on_job_done(void *userdata)
{
    struct member *member = userdata;
    fleet_password_left(member);
    member->has_given_md5 = job_has_given_md5(member->job);
    job_free(member->job);
    member->job = NULL;
}

static struct job *new_job(struct member *member, struct ota_failure *failure)
{
    const struct fleet *fleet = member->fleet;
    const struct job_config config = {
        .loop = fleet->config.loop,
        .mdns = fleet->config.mdns,
        .service = upload_service_find(fleet->config.services, member->assignment->protocol),
        .upload = fleet->config.upload,
        .fleet = fleet->config.settings,
        .log = fleet->config.log,
        .assignment = member->assignment};
    const struct job_callbacks callbacks = {.on_event = on_job_event,
                                            .on_endpoints = on_endpoints,
                                            .on_found = on_found,
                                            .on_password = on_job_password,
                                            .on_rejected = on_rejected,
                                            .on_sent = on_sent,
                                            .on_rest = on_rest,
                                            .on_ready = on_ready,
                                            .on_planned = on_planned,
                                            .on_log = on_log,
                                            .on_done = on_job_done,
                                            .userdata = member};
    return job_new(&config, &callbacks, failure);
}

static void start_member(struct member *member)
{
    struct ota_failure failure;

    fleet_set_state(member, RUNNING);
    if (!member->job)
        member->job = new_job(member, &failure);
    if (member->job)
        job_start(member->job);
    else
        fail_member(member, &failure);
}

/* -- the fleet -- */

/* How many boards may run at a time: as many as -j says, or fewer where the limit of open files is
 * too low. Each running upload takes a socket, for a moment two, and each log another one. */
static size_t find_places(const struct fleet_config *config)
{
    enum { OTHER_FILES = 16 };
    const size_t jobs = config->settings->jobs;
    const size_t logs = boot_check_goes_on(config->log) ? config->count : 0;

    return fd_limit_connections(config->count < jobs ? config->count : jobs, OTHER_FILES + logs);
}

/* A board that an earlier run has updated is known by its address in this run, too: by the one that
 * it is named by, or else by the one that its name had then. */
static void set_confirmed_endpoint(struct member *member)
{
    const struct assignment *assignment = member->assignment;
    const struct target *target = &assignment->target;
    const struct address *address =
        is_remembered(member) ? &assignment->confirmed_address : &target->address;
    const struct kind unknown = {0};
    struct endpoints *endpoints = &member->endpoints;

    if (!assignment->is_confirmed || address->any.sa_family == AF_UNSPEC)
        return;
    snprintf(member->host, sizeof member->host, "%s", assignment_host(assignment));
    endpoints->addresses[0] = *address;
    endpoints->address_count = 1;
    endpoints->port_count =
        job_policy_ports(endpoints->ports, assignment, assignment->confirmed_port, &unknown, true);
    member->claimed = *endpoints;
    if (!is_remembered(member))
        return;
    member->claimed.address_count = assignment->confirmed_address_count;
    memcpy(member->claimed.addresses, assignment->confirmed_addresses,
           sizeof member->claimed.addresses);
}

static void enlist(struct fleet *fleet)
{
    for (size_t i = 0; i < fleet->config.count; i++) {
        const struct assignment *assignment = &fleet->config.assignments[i];
        size_t size = assignment->image ? assignment->image->size : 0;
        fleet->members[i] = (struct member){
            .fleet = fleet,
            .assignment = assignment,
            .total = size,
            .error = OTA_E_INTERNAL, /* a board without a result must never count as a success */
            .exit_status = ota_error_exit_status(OTA_E_INTERNAL, 0)};
        set_confirmed_endpoint(&fleet->members[i]);
        fleet->totals.total += size;
        fleet->totals.resumed += assignment->is_confirmed;
    }
    fleet->totals.boards = fleet->config.count;
}

struct fleet *fleet_start(const struct fleet_config *config)
{
    struct fleet *fleet = calloc(1, sizeof *fleet);
    if (!fleet)
        return NULL;
    fleet->config = *config;
    fleet->canaries = config->settings->canaries;
    fleet->ready_end = &fleet->ready;
    fleet->members = calloc(config->count, sizeof *fleet->members);
    loop_timer_init(&fleet->turn, config->loop, on_fleet_turn, fleet);
    if (!fleet->members) {
        fleet_free(fleet);
        return NULL;
    }
    loop_timer_start(&fleet->turn, 0);
    enlist(fleet);
    fleet->places = find_places(config);
    return fleet;
}

/* Ctrl-C is the only end of a log that has none; other signals cut it short. */
static bool is_end_of_logs(const struct fleet *fleet, int signal_number)
{
    return boot_check_is_endless(fleet->config.log) && signal_number == SIGINT;
}

void fleet_interrupt(struct fleet *fleet, int signal_number)
{
    if (fleet->signal_number ||
        (has_ended(fleet) && (is_end_of_logs(fleet, signal_number) || fleet_logs(fleet) == 0)))
        return;

    fleet->signal_number = signal_number;
    fleet->why_stopped = "not tried, as the run was interrupted";
    fleet_password_dismiss(fleet);
    for (size_t i = 0; i < fleet->begun; i++)
        if (fleet->members[i].job && fleet->members[i].state != ENDED)
            job_interrupt(fleet->members[i].job, signal_number);
    skip_the_rest(fleet);
    loop_timer_stop(&fleet->turn);
}

const struct ota_totals *fleet_totals(const struct fleet *fleet)
{
    return &fleet->totals;
}

static enum ota_doing doing_of(const struct member *member)
{
    switch (member->state) {
    case ENDED:
        return OTA_DOING_LOG;
    case RESTING:
    case READY:
        return member->has_rested ? OTA_DOING_RETRY : OTA_DOING_UPLOAD;
    case PARKED:
        return OTA_DOING_PASSWORD;
    default:
        return member->asks ? OTA_DOING_PASSWORD : OTA_DOING_UPLOAD;
    }
}

void fleet_tell(const struct fleet *fleet, ota_standing_fn *tell, void *userdata)
{
    for (size_t i = 0; i < fleet->begun; i++) {
        const struct member *member = &fleet->members[i];
        struct ota_standing standing;

        if (!member->job)
            continue;
        job_describe(member->job, &standing);
        standing.doing = doing_of(member);
        tell(&standing, userdata);
    }
}

size_t fleet_logs(const struct fleet *fleet)
{
    size_t count = 0;
    for (size_t i = 0; i < fleet->begun; i++)
        count += fleet->members[i].job && fleet->members[i].state == ENDED;
    return count;
}

void fleet_end_logs(struct fleet *fleet, bool is_time_over)
{
    const int cut_by = is_end_of_logs(fleet, fleet->signal_number) ? 0 : fleet->signal_number;

    for (size_t i = 0; i < fleet->begun; i++)
        if (fleet->members[i].job && fleet->members[i].state == ENDED)
            job_end_log(fleet->members[i].job, is_time_over, cut_by);
}

bool fleet_say(struct fleet *fleet, const char *line, size_t length)
{
    bool is_said = false;
    for (size_t i = 0; i < fleet->begun; i++)
        if (fleet->members[i].job && job_say(fleet->members[i].job, line, length))
            is_said = true;
    return is_said;
}

bool fleet_is_decided(const struct fleet *fleet)
{
    const struct ota_totals *totals = &fleet->totals;
    return totals->confirmed + totals->failed + totals->skipped == totals->boards;
}

enum ota_error fleet_outcome(const struct fleet *fleet, int *exit_status)
{
    const struct member *first = NULL;
    *exit_status = 0;
    if (fleet->signal_number) {
        *exit_status = ota_error_exit_status(OTA_E_INTERRUPTED, fleet->signal_number);
        return OTA_E_INTERRUPTED;
    }
    for (size_t i = 0; i < fleet->config.count; i++) {
        const struct member *member = &fleet->members[i];
        if (member->error == OTA_OK)
            continue;
        if (!first)
            first = member;
        if (member->exit_status != first->exit_status) {
            *exit_status = ota_error_exit_status(OTA_E_MIXED, 0);
            return OTA_E_MIXED;
        }
    }
    if (first)
        *exit_status = first->exit_status;
    return first ? first->error : OTA_OK;
}

void fleet_free(struct fleet *fleet)
{
    if (!fleet)
        return;

    fleet_password_dismiss(fleet);
    for (size_t i = 0; fleet->members && i < fleet->config.count; i++)
        job_free(fleet->members[i].job);
    free(fleet->members);
    loop_timer_stop(&fleet->turn);
    fleet_password_free(fleet);
    free(fleet);
}
