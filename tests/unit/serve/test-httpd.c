/*
 * test-httpd.c: an HTTP server that cannot have what it needs: an address, a descriptor, memory.
 */
#include "serve/httpd.h"

#include "serve/httpd_library.h"

#include "support/failing.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CONNECTIONS = 4, DEADLINE_US = 20000000 };

static const char content[] = "firmware";

/* --wrap: libmicrohttpd does not start, for this reason. */
static int start_error;
const char *__real_httpd_library_load(struct httpd_library *library);
const char *__wrap_httpd_library_load(struct httpd_library *library);

static struct MHD_Daemon *fail_to_start(unsigned flags, uint16_t port,
                                        MHD_AcceptPolicyCallback accept, void *accept_userdata,
                                        MHD_AccessHandlerCallback access, void *access_userdata,
                                        ...)
{
    (void)flags, (void)port, (void)accept, (void)accept_userdata, (void)access;
    (void)access_userdata;
    errno = start_error;
    return NULL;
}

const char *__wrap_httpd_library_load(struct httpd_library *library)
{
    const char *reason = __real_httpd_library_load(library);

    if (start_error)
        library->start_daemon = fail_to_start;
    return reason;
}

/* A server with one client, which asks once and reads up to the end. */
struct fixture {
    struct loop *loop;
    struct httpd *server;
    struct httpd_config config;
    struct ota_failure failure;
    void *tag;
    int ends, whole_ends; /* calls of on_end */
    int client;
    struct loop_watch watch;
    struct loop_timer deadline;
    char text[1024];
    size_t length;
};

static void on_request(struct httpd_request *request, void *userdata)
{
    const struct fixture *fixture = userdata;
    const struct httpd_header headers[] = {{"X-Own", "yes"}, {0}};
    const struct httpd_response response = {.status = 200,
                                            .headers = headers,
                                            .data = content,
                                            .size = strlen(content),
                                            .is_copied = !fixture->tag,
                                            .tag = fixture->tag};

    httpd_respond(request, &response);
}

static void on_progress(void *tag, size_t bytes, void *userdata)
{
    (void)tag, (void)bytes, (void)userdata;
}

static void on_end(void *tag, bool is_whole, void *userdata)
{
    struct fixture *fixture = userdata;

    assert_ptr_equal(tag, fixture->tag);
    fixture->ends++;
    fixture->whole_ends += is_whole;
}

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);

    assert_non_null(fixture);
    fixture->loop = loop_new();
    fixture->config = (struct httpd_config){.loop = fixture->loop,
                                            .connections_max = CONNECTIONS,
                                            .connections_per_address = CONNECTIONS,
                                            .on_request = on_request,
                                            .on_progress = on_progress,
                                            .on_end = on_end,
                                            .userdata = fixture};
    assert_true(address_parse(&fixture->config.address, "127.0.0.1"));
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;

    failing_stop();
    httpd_close(fixture->server);
    loop_free(fixture->loop);
    free(fixture);
    return 0;
}

static enum ota_error open_server(struct fixture *fixture)
{
    httpd_close(fixture->server);
    return httpd_open(&fixture->server, &fixture->config, &fixture->failure);
}

/* -- listening -- */

static void test_addresses(void **state)
{
    static const struct {
        int reason;
        enum ota_cause cause;
        enum ota_error error;
    } rows[] = {{EACCES, OTA_CAUSE_PORT_PRIVILEGED, OTA_E_NO_PORT},
                {EADDRNOTAVAIL, OTA_CAUSE_NOT_OUR_ADDRESS, OTA_E_NO_PORT},
                {EAFNOSUPPORT, OTA_CAUSE_NONE, OTA_E_NO_PORT},
                {EMFILE, OTA_CAUSE_TOO_MANY_FILES, OTA_E_INTERNAL}};
    struct fixture *fixture = *state;

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        fixture->failure = (struct ota_failure){0};
        failing_start(FAILING_SOCKET, 0, rows[i].reason);
        assert_int_equal(open_server(fixture), rows[i].error);
        assert_true(failing_stop());
        assert_null(fixture->server);
        assert_int_equal(fixture->failure.cause, rows[i].cause);
        assert_non_null(strstr(fixture->failure.message, "127.0.0.1:0"));
    }
}

static void test_port_in_use(void **state)
{
    struct fixture *fixture = *state;
    struct httpd *first;

    assert_int_equal(open_server(fixture), OTA_OK);
    first = fixture->server;
    fixture->server = NULL;
    address_set_port(&fixture->config.address, httpd_port(first));
    assert_int_equal(open_server(fixture), OTA_E_NO_PORT);
    assert_int_equal(fixture->failure.cause, OTA_CAUSE_PORT_IN_USE);
    httpd_close(first);
}

/* All addresses are those of IPv4 where there is no IPv6; but a given one has to be there. */
static void test_no_ipv6(void **state)
{
    struct fixture *fixture = *state;

    assert_true(address_parse(&fixture->config.address, "::"));
    failing_start(FAILING_SOCKET, 0, EAFNOSUPPORT);
    assert_int_equal(open_server(fixture), OTA_OK);
    assert_true(failing_stop());
    assert_int_not_equal(httpd_port(fixture->server), 0);

    assert_true(address_parse(&fixture->config.address, "::1"));
    failing_start(FAILING_SOCKET, 0, EAFNOSUPPORT);
    assert_int_equal(open_server(fixture), OTA_E_NO_PORT);
    assert_true(failing_stop());
}

/* What else listening takes fails in turn. A certificate is not blamed. */
static void test_local_trouble(void **state)
{
    static const enum failing_call calls[] = {FAILING_GETSOCKNAME, FAILING_FCNTL, FAILING_EPOLL_CTL,
                                              FAILING_ALLOCATION};
    static const int lacks[] = {ENOMEM, EMFILE};
    const struct httpd_identity identity = {"no certificate", "no key"};
    struct fixture *fixture = *state;

    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        bool is_before_tls = calls[i] != FAILING_EPOLL_CTL;

        fixture->config.identity = is_before_tls ? &identity : NULL;
        failing_start(calls[i], 0, ENOMEM);
        assert_int_equal(open_server(fixture), OTA_E_INTERNAL);
        assert_true(failing_stop());
        assert_null(fixture->server);
    }
    fixture->config.identity = &identity;
    assert_int_equal(open_server(fixture), OTA_E_USAGE);

    for (size_t i = 0; i < sizeof lacks / sizeof *lacks; i++) {
        start_error = lacks[i];
        assert_int_equal(open_server(fixture), OTA_E_INTERNAL);
        assert_non_null(strstr(fixture->failure.message, strerror(lacks[i])));
    }
    start_error = 0;
}

/* -- requests -- */

static void on_readable(unsigned events, void *userdata)
{
    struct fixture *fixture = userdata;
    ssize_t got = read(fixture->client, fixture->text + fixture->length,
                       sizeof fixture->text - 1 - fixture->length);
    (void)events;

    if (got > 0)
        fixture->length += (size_t)got;
    else
        loop_quit(fixture->loop);
}

static void on_fetch_deadline(void *userdata)
{
    (void)userdata;
    fail_msg("the server neither answers nor closes the connection");
}

/* Returns what the client has read once the server has closed its connection. */
static const char *fetch(struct fixture *fixture)
{
    static const char request[] = "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons(httpd_port(fixture->server)),
                             .sin_addr = {htonl(INADDR_LOOPBACK)}};

    fixture->length = 0;
    fixture->client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(fixture->client, (struct sockaddr *)&to, sizeof to), 0);
    assert_int_equal(write(fixture->client, request, sizeof request - 1), sizeof request - 1);
    loop_timer_init(&fixture->deadline, fixture->loop, on_fetch_deadline, fixture);
    loop_timer_start(&fixture->deadline, DEADLINE_US);
    assert_int_equal(loop_watch_start(&fixture->watch, fixture->loop, fixture->client,
                                      LOOP_READABLE, on_readable, fixture),
                     0);
    assert_int_equal(loop_run(fixture->loop), 0);
    loop_watch_stop(&fixture->watch);
    loop_timer_stop(&fixture->deadline);
    close(fixture->client);
    fixture->text[fixture->length] = '\0';
    return fixture->text;
}

/* Without memory, a client gets nothing rather than something incomplete, and on_end follows. */
static void test_no_memory(void **state)
{
    struct fixture *fixture = *state;
    int failures = 0;

    fixture->tag = fixture;
    assert_int_equal(open_server(fixture), OTA_OK);
    for (;; failures++) {
        /* The watch of the client takes memory, too. It comes first. */
        fixture->ends = fixture->whole_ends = 0;
        failing_start(FAILING_ALLOCATION, failures, ENOMEM);
        const char *text = fetch(fixture);
        if (!failing_stop())
            break;
        assert_string_equal(text, "");
        assert_int_equal(fixture->whole_ends, 0);
    }
    assert_in_range(failures, 2, 100);
    assert_non_null(strstr(fixture->text, "X-Own: yes"));
    assert_non_null(strstr(fixture->text, content));
    httpd_close(fixture->server);
    fixture->server = NULL;
    assert_int_equal(fixture->ends, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_addresses, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_port_in_use, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_no_ipv6, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_local_trouble, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_no_memory, set_up, tear_down)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
