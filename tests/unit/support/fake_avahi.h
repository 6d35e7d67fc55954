/*
 * fake_avahi.h: a libavahi-client under the control of a test, in place of the one that
 * avahi_library_load() would load, and the timers of loop_timer_start(). It asserts that every
 * object is requested correctly, and freed.
 */
#ifndef FAKE_AVAHI_H
#define FAKE_AVAHI_H

#include "base/loop.h"
#include "discovery/avahi_library.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    FAKE_OBJECTS_MAX = 9000,
    FAKE_RECORDS_MAX = 18000,
    FAKE_TIMERS_MAX = 512,
    FAKE_BROWSERS_MAX = 4
};

struct fake_timer {
    struct loop_timer *timer; /* a running one; NULL: unused */
    int64_t delay_us;
};

struct AvahiClient {
    AvahiClientCallback callback;
    void *userdata;
    AvahiClientState state;
};

struct AvahiServiceBrowser {
    bool is_used;
    char type[32];
    AvahiServiceBrowserCallback callback;
    void *userdata;
};

struct AvahiServiceResolver {
    bool is_used;
    char instance[64];
    char type[32];
    AvahiProtocol family;
    AvahiServiceResolverCallback callback;
    void *userdata;
};

struct AvahiRecordBrowser {
    bool is_used;
    char name[64];
    uint16_t type;
    AvahiRecordBrowserCallback callback;
    void *userdata;
};

/* The state of Avahi and of time. Set next_state and has_bus before mdns_worker_new(). */
struct fake_avahi {
    struct fake_timer timers[FAKE_TIMERS_MAX];
    struct AvahiClient client;
    size_t clients;
    AvahiClientState next_state; /* of a new client */
    bool has_bus;
    int error;  /* the result of avahi_client_errno() */
    int number; /* the errno that a call which fails leaves */
    struct AvahiServiceBrowser browser[FAKE_BROWSERS_MAX];
    size_t browsing; /* how many are running */
    bool refuse_browser;
    size_t browsers; /* ever made */
    struct AvahiServiceResolver resolvers[FAKE_OBJECTS_MAX];
    size_t resolvers_made, resolvers_running, resolvers_peak;
    struct AvahiRecordBrowser records[FAKE_RECORDS_MAX];
    size_t records_made, records_running;
    bool keeps_records; /* else there are no further ones, as soon as somebody asks */
};
extern struct fake_avahi fake;

/* Resets the state: nothing has been made; there are a bus and a daemon. */
void fake_reset(void);
void fake_assert_all_freed(void);

/* For the module under test, which may only pass it on. */
struct loop *fake_loop(void);

/* The timer started for delay_us fires; there must be one. */
void fake_elapse(int64_t delay_us);

void fake_client_says(AvahiClientState state);
/* An instance of this type is announced; the browser of this type has an event. The short forms are
 * for _arduino._tcp. */
void fake_browse_type(const char *type, const char *instance);
void fake_browser_of_says(const char *type, AvahiBrowserEvent event);
void fake_browse(const char *instance);
void fake_browser_says(AvahiBrowserEvent event);

/* A record of the address is heard on interface 2; all have been heard. */
void fake_record(const char *host, const char *address);
void fake_records_end(void);

/* The running resolver for instance; NULL: there is none. */
struct AvahiServiceResolver *fake_running(const char *instance);

/* Avahi has resolved an instance; address NULL: it has not. */
void fake_resolve(const char *instance, const char *address, AvahiStringList *txt);

#endif
