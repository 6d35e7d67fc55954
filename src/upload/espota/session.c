/*
 * session.c: runs the two halves of an upload: first the handshake over UDP (handshake.c), then,
 * once the board has connected to the listener, the transfer over TCP (transfer.c). Both enforce
 * their own deadlines.
 */
#include "upload/espota/session.h"

#include "base/error.h"
#include "base/loop.h"
#include "upload/espota/handshake.h"
#include "upload/espota/transfer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct session {
    struct session_config config;
    struct upload_callbacks callbacks;
    struct handshake *handshake; /* NULL once the board has connected */
    struct transfer *transfer;   /* NULL until the board has connected */
    struct loop_timer failed;    /* reports a failure to start after session_start() */
    struct ota_failure failure;
};

static void emit_session_event(const struct ota_event *event, void *userdata)
{
    struct session *session = userdata;
    struct ota_event complete = *event;

    complete.phase = session_phase(session);
    complete.total = session->config.image->size;
    session->callbacks.on_event(&complete, session->callbacks.userdata);
}

static void end_session(const struct ota_failure *failure, void *userdata)
{
    struct session *session = userdata;

    listener_forget(session->config.listener, session);
    session->callbacks.on_done(failure, session->callbacks.userdata);
}

static void on_failed_to_start(void *userdata)
{
    struct session *session = userdata;

    end_session(&session->failure, session);
}

/* reason: EEXIST of listener_expect(), or what this computer lacked. */
static void fail_later(struct session *session, int reason)
{
    if (reason == EEXIST)
        ota_fail(&session->failure, OTA_E_INTERNAL,
                 "another upload to the same address is in progress");
    else
        ota_fail_errno(&session->failure, OTA_E_INTERNAL, reason, "the upload cannot start: %s",
                       strerror(reason));
    loop_timer_start(&session->failed, 0);
}

static void on_progress(size_t acknowledged, void *userdata)
{
    emit_session_event(&(struct ota_event){.type = OTA_EVENT_PROGRESS, .bytes = acknowledged},
                       userdata);
}

/* From now on, only the board that has replied may connect. Other addresses of its name may be
 * those of other hosts. */
static void on_handshake_endpoint(size_t endpoint, void *userdata)
{
    struct session *session = userdata;
    const struct session_config *config = &session->config;
    const struct address board = endpoints_get(config->endpoints, endpoint);

    if (!config->peer && !config->peer_any)
        listener_keep(config->listener, &board, session);
    session->callbacks.on_endpoint(endpoint, session->callbacks.userdata);
}

static bool on_accept(int fd, const struct address *peer, void *userdata)
{
    struct session *session = userdata;

    if (!session->handshake || !handshake_connected(session->handshake, peer))
        return false;

    const struct transfer_config config = {.loop = session->config.loop,
                                           .board = session->config.board,
                                           .image = session->config.image,
                                           .source = session->config.source,
                                           .echo = session->config.echo,
                                           .block = session->config.block};
    const struct transfer_callbacks callbacks = {
        .on_progress = on_progress, .on_done = end_session, .userdata = session};

    session->transfer = transfer_start(&config, fd, &callbacks);
    const int reason = errno;
    handshake_free(session->handshake);
    session->handshake = NULL;

    if (session->transfer)
        emit_session_event(&(struct ota_event){.type = OTA_EVENT_CONNECTED}, session);
    else
        fail_later(session, reason);
    return true;
}

static void on_handshake_password(void *userdata)
{
    struct session *session = userdata;

    session->callbacks.on_password(session->callbacks.userdata);
}

/* Accepts a connection from each address of the board: the right one is known only after its reply.
 * Returns 0, or -1 and errno, like listener_expect(). */
static int expect_board(struct session *session)
{
    const struct session_config *config = &session->config;

    if (config->peer || config->peer_any)
        return listener_expect(config->listener, config->peer_any ? NULL : config->peer, on_accept,
                               session);

    for (size_t i = 0; i < config->endpoints->address_count; i++)
        if (listener_expect(config->listener, &config->endpoints->addresses[i], on_accept,
                            session) < 0)
            return -1;
    return 0;
}

static void begin_handshake(struct session *session)
{
    const struct handshake_callbacks callbacks = {.on_event = emit_session_event,
                                                  .on_endpoint = on_handshake_endpoint,
                                                  .on_password = on_handshake_password,
                                                  .on_failed = end_session,
                                                  .userdata = session};

    /* A connection that was made before the invitation is no reply to it. */
    listener_empty(session->config.listener);
    if (expect_board(session) < 0) {
        fail_later(session, errno);
        return;
    }

    session->handshake = handshake_start(&session->config, &callbacks);
    if (!session->handshake)
        fail_later(session, ENOMEM);
}

struct session *session_start(const struct session_config *config,
                              const struct upload_callbacks *callbacks)
{
    struct session *session = calloc(1, sizeof *session);
    if (!session)
        return NULL;

    session->config = *config;
    session->callbacks = *callbacks;
    loop_timer_init(&session->failed, config->loop, on_failed_to_start, session);
    begin_handshake(session);
    return session;
}

void session_set_password(struct session *session, const char *password)
{
    session->config.password = password;
    if (session->handshake)
        handshake_set_password(session->handshake, password);
}

void session_free(struct session *session)
{
    if (!session)
        return;

    listener_forget(session->config.listener, session);
    handshake_free(session->handshake);
    transfer_free(session->transfer);
    loop_timer_stop(&session->failed);
    free(session);
}

enum ota_phase session_phase(const struct session *session)
{
    if (session->handshake)
        return handshake_phase(session->handshake);
    if (session->transfer && transfer_all_acknowledged(session->transfer))
        return OTA_PHASE_RESULT;
    return session->transfer ? OTA_PHASE_TRANSFER : OTA_PHASE_INVITE;
}

bool session_all_sent(const struct session *session)
{
    return session->transfer && transfer_all_sent(session->transfer);
}
