/*
 * tasmota_end.c: restores the former OtaUrl of a board that was told to fetch, and reports the
 * outcome; and what is told of it before.
 */
#include "serve/tasmota_internal.h"

#include "base/error.h"
#include "base/escape.h"
#include "upload/web/page_secrets.h"
#include "upload/web/page_table.h"

#include <stdio.h>
#include <string.h>

void tasmota_note(const struct tasmota *tasmota, bool is_important, const char *message)
{
    const struct tasmotas_config *config = &tasmota->all->config;

    config->on_note(tasmota->order.board, is_important, message, config->userdata);
}

const char *tasmota_hide_secrets(struct tasmota *tasmota, const char *text)
{
    const struct page_secrets secrets = {.password = tasmota->order.password,
                                         .authorization = tasmota->authorization,
                                         .echo = &tasmota->echo};

    return page_hide_next(&secrets, text);
}

/* The password that it may contain is another server's. */
const char *tasmota_show_old_url(struct tasmota *tasmota, char shown[TASMOTA_OLD_SHOWN_MAX])
{
    return tasmota_hide_secrets(tasmota,
                                escape_board(shown, TASMOTA_OLD_SHOWN_MAX, tasmota->old_url));
}

void tasmota_wait(struct tasmota *tasmota, int64_t delay_us,
                  void (*on_timer)(struct tasmota *tasmota))
{
    tasmota->on_timer = on_timer;
    loop_timer_start(&tasmota->timer, delay_us);
}

void tasmota_note_left_url(struct tasmota *tasmota)
{
    char old[TASMOTA_OLD_SHOWN_MAX], text[TASMOTA_NOTE_MAX];

    snprintf(text, sizeof text,
             "its OtaUrl is still %s; to set it back, enter on its console: OtaUrl %s",
             tasmota->url, tasmota_show_old_url(tasmota, old));
    tasmota_note(tasmota, true, text);
}

void tasmota_report_outcome(struct tasmota *tasmota)
{
    const struct tasmotas_config *config = &tasmota->all->config;

    tasmota->is_done = true;
    if (tasmota->outcome.error == OTA_E_NEVER_ASKED)
        tasmota->outcome.cause = tasmota->ordered_us ? OTA_CAUSE_ONLY_TOLD : OTA_CAUSE_NOT_TOLD;
    config->on_done(tasmota->order.board, tasmota->phase, &tasmota->outcome, config->userdata);
}

void tasmota_finish(struct tasmota *tasmota)
{
    loop_timer_stop(&tasmota->timer);
    tasmota_report_outcome(tasmota);
    tasmotas_go_on(tasmota->all);
}

/* -- the old OtaUrl -- */

static void restore_url(struct tasmota *tasmota);

static void restore_url_later(struct tasmota *tasmota)
{
    if (loop_now_us() < tasmota->until_us) {
        tasmota_wait(tasmota, TASMOTA_AGAIN_US, restore_url);
        return;
    }
    tasmota_note_left_url(tasmota);
    tasmota->has_our_url = false;
    tasmota_finish(tasmota);
}

static void on_restore_lost(struct tasmota *tasmota, const struct ota_failure *failure)
{
    (void)failure;
    tasmota->phase = tasmota->outcome_phase;
    restore_url_later(tasmota);
}

static void on_restored(struct tasmota *tasmota, const struct http_reply *reply)
{
    char url[TASMOTA_URL_MAX] = "";

    if (!tasmota_reply_text(url, sizeof url, reply, "OtaUrl") ||
        strcmp(url, tasmota->old_url) != 0) {
        restore_url_later(tasmota);
        return;
    }
    tasmota->has_our_url = false;
    tasmota_finish(tasmota);
}

/* The safeboot firmware forgets what it is told. */
static void on_firmware_to_restore(struct tasmota *tasmota, const struct http_reply *reply)
{
    struct page_facts facts = {0};

    if (!page_facts_add(&facts, &pages[PAGE_TASMOTA], reply) || facts.is_recovery)
        restore_url_later(tasmota);
    else
        tasmota_ask(tasmota, "OtaUrl", tasmota->old_url, on_restored, on_restore_lost);
}

static void restore_url(struct tasmota *tasmota)
{
    tasmota_ask(tasmota, "Status", "2", on_firmware_to_restore, on_restore_lost);
}

void tasmota_conclude(struct tasmota *tasmota)
{
    tasmota->is_upgrading = false;
    tasmota->outcome_phase = tasmota->phase;
    if (!tasmota->has_our_url) {
        tasmota_finish(tasmota);
        return;
    }
    tasmota->until_us =
        loop_now_us() + lesser_us(TASMOTA_RESTORE_US, tasmota->all->config.fetch_us);
    restore_url(tasmota);
}

void tasmota_fail(struct tasmota *tasmota, enum ota_error error, const char *message)
{
    ota_fail(&tasmota->outcome, error, "%s", message);
    tasmota_conclude(tasmota);
}

void tasmota_fail_lost(struct tasmota *tasmota, const struct ota_failure *failure)
{
    tasmota->outcome = *failure;
    tasmota_conclude(tasmota);
}
