/*
 * handshake_invite.c: sends invitations to a board: to which endpoint, how often, and how long.
 * Reports a board that does not answer. handshake.c has the rules.
 */
#include "upload/espota/handshake_internal.h"

#include "base/diag.h"
#include "base/error.h"
#include "base/loop.h"
#include "base/text.h"
#include "base/units.h"
#include "upload/espota/absence.h"
#include "upload/way.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { RESTARTS_MAX = 3 };        /* rounds after the first one */
enum { OTHER_COMMAND_FIRST = 4 }; /* the first invitation that may have another command */

/* Short, since a refused datagram does not add to the board's queue. */
static const int64_t REFUSED_RESEND_US = MILLISECONDS(500);

/* How long no board has answered, in seconds. */
static double find_waited(const struct handshake *handshake)
{
    bool is_only_one = endpoints_count(handshake->config->endpoints) == 1;
    double waited = (double)(loop_now_us() - handshake->start_us) / 1e6;

    return is_only_one ? (double)handshake->config->accept_timeout_us / 1e6 : waited;
}

static enum ota_error describe_absence(const struct handshake *handshake,
                                       char text[OTA_MESSAGE_MAX])
{
    char said[HANDSHAKE_QUOTED_MAX];

    return absence_describe(text, &handshake->candidates, find_waited(handshake),
                            handshake_quote_first(said, &handshake->gibberish));
}

static enum ota_cause describe_way(const struct handshake *handshake, char text[WAY_MAX])
{
    const struct way way = candidates_way(&handshake->candidates, handshake->config->heard);

    return way_describe(text, &way);
}

/* Why nothing may listen there, besides a restart: "" if the port is no mistake, as the board has
 * announced it, or has answered there. */
static void ask_about_port(const struct handshake *handshake, char text[WAY_MAX])
{
    const struct endpoint_port *port = handshake->config->endpoints->ports;

    *text = '\0';
    if (pace_is_known(&handshake->pace) || way_is_this_computer(text, handshake->config->endpoints))
        return;
    if (port->announced)
        snprintf(text, WAY_MAX, "the board announces port %u: leave -p out", port->announced);
    else if (!port->is_announced)
        snprintf(text, WAY_MAX, "is the %s?",
                 port->is_of_image ? "image for this board" : "port (-p) right");
}

static void note_network_error(struct handshake *handshake)
{
    char absence[OTA_MESSAGE_MAX], question[WAY_MAX] = "";
    struct ota_failure news;
    enum ota_error error = describe_absence(handshake, absence);

    if (error == OTA_E_NOT_LISTENING)
        ask_about_port(handshake, question);
    ota_fail(&news, error, "%s; going on in case the board is rebooting%s%s", absence,
             *question ? "; " : "", question);
    handshake_note(handshake, error == OTA_E_NOT_LISTENING ? NOTICE_REFUSED : NOTICE_UNREACHABLE,
                   news.message);
}

int handshake_network_error(const struct handshake *handshake)
{
    return handshake->candidates.list[handshake->candidates.current].network_error;
}

/* Stops counting refused invitations. With several endpoints only the last one was refused. */
static void forget_refused(struct handshake *handshake)
{
    struct round *round = &handshake->round;
    bool is_only_one =
        handshake->candidates.is_settled || endpoints_count(handshake->config->endpoints) == 1;

    if (is_only_one)
        round_refused(round);
    else if (round->invitations > 0)
        round->invitations--;
}

/* Tries the next candidate. Once all have been tried, they keep the rest of their time, since a
 * board that is rebooting refuses, too. */
void handshake_on_network_error(size_t endpoint, int reason, void *userdata)
{
    struct handshake *handshake = userdata;
    const struct candidates *candidates = &handshake->candidates;
    const struct address board = endpoints_get(candidates->endpoints, endpoint);

    if (endpoint != candidates->current)
        return;

    if (handshake->state == AUTHENTICATE || handshake->state == DRAIN)
        handshake_enter(handshake, handshake->state, 0); /* the board restarts: new round */
    if (handshake->state != INVITE)
        return;

    forget_refused(handshake);
    if (handshake_is_local(handshake->config, reason))
        handshake->candidates.list[endpoint].has_way = false;

    size_t next = candidates_next(candidates);
    if (candidates->tries[next] < candidates->tries[endpoint]) {
        handshake_resend_after(handshake, 0);
    } else if (candidates_have_way(candidates)) {
        handshake_resend_after(handshake, REFUSED_RESEND_US);
        note_network_error(handshake);
    } else if (endpoints_count(candidates->endpoints) == 1 ||
               handshake_is_local(handshake->config, reason)) {
        handshake_cannot_send(&handshake->failure, handshake->config, &board, reason);
        handshake_finish(handshake);
    } else {
        handshake_end_no_answer(handshake);
    }
}

/* Schedules the next candidate after a resend period, or after -t if that is shorter. A candidate
 * that is invited for the first time gets the whole of -t. */
static void schedule_next_try(struct handshake *handshake, int64_t resend_us)
{
    const struct candidates *candidates = &handshake->candidates;
    int64_t limit_us = handshake->config->accept_timeout_us;
    bool is_first = candidates->tries[candidates->current] == 0;

    if (candidates_are_left(candidates)) {
        resend_us = resend_us < limit_us ? resend_us : limit_us;
        limit_us += resend_us;
    }

    if (is_first && endpoints_count(candidates->endpoints) > 1)
        handshake->deadline_us = loop_now_us() + limit_us;
    handshake_resend_after(handshake, resend_us);
}

/* Counts the invitations to the current endpoint, with the one that is about to be sent. */
static unsigned count_sendings(const struct handshake *handshake)
{
    const struct candidates *candidates = &handshake->candidates;
    bool is_only_one = candidates->is_settled || endpoints_count(handshake->config->endpoints) == 1;

    return is_only_one ? handshake->round.invitations : candidates->tries[candidates->current] + 1;
}

/* Some services take a filesystem image with the one number, some with the other, and both ignore
 * the wrong one. The other one is tried when a slow loop() no longer explains the silence. */
static enum ota_command choose_command(const struct handshake *handshake, unsigned sendings)
{
    enum ota_command command = handshake->command;

    if (command == OTA_COMMAND_SKETCH || sendings < OTHER_COMMAND_FIRST || sendings % 2)
        return command;
    return command == OTA_COMMAND_FILESYSTEM ? OTA_COMMAND_SPIFFS : OTA_COMMAND_FILESYSTEM;
}

static void schedule_resend(struct handshake *handshake, unsigned sendings)
{
    const struct pace *pace = &handshake->pace;
    struct round *round = &handshake->round;

    if (pace_is_known(pace))
        handshake_resend_after(handshake,
                               round->backlog * pace_patience_us(pace) +
                                   pace_resend_us(pace_patience_us(pace), round->invitations));
    else
        schedule_next_try(handshake, pace_unheard_us(sendings));
    round->backlog = 0;
}

static void send_invitation(struct handshake *handshake)
{
    const struct session_config *config = handshake->config;
    struct candidates *candidates = &handshake->candidates;
    char datagram[PROTOCOL_DATAGRAM_MAX], address[ADDRESS_TEXT_MAX];

    candidates_advance(candidates);
    const struct address board = endpoints_get(config->endpoints, candidates->current);
    address_text_port(handshake->board_address, &board);

    handshake->invitations++;
    round_invited(&handshake->round, loop_now_us());

    unsigned sendings = count_sendings(handshake);
    handshake->invited = choose_command(handshake, sendings);
    schedule_resend(handshake, sendings);
    size_t length =
        protocol_format_invitation(datagram, handshake->invited, listener_port(config->listener),
                                   config->image->size, config->image->md5);

    handshake_emit(handshake, (struct ota_event){.type = OTA_EVENT_INVITED,
                                                 .attempt = handshake->invitations,
                                                 .address = address_text(address, &board),
                                                 .port = address_port(&board)});

    int reason = candidates_try(candidates, datagram, length);
    datagram[length - 1] = '\0'; /* the debug line needs no line end */
    if (reason)
        handshake_on_network_error(candidates->current, reason, handshake);
    else
        handshake_log_sent(handshake, datagram);
}

/* A board that has replied gets the time it needs, even if -t is shorter. */
void handshake_invite(struct handshake *handshake, unsigned backlog)
{
    const struct pace *pace = &handshake->pace;
    int64_t limit_us = handshake->config->accept_timeout_us;

    if (pace_is_known(&handshake->pace))
        limit_us = greater_us(limit_us, backlog * pace_patience_us(pace) + pace_limit_us(pace));

    handshake->round = (struct round){.was_heard = pace_is_known(pace), .backlog = backlog};
    handshake_enter(handshake, INVITE, limit_us);
    send_invitation(handshake);
}

void handshake_restart(struct handshake *handshake, const char *why, unsigned backlog)
{
    if (!handshake_can_answer(handshake) || handshake->restarts == RESTARTS_MAX) {
        handshake_end_unsettled(handshake);
        return;
    }

    handshake->restarts++;
    diag_debug("%s: %s: restarting the handshake", handshake->config->board, why);
    handshake_invite(handshake, backlog);
}

static void note_silence(struct handshake *handshake, const char *way)
{
    const struct candidates *candidates = &handshake->candidates;
    size_t next = candidates_next(candidates);
    const struct address board = endpoints_get(candidates->endpoints, next);
    char address[ADDRESS_TEXT_MAX + 8], message[sizeof address + WAY_MAX + 64];

    snprintf(message, sizeof message, "no answer yet%s%s; inviting it again%s%s",
             *way ? ", and " : "", way, next == candidates->current ? "" : ", at ",
             next == candidates->current ? "" : address_text_port(address, &board));
    handshake_note(handshake, NOTICE_SILENCE, message);
}

static bool was_each_address_tried(const struct candidates *candidates)
{
    const struct endpoints *endpoints = candidates->endpoints;
    const size_t ports = endpoints->port_count;

    for (size_t i = 0; i < endpoints->address_count; i++) {
        unsigned tries = 0;

        for (size_t port = 0; port < ports; port++)
            tries += candidates->tries[i * ports + port];
        if (!tries)
            return false;
    }
    return true;
}

/* What is known at once of why nothing has come from a board: nobody has any of its addresses, or
 * the way there is a wrong one. "" and OTA_CAUSE_NONE otherwise. */
static enum ota_cause explain_silence(const struct handshake *handshake, char text[WAY_MAX])
{
    const enum ota_cause cause =
        pace_is_known(&handshake->pace) ? OTA_CAUSE_NONE : describe_way(handshake, text);

    if (cause == OTA_CAUSE_DETOUR || cause == OTA_CAUSE_WRONG_SOURCE ||
        (cause == OTA_CAUSE_NOBODY && was_each_address_tried(&handshake->candidates)))
        return cause;
    *text = '\0';
    return OTA_CAUSE_NONE;
}

/* If nobody has the address, its ports get -t together, not each: any of them would reach its
 * owner. */
void handshake_resend_invitation(struct handshake *handshake)
{
    const bool is_told = *handshake->config->notices & NOTICE_SILENCE;
    const bool is_late =
        loop_now_us() - handshake->start_us >= handshake->config->accept_timeout_us;
    char way[WAY_MAX] = "";
    const enum ota_cause cause =
        is_late || !is_told ? explain_silence(handshake, way) : OTA_CAUSE_NONE;

    if (cause == OTA_CAUSE_NOBODY && is_late) {
        handshake_end_no_answer(handshake);
        return;
    }
    /* Invitations that are known to be refused are not counted, but not each refusal is told. */
    if (handshake->round.invitations && !handshake_network_error(handshake))
        note_silence(handshake, way);
    send_invitation(handshake);
}

void handshake_invite_drained(struct handshake *handshake)
{
    handshake_invite(handshake, 0);
}

/* Whether the board may be silent because it runs ESPHome, as the image does. This is one
 * explanation of several, as the image may also be the board's first ESPHome. */
static bool is_perhaps_esphome(const struct handshake *handshake, const struct ota_failure *failure)
{
    const bool has_esphome = *handshake->config->image->inspection.esphome.version;
    const bool is_silent =
        failure->error == OTA_E_NOT_LISTENING || failure->error == OTA_E_NO_ANSWER;

    return has_esphome && is_silent &&
           (failure->cause == OTA_CAUSE_NONE || failure->cause == OTA_CAUSE_THERE);
}

static void end_absent(struct handshake *handshake)
{
    char absence[OTA_MESSAGE_MAX], way[WAY_MAX];
    struct ota_failure *failure = &handshake->failure;
    enum ota_error error = describe_absence(handshake, absence);
    enum ota_cause cause = describe_way(handshake, way);

    ota_fail(failure, error, "%s%s%s", absence, *way ? "; " : "", way);
    failure->cause = cause;
    if (error == OTA_E_UNREACHABLE && cause == OTA_CAUSE_NONE)
        failure->cause = error_way_cause(handshake_network_error(handshake));

    if (is_perhaps_esphome(handshake, failure)) {
        failure->cause = OTA_CAUSE_ESPHOME;
        text_append(failure->message, sizeof failure->message, "; the image is ESPHome %s",
                    handshake->config->image->inspection.esphome.version);
    } else if (error == OTA_E_NOT_LISTENING && !cause &&
               handshake->config->endpoints->ports->is_announced) {
        failure->cause = OTA_CAUSE_ANNOUNCED;
    }
    handshake_finish(handshake);
}

bool handshake_end_trouble(struct handshake *handshake)
{
    const struct candidates *candidates = &handshake->candidates;
    const struct udp *udp = &candidates->list[candidates->current].udp;
    const struct address board = endpoints_get(candidates->endpoints, candidates->current);

    if (!udp->trouble)
        return false;

    if (udp->is_deaf)
        ota_fail_errno(&handshake->failure, OTA_E_INTERNAL, udp->trouble,
                       "cannot receive from %s: %s", handshake->board_address,
                       strerror(udp->trouble));
    else
        handshake_cannot_send(&handshake->failure, handshake->config, &board, udp->trouble);
    handshake_finish(handshake);
    return true;
}

/* The board may be where no invitation could be sent, so its silence elsewhere says nothing. */
static bool end_untried(struct handshake *handshake)
{
    const struct candidates *candidates = &handshake->candidates;
    size_t untried;

    if (!candidates_lack_means(candidates, &untried))
        return false;

    const struct address board = endpoints_get(candidates->endpoints, untried);
    handshake_cannot_send(&handshake->failure, handshake->config, &board,
                          candidates->list[untried].network_error);
    handshake_finish(handshake);
    return true;
}

void handshake_end_no_answer(struct handshake *handshake)
{
    const struct round *round = &handshake->round;

    if (handshake_end_trouble(handshake) || end_untried(handshake))
        return;

    const bool was_heard = pace_is_known(&handshake->pace);
    const int network_error = handshake_network_error(handshake);

    if (was_heard && network_error == ECONNREFUSED) {
        handshake_has_gone(&handshake->failure, handshake->board_address);
        handshake_finish(handshake);
    } else if (was_heard && !network_error) {
        handshake_fell_silent(&handshake->failure, handshake->board_address, round->invitations,
                              loop_now_us() - round->invited_us);
        handshake_finish(handshake);
    } else {
        end_absent(handshake);
    }
}
