/*
 * board_model.c: a board's queue of datagrams and the turns of its loop(), in virtual time.
 */
#include "support/board_model.h"

#include <stdio.h>
#include <string.h>

static const int64_t LEAST_TURN_US = 1000; /* of an idle loop() */
static const int64_t DEAF_US = 100000;
static const int64_t CONNECT_8266_US = 100000;

void model_init(struct model *model, const struct model_config *config, int64_t phase_us)
{
    model->config = *config;
    if (model->config.loop_us < LEAST_TURN_US)
        model->config.loop_us = LEAST_TURN_US;

    model->state = MODEL_IDLE;
    model->queued = 0;
    model->turn_us = phase_us;
    model->deaf_until_us = 0;
    model->challenges = model->overflows = model->stale_rejections = 0;
    *model->nonce = '\0';
}

/* Idle turns have passed meanwhile. */
static void catch_up(struct model *model, int64_t now_us)
{
    if (model->turn_us < now_us) {
        int64_t missed =
            (now_us - model->turn_us + model->config.loop_us - 1) / model->config.loop_us;
        model->turn_us += missed * model->config.loop_us;
    }
}

int64_t model_next_us(const struct model *model)
{
    return model->queued > 0 || model->state == MODEL_ACCEPTED ? model->turn_us : -1;
}

void model_receive(struct model *model, const struct model_datagram *datagram, int64_t now_us)
{
    bool is_idle = model_next_us(model) < 0;

    if (now_us < model->deaf_until_us)
        return;
    if (model->config.lineage == MODEL_8266 && model->state == MODEL_ACCEPTED)
        return;
    if (model->queued == MODEL_QUEUE) {
        model->overflows++;
        return;
    }

    model->queue[model->queued++] = *datagram;
    if (is_idle)
        catch_up(model, now_us);
}

static void challenge(struct model *model, int socket)
{
    char text[MODEL_TEXT + 8];
    int digits = model->config.scheme == MODEL_MD5 ? 32 : 64;
    snprintf(model->nonce, sizeof model->nonce, "%0*x", digits, ++model->challenges);
    snprintf(text, sizeof text, "AUTH %s", model->nonce);
    model->state = MODEL_WAITING;
    model->on_reply(text, socket, model->turn_us);
}

static void accept_invitation(struct model *model, int socket)
{
    if (model->config.refusal) {
        model->state = MODEL_IDLE;
        model->deaf_until_us = model->turn_us + DEAF_US;
        model->on_reply(model->config.refusal, socket, model->turn_us);
        return;
    }
    model->state = MODEL_ACCEPTED;
    model->on_reply("OK", socket, model->turn_us);
}

static void judge_answer(struct model *model, const struct model_datagram *answer)
{
    if (model->config.scheme != MODEL_MD5)
        model->turn_us += model->config.pbkdf2_us; /* the rest of the turn follows later */

    bool is_to_this = strcmp(answer->nonce, model->nonce) == 0;
    if (is_to_this && answer->scheme == model->config.scheme && answer->is_right) {
        accept_invitation(model, answer->socket);
        return;
    }

    model->stale_rejections += !is_to_this;
    model->state = MODEL_IDLE;
    model->on_reply("Authentication Failed", answer->socket, model->turn_us);
}

static void read_datagram(struct model *model, const struct model_datagram *datagram)
{
    if (model->state == MODEL_WAITING && datagram->is_answer && !datagram->is_malformed) {
        judge_answer(model, datagram);
    } else if (model->state == MODEL_WAITING) {
        model->state = MODEL_IDLE; /* swallowed, or malformed */
    } else if (!datagram->is_answer) {
        if (model->config.scheme == MODEL_OPEN)
            accept_invitation(model, datagram->socket);
        else
            challenge(model, datagram->socket);
    }
}

static struct model_datagram take_datagram(struct model *model)
{
    struct model_datagram first = model->queue[0];
    model->queued--;
    memmove(&model->queue[0], &model->queue[1], model->queued * sizeof first);
    return first;
}

/* An ESP32 first acts on what it has accepted, and then reads. The 8266 family has read everything
 * by then, and loses the rest. */
void model_turn(struct model *model)
{
    if (model->state == MODEL_ACCEPTED) {
        model->on_connect(model->turn_us);
        model->turn_us += model->config.loop_us;
        return;
    }
    do {
        struct model_datagram datagram = take_datagram(model);
        read_datagram(model, &datagram);
    } while (!model->config.one_per_loop && model->queued > 0 && model->state != MODEL_ACCEPTED);

    bool runs = model->config.lineage == MODEL_8266 && model->state == MODEL_ACCEPTED;
    if (runs)
        model->queued = 0;
    model->turn_us += runs ? CONNECT_8266_US : model->config.loop_us;
}

void model_upload_failed(struct model *model, int64_t now_us)
{
    model->state = MODEL_IDLE;
    if (model->turn_us < now_us)
        model->turn_us = now_us;
}
