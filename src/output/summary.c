/*
 * summary.c: collects the names of the boards that failed or were not tried, and prints them in
 * groups.
 */
#include "output/summary.h"

#include "base/diag.h"
#include "base/text.h"
#include "output/standing.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    LIST_MAX = 400, /* bytes of names in one message: a few lines of a terminal */
    REASON_MAX = 96,
};

struct entry {
    struct entry *next;
    enum ota_error error; /* OTA_OK: not tried */
    const char *remedy;   /* boards with the same error and remedy form a group */
    bool is_shown;
    char name[];
};

struct summary {
    struct entry *entries;
    struct entry **end;
    size_t untried;
    size_t planned; /* by a dry run */
    char why_untried[REASON_MAX];
    bool is_incomplete; /* memory ran out, so entries are missing */
};

struct summary *summary_new(void)
{
    struct summary *summary = calloc(1, sizeof *summary);
    if (summary)
        summary->end = &summary->entries;
    return summary;
}

void summary_free(struct summary *summary)
{
    if (!summary)
        return;

    while (summary->entries) {
        struct entry *next = summary->entries->next;
        free(summary->entries);
        summary->entries = next;
    }
    free(summary);
}

static void append_entry(struct summary *summary, enum ota_error error, const char *remedy,
                         const char *name)
{
    size_t size = strlen(name) + 1;
    struct entry *entry = malloc(sizeof *entry + size);
    if (!entry) {
        summary->is_incomplete = true;
        return;
    }

    *entry = (struct entry){.error = error, .remedy = remedy};
    memcpy(entry->name, name, size);
    *summary->end = entry;
    summary->end = &entry->next;
}

void summary_add(struct summary *summary, const struct ota_event *event, const char *remedy)
{
    if (event->type == OTA_EVENT_RESULT && event->failure->error != OTA_OK) {
        append_entry(summary, event->failure->error, remedy, event->board);
    } else if (event->type == OTA_EVENT_SKIPPED && event->skip == OTA_SKIP_UNTRIED) {
        append_entry(summary, OTA_OK, "", event->board);
        if (summary->untried++ == 0)
            snprintf(summary->why_untried, REASON_MAX, "%s", event->message);
    } else if (event->type == OTA_EVENT_SKIPPED && event->skip == OTA_SKIP_DRY_RUN) {
        summary->planned++;
    }
}

/* Lists the boards with this outcome ("... and N others" if they do not fit), and marks them as
 * shown. Returns how many there are. */
static size_t list_outcome_names(char list[LIST_MAX], struct summary *summary, enum ota_error error,
                                 const char *remedy)
{
    size_t count = 0, hidden = 0;
    const size_t room = LIST_MAX - sizeof " and 18446744073709551615 others";

    list[0] = '\0';
    for (struct entry *entry = summary->entries; entry; entry = entry->next) {
        if (entry->error != error || strcmp(entry->remedy, remedy) != 0)
            continue;

        entry->is_shown = true;
        count++;
        if (hidden || strlen(list) + strlen(entry->name) + 2 > room)
            hidden++;
        else
            text_append(list, LIST_MAX, "%s%s", count > 1 ? ", " : "", entry->name);
    }

    if (hidden)
        text_append(list, LIST_MAX, " and %zu others", hidden);
    return count;
}

static void show_group(struct summary *summary, enum ota_error error, const char *remedy)
{
    char names[LIST_MAX];
    size_t count = list_outcome_names(names, summary, error, remedy);

    diag_error("%zu board%s: %s (%s): %s%s%s", count, count == 1 ? "" : "s", ota_error_text(error),
               ota_error_name(error), names, *remedy ? "\n  " : "", remedy);
}

/* Boards with the same error can have different remedies, depending on their messages. */
static void show_groups(struct summary *summary, enum ota_error error)
{
    for (const struct entry *entry = summary->entries; entry; entry = entry->next)
        if (entry->error == error && !entry->is_shown)
            show_group(summary, error, entry->remedy);
}

static void show_untried(struct summary *summary)
{
    char names[LIST_MAX];

    if (list_outcome_names(names, summary, OTA_OK, ""))
        diag_error("%s: %s", summary->why_untried, names);
}

static void show_totals(const struct summary *summary, const struct ota_totals *totals,
                        int64_t elapsed_us)
{
    char text[7 * STANDING_NUMBER_MAX], failed[STANDING_NUMBER_MAX];
    char untried[STANDING_NUMBER_MAX], skipped[STANDING_NUMBER_MAX], resumed[STANDING_NUMBER_MAX];
    const size_t explained = summary->untried + totals->resumed + summary->planned;
    const size_t done = summary->planned ? summary->planned : totals->confirmed;

    if (totals->boards == 0) { /* --serve, which counts only boards that can be confirmed */
        diag_info("no board that tells its MAC has asked");
        return;
    }
    if (totals->resumed == totals->boards) {
        diag_info("all %zu boards have the image already; nothing was to be sent", totals->boards);
        return;
    }
    standing_describe_number(failed, totals->failed, "failed");
    standing_describe_number(untried, summary->untried, "not tried");
    standing_describe_number(resumed, totals->resumed, "had it already");
    standing_describe_number(skipped, totals->skipped > explained ? totals->skipped - explained : 0,
                             "skipped");
    snprintf(text, sizeof text, "%zu of %zu boards %s%s%s%s%s, in %.1f s", done, totals->boards,
             summary->planned ? "would be updated; nothing was sent" : "confirmed", resumed, failed,
             untried, skipped, (double)elapsed_us / 1e6);

    if (totals->failed || summary->untried)
        diag_error("%s", text);
    else
        diag_info("%s", text);
}

void summary_show(struct summary *summary, const struct ota_totals *totals, int64_t elapsed_us)
{
    for (struct entry *entry = summary->entries; entry; entry = entry->next)
        entry->is_shown = false;
    for (enum ota_error error = OTA_OK + 1; error < OTA_ERROR_COUNT; error++)
        show_groups(summary, error);
    show_untried(summary);
    if (summary->is_incomplete)
        diag_error("memory ran out: the lists of boards are incomplete");
    show_totals(summary, totals, elapsed_us);
}
