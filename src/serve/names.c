/* names.c: see names.h. A round looks up each name once, a few of them at a time. */
#include "serve/names.h"

#include "base/array.h"
#include "base/units.h"
#include "discovery/resolve.h"
#include "net/source.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LOOKUPS_AT_ONCE = 8 };

/* As for uploads: what Avahi needs to give up, and some more. */
static const int64_t NAME_LOOKUP_US = SECONDS(10);

/* Who is known to be in no list asks for further rounds only this often. */
static const int64_t REFRESH_US = SECONDS(30);

struct listed_name {
    struct names *names;
    struct book_board *board;
    const struct target *target;
    struct resolver *resolver; /* NULL: none runs */
    bool was_told;             /* that it does not resolve */
    bool was_cut_told;         /* that it has too many addresses */
    size_t address_count;
    struct address addresses[RESOLVE_ADDRESSES_MAX]; /* from the last lookup that found any */
};

/* One who asked and is not in the book. */
struct waiting {
    struct address address;
    unsigned round; /* it is known after this one */
};

struct names {
    struct loop *loop;
    struct mdns_client *mdns;
    struct listed_name **list;
    size_t count, capacity;
    struct waiting *waiting;
    size_t waiting_count, waiting_capacity;
    unsigned begun, ended; /* rounds */
    int64_t begun_us;      /* the last one */
    bool is_again_wanted;  /* another round after this one */
    size_t next, running;  /* lookups of this round */
    names_note_fn *on_note;
    void *userdata;
};

struct names *names_new(struct loop *loop, struct mdns_client *mdns)
{
    struct names *names = calloc(1, sizeof *names);

    if (names)
        *names = (struct names){.loop = loop, .mdns = mdns};
    return names;
}

void names_free(struct names *names)
{
    if (!names)
        return;

    for (size_t i = 0; i < names->count; i++) {
        resolver_free(names->list[i]->resolver);
        free(names->list[i]);
    }
    free(names->list);
    free(names->waiting);
    free(names);
}

bool names_add(struct names *names, struct book_board *board, const struct target *target)
{
    /* NOLINTNEXTLINE(bugprone-sizeof-expression): an array of pointers it is */
    void *list = array_grow(names->list, names->count, &names->capacity, sizeof *names->list);
    struct listed_name *name = list ? calloc(1, sizeof *name) : NULL;

    if (list)
        names->list = list;
    if (!name)
        return false;
    *name = (struct listed_name){.names = names, .board = board, .target = target};
    names->list[names->count++] = name;
    return true;
}

/* -- a round -- */

static void advance_round(struct names *names);

/* Whether its board is known by nothing else, and is not left out. */
static bool is_open(const struct listed_name *name)
{
    return !name->board->has_mac && name->board->state != BOOK_SKIPPED;
}

static void tell_once(const struct listed_name *name, bool *was_told, const char *text)
{
    if (*was_told || !is_open(name))
        return;
    *was_told = true;
    name->names->on_note(name->board, text, name->names->userdata);
}

static void note_lookup(struct listed_name *name, const struct resolution *resolution,
                        const struct ota_failure *failure)
{
    char text[OTA_MESSAGE_MAX + 64];

    if (failure) {
        snprintf(text, sizeof text, "cannot be recognized by its name yet: %s", failure->message);
        tell_once(name, &name->was_told, text);
        return;
    }

    name->address_count = resolution->count;
    memcpy(name->addresses, resolution->addresses, sizeof name->addresses);
    if (resolution->is_cut)
        tell_once(name, &name->was_cut_told,
                  RESOLVE_CUT
                  "; it is recognized at only " NUMBER_TEXT(RESOLVE_ADDRESSES_MAX) " of them");
}

static void on_name_resolved(const struct resolution *resolution, const struct ota_failure *failure,
                             void *userdata)
{
    struct listed_name *name = userdata;

    note_lookup(name, resolution, failure);
    resolver_free(name->resolver);
    name->resolver = NULL;
    name->names->running--;
    advance_round(name->names);
}

static void look_up_name(struct names *names, struct listed_name *name)
{
    if (!is_open(name))
        return;

    const struct resolver_config config = {.loop = names->loop,
                                           .mdns = names->mdns,
                                           .target = name->target,
                                           .services = SERVICES_ARDUINO,
                                           .use = ANNOUNCEMENT_OPTIONAL,
                                           .timeout_us = NAME_LOOKUP_US,
                                           .source = &source_any,
                                           .on_done = on_name_resolved,
                                           .userdata = name};

    name->resolver = resolver_start(&config);
    names->running += name->resolver != NULL; /* without memory, the next round tries again */
}

static void open_round(struct names *names)
{
    names->begun++;
    names->begun_us = loop_now_us();
    names->is_again_wanted = false;
    names->next = 0;
}

/* Starts the lookups that may run, and the next round when this one has ended. */
static void advance_round(struct names *names)
{
    while (names->ended < names->begun) {
        while (names->running < LOOKUPS_AT_ONCE && names->next < names->count)
            look_up_name(names, names->list[names->next++]);
        if (names->running > 0)
            return;
        names->ended = names->begun;
        if (names->is_again_wanted)
            open_round(names);
    }
}

static void begin_round(struct names *names)
{
    open_round(names);
    advance_round(names);
}

void names_start(struct names *names, names_note_fn *on_note, void *userdata)
{
    names->on_note = on_note;
    names->userdata = userdata;
    begin_round(names);
}

/* -- who asks -- */

static bool has_address(const struct listed_name *name, const struct address *address)
{
    for (size_t i = 0; i < name->address_count; i++)
        if (address_equal(&name->addresses[i], address))
            return true;
    return false;
}

struct book_board *names_find(const struct names *names, const struct address *address)
{
    struct book_board *found = NULL;

    for (size_t i = 0; i < names->count && (!found || found->has_mac); i++) {
        struct book_board *board = names->list[i]->board;

        if (board->state != BOOK_SKIPPED && has_address(names->list[i], address) &&
            (!found || !board->has_mac))
            found = board;
    }
    return found;
}

static bool has_open_name(const struct names *names)
{
    for (size_t i = 0; i < names->count; i++)
        if (is_open(names->list[i]))
            return true;
    return false;
}

static const struct waiting *find_waiting(const struct names *names, const struct address *address)
{
    for (size_t i = 0; i < names->waiting_count; i++)
        if (address_equal(&names->waiting[i].address, address))
            return &names->waiting[i];
    return NULL;
}

/* NULL: there are too many, or memory ran out. */
static const struct waiting *add_waiting(struct names *names, const struct address *address)
{
    struct waiting *list = names->waiting_count == NAMES_WAITING_MAX
                               ? NULL
                               : array_grow(names->waiting, names->waiting_count,
                                            &names->waiting_capacity, sizeof *names->waiting);
    if (!list)
        return NULL;

    names->waiting = list;
    list[names->waiting_count] = (struct waiting){*address, names->begun + 1};
    return &list[names->waiting_count++];
}

bool names_must_wait(struct names *names, const struct address *address)
{
    if (!has_open_name(names))
        return false;

    const struct waiting *waiting = find_waiting(names, address);
    if (!waiting)
        waiting = add_waiting(names, address);
    const bool must_wait = waiting && names->ended < waiting->round;
    const bool is_idle = names->begun == names->ended;

    if (is_idle && (must_wait || loop_now_us() - names->begun_us >= REFRESH_US))
        begin_round(names);
    else if (must_wait && waiting->round > names->begun)
        names->is_again_wanted = true;
    return must_wait && names->ended < waiting->round;
}
