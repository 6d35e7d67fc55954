/* fake_avahi.c: a libavahi-client under the control of a test. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/fake_avahi.h"

#include "base/address.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct fake_avahi fake;

const char *__wrap_avahi_library_load(struct avahi_library *avahi);
void __wrap_loop_timer_init(struct loop_timer *timer, struct loop *loop, loop_timer_fn *on_due,
                            void *userdata);
void __wrap_loop_timer_start(struct loop_timer *timer, int64_t delay_us);
void __wrap_loop_timer_stop(struct loop_timer *timer);

static struct fake_timer *find_timer(const struct loop_timer *timer)
{
    for (size_t i = 0; i < FAKE_TIMERS_MAX; i++)
        if (fake.timers[i].timer == timer)
            return &fake.timers[i];
    return NULL;
}

void __wrap_loop_timer_init(struct loop_timer *timer, struct loop *loop, loop_timer_fn *on_due,
                            void *userdata)
{
    assert_ptr_equal(loop, fake_loop());
    *timer = (struct loop_timer){.loop = loop, .on_due = on_due, .userdata = userdata};
}

void __wrap_loop_timer_start(struct loop_timer *timer, int64_t delay_us)
{
    struct fake_timer *running = find_timer(timer);

    assert_ptr_equal(timer->loop, fake_loop());
    if (!running)
        running = find_timer(NULL);
    assert_non_null(running);
    *running = (struct fake_timer){.timer = timer, .delay_us = delay_us};
}

void __wrap_loop_timer_stop(struct loop_timer *timer)
{
    struct fake_timer *running = find_timer(timer);

    if (running)
        running->timer = NULL;
}

struct loop *fake_loop(void)
{
    return (struct loop *)&fake;
}

void fake_elapse(int64_t delay_us)
{
    for (size_t i = 0; i < FAKE_TIMERS_MAX; i++) {
        struct loop_timer *timer = fake.timers[i].timer;
        if (!timer || fake.timers[i].delay_us != delay_us)
            continue;

        fake.timers[i].timer = NULL;
        timer->on_due(timer->userdata);
        if (!fake.keeps_records)
            fake_records_end();
        return;
    }
    fail_msg("nothing waits for %lld us", (long long)delay_us);
}

static AvahiClient *client_new(const AvahiPoll *api, AvahiClientFlags flags,
                               AvahiClientCallback callback, void *userdata, int *error)
{
    assert_non_null(api);
    assert_int_equal(flags, AVAHI_CLIENT_NO_FAIL);
    if (!fake.has_bus) {
        *error = AVAHI_ERR_DBUS_ERROR;
        errno = fake.number;
        return NULL;
    }

    assert_int_equal(fake.clients++, 0);
    fake.client = (struct AvahiClient){callback, userdata, fake.next_state};
    callback(&fake.client, fake.client.state, userdata);
    return &fake.client;
}

static void client_free(AvahiClient *client)
{
    assert_ptr_equal(client, &fake.client);
    assert_int_equal(fake.clients--, 1);
    assert_int_equal(fake.resolvers_running, 0);
    assert_false(fake.browsing);
}

static AvahiClientState client_get_state(AvahiClient *client)
{
    return client->state;
}

static int client_errno(AvahiClient *client)
{
    assert_ptr_equal(client, &fake.client);
    return fake.error;
}

static const char *error_text(int error)
{
    return error == AVAHI_ERR_TOO_MANY_OBJECTS ? "Too many objects" : "?";
}

/* The running browser of this type; NULL: there is none. */
static struct AvahiServiceBrowser *find_browser(const char *type)
{
    for (size_t i = 0; i < FAKE_BROWSERS_MAX; i++)
        if (fake.browser[i].is_used && strcmp(fake.browser[i].type, type) == 0)
            return &fake.browser[i];
    return NULL;
}

static AvahiServiceBrowser *browser_new(AvahiClient *client, AvahiIfIndex interface,
                                        AvahiProtocol protocol, const char *type,
                                        const char *domain, AvahiLookupFlags flags,
                                        AvahiServiceBrowserCallback callback, void *userdata)
{
    assert_ptr_equal(client, &fake.client);
    assert_int_equal(interface, AVAHI_IF_UNSPEC);
    assert_int_equal(protocol, AVAHI_PROTO_UNSPEC);
    assert_int_equal(flags, AVAHI_LOOKUP_USE_MULTICAST);
    assert_string_equal(domain, "local");
    assert_null(find_browser(type));
    if (fake.refuse_browser) {
        errno = fake.number;
        return NULL;
    }

    struct AvahiServiceBrowser *browser = fake.browser;
    while (browser->is_used)
        browser++;
    assert_true(browser < fake.browser + FAKE_BROWSERS_MAX);

    fake.browsing++;
    fake.browsers++;
    *browser =
        (struct AvahiServiceBrowser){.is_used = true, .callback = callback, .userdata = userdata};
    snprintf(browser->type, sizeof browser->type, "%s", type);
    return browser;
}

static int browser_free(AvahiServiceBrowser *browser)
{
    assert_true(browser->is_used);
    browser->is_used = false;
    fake.browsing--;
    return 0;
}

static AvahiServiceResolver *resolver_new(AvahiClient *client, AvahiIfIndex interface,
                                          AvahiProtocol protocol, const char *name,
                                          const char *type, const char *domain,
                                          AvahiProtocol family, AvahiLookupFlags flags,
                                          AvahiServiceResolverCallback callback, void *userdata)
{
    assert_ptr_equal(client, &fake.client);
    assert_int_equal(interface, AVAHI_IF_UNSPEC);
    assert_int_equal(protocol, AVAHI_PROTO_UNSPEC);
    assert_int_equal(flags & AVAHI_LOOKUP_NO_ADDRESS, 0);
    assert_string_equal(domain, "local");
    if (strcmp(name, "impossible") == 0) {
        errno = fake.number;
        return NULL;
    }

    assert_true(fake.resolvers_made < FAKE_OBJECTS_MAX);
    struct AvahiServiceResolver *resolver = &fake.resolvers[fake.resolvers_made++];
    *resolver = (struct AvahiServiceResolver){
        .is_used = true, .family = family, .callback = callback, .userdata = userdata};
    snprintf(resolver->instance, sizeof resolver->instance, "%s", name);
    snprintf(resolver->type, sizeof resolver->type, "%s", type);
    if (++fake.resolvers_running > fake.resolvers_peak)
        fake.resolvers_peak = fake.resolvers_running;
    return resolver;
}

static int resolver_free(AvahiServiceResolver *resolver)
{
    assert_true(resolver->is_used);
    resolver->is_used = false;
    fake.resolvers_running--;
    return 0;
}

static AvahiRecordBrowser *records_new(AvahiClient *client, AvahiIfIndex interface,
                                       AvahiProtocol protocol, const char *name, uint16_t class,
                                       uint16_t type, AvahiLookupFlags flags,
                                       AvahiRecordBrowserCallback callback, void *userdata)
{
    assert_ptr_equal(client, &fake.client);
    assert_int_equal(interface, AVAHI_IF_UNSPEC);
    assert_int_equal(protocol, AVAHI_PROTO_UNSPEC);
    assert_int_equal(class, 1);
    assert_int_equal(flags, AVAHI_LOOKUP_USE_MULTICAST);

    assert_true(fake.records_made < FAKE_RECORDS_MAX);
    struct AvahiRecordBrowser *records = &fake.records[fake.records_made++];
    *records = (struct AvahiRecordBrowser){
        .is_used = true, .type = type, .callback = callback, .userdata = userdata};
    snprintf(records->name, sizeof records->name, "%s", name);
    fake.records_running++;
    return records;
}

static int records_free(AvahiRecordBrowser *records)
{
    assert_true(records->is_used);
    records->is_used = false;
    fake.records_running--;
    return 0;
}

static void tell_records(AvahiBrowserEvent event, const char *name, uint16_t type, const void *data,
                         size_t size)
{
    for (size_t i = 0; i < fake.records_made; i++) {
        struct AvahiRecordBrowser *records = &fake.records[i];
        if (records->is_used &&
            (!name || (strcmp(records->name, name) == 0 && records->type == type)))
            records->callback(records, 2, AVAHI_PROTO_INET, event, records->name, 1, records->type,
                              data, size, 0, records->userdata);
    }
}

void fake_record(const char *host, const char *address)
{
    struct address parsed;
    assert_true(address_parse(&parsed, address));
    if (parsed.any.sa_family == AF_INET6)
        tell_records(AVAHI_BROWSER_NEW, host, 28, &parsed.v6.sin6_addr, 16);
    else
        tell_records(AVAHI_BROWSER_NEW, host, 1, &parsed.v4.sin_addr, 4);
}

void fake_records_end(void)
{
    tell_records(AVAHI_BROWSER_ALL_FOR_NOW, NULL, 0, NULL, 0);
}

const char *__wrap_avahi_library_load(struct avahi_library *avahi)
{
    *avahi = (struct avahi_library){.client_errno = client_errno,
                                    .client_free = client_free,
                                    .client_get_state = client_get_state,
                                    .client_new = client_new,
                                    .record_browser_free = records_free,
                                    .record_browser_new = records_new,
                                    .service_browser_free = browser_free,
                                    .service_browser_new = browser_new,
                                    .service_resolver_free = resolver_free,
                                    .service_resolver_new = resolver_new,
                                    .strerror = error_text};
    return NULL;
}

void fake_reset(void)
{
    fake = (struct fake_avahi){.next_state = AVAHI_CLIENT_S_RUNNING, .has_bus = true};
}

void fake_assert_all_freed(void)
{
    assert_int_equal(fake.clients, 0);
    assert_int_equal(fake.resolvers_running, 0);
    assert_int_equal(fake.records_running, 0);
    assert_false(fake.browsing);
    for (size_t i = 0; i < FAKE_TIMERS_MAX; i++)
        assert_null(fake.timers[i].timer);
}

void fake_client_says(AvahiClientState state)
{
    fake.client.state = state;
    fake.client.callback(&fake.client, state, fake.client.userdata);
}

void fake_browse_type(const char *type, const char *instance)
{
    struct AvahiServiceBrowser *browser = find_browser(type);

    assert_non_null(browser);
    browser->callback(browser, 2, AVAHI_PROTO_INET, AVAHI_BROWSER_NEW, instance, type, "local", 0,
                      browser->userdata);
}

void fake_browser_of_says(const char *type, AvahiBrowserEvent event)
{
    struct AvahiServiceBrowser *browser = find_browser(type);

    assert_non_null(browser);
    browser->callback(browser, 2, AVAHI_PROTO_INET, event, NULL, NULL, NULL, 0, browser->userdata);
}

void fake_browse(const char *instance)
{
    fake_browse_type("_arduino._tcp", instance);
}

void fake_browser_says(AvahiBrowserEvent event)
{
    fake_browser_of_says("_arduino._tcp", event);
}

struct AvahiServiceResolver *fake_running(const char *instance)
{
    for (size_t i = 0; i < fake.resolvers_made; i++)
        if (fake.resolvers[i].is_used && strcmp(fake.resolvers[i].instance, instance) == 0)
            return &fake.resolvers[i];
    return NULL;
}

void fake_resolve(const char *instance, const char *address, AvahiStringList *txt)
{
    struct AvahiServiceResolver *resolver = fake_running(instance);
    AvahiAddress avahi = {.proto = AVAHI_PROTO_INET};
    struct address parsed;
    char host[80];

    assert_non_null(resolver);
    snprintf(host, sizeof host, "%s.local", instance);
    if (address) {
        assert_true(address_parse(&parsed, address));
        if (parsed.any.sa_family == AF_INET6) {
            avahi.proto = AVAHI_PROTO_INET6;
            memcpy(avahi.data.ipv6.address, &parsed.v6.sin6_addr, sizeof parsed.v6.sin6_addr);
        } else {
            avahi.data.ipv4.address = parsed.v4.sin_addr.s_addr;
        }
    }
    resolver->callback(resolver, 2, AVAHI_PROTO_INET,
                       address ? AVAHI_RESOLVER_FOUND : AVAHI_RESOLVER_FAILURE, instance,
                       "_arduino._tcp", "local", host, &avahi, 3232, txt, 0, resolver->userdata);
    if (!fake.keeps_records)
        fake_records_end();
}
