/*
 * test-target.c: the targets that -i accepts and rejects. Needs the interface "lo".
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/text.h"
#include "discovery/target.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SIXTEEN "abcdefghijklmnop"
#define LABEL_63 SIXTEEN SIXTEEN SIXTEEN "abcdefghijklmno"
#define HOST_251 LABEL_63 "." LABEL_63 "." LABEL_63 "." SIXTEEN SIXTEEN SIXTEEN "abcdefghijk"
#define KUECHE                                                                                     \
    "K\xc3\xbc"                                                                                    \
    "che"
#define UMLAUTS_62                                                                                 \
    "\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc"             \
    "\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc"             \
    "\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc"

/* One that takes a board alone, and one that takes all. */
static const struct target_scheme scheme_rows[] = {
    {.name = "espota"}, {.name = "http", .takes_user = true, .takes_path = true}};
static const struct target_schemes schemes = {scheme_rows, 2};

static const struct {
    const char *text;
    enum target_kind kind;
    const char *name;
    uint16_t port;
} accepted[] = {
    /* addresses */
    {"192.168.1.5", TARGET_ADDRESS, "192.168.1.5", 0},
    {"192.168.1.5:8266", TARGET_ADDRESS, "192.168.1.5", 8266},
    {"127.0.0.1:1", TARGET_ADDRESS, "127.0.0.1", 1},
    {"127.0.0.1:65535", TARGET_ADDRESS, "127.0.0.1", 65535},
    {"::1", TARGET_ADDRESS, "::1", 0},
    {"fd00::1:3232", TARGET_ADDRESS, "fd00::1:3232", 0},
    {"[::1]", TARGET_ADDRESS, "::1", 0},
    {"[::1]:3232", TARGET_ADDRESS, "::1", 3232},
    {"fe80::1%lo", TARGET_ADDRESS, "fe80::1%lo", 0},
    {"[fe80::1%lo]", TARGET_ADDRESS, "fe80::1%lo", 0},
    {"[fe80::1%lo]:1", TARGET_ADDRESS, "fe80::1%lo", 1},
    {"[fe80::1%1]:1", TARGET_ADDRESS, "fe80::1%1", 1},
    {"::ffff:10.0.0.7", TARGET_ADDRESS, "::ffff:10.0.0.7", 0},
    {"[::ffff:10.0.0.7]:80", TARGET_ADDRESS, "::ffff:10.0.0.7", 80},
    /* multicast DNS */
    {"kitchen.local", TARGET_LOCAL, "kitchen.local", 0},
    {"kitchen.local:8266", TARGET_LOCAL, "kitchen.local", 8266},
    {"kitchen.local.", TARGET_LOCAL, "kitchen.local", 0},
    {"a.local.:80", TARGET_LOCAL, "a.local", 80},
    {"ESP_1234.LOCAL", TARGET_LOCAL, "ESP_1234.LOCAL", 0},
    {KUECHE ".local", TARGET_LOCAL, KUECHE ".local", 0},
    {"1.2.local", TARGET_LOCAL, "1.2.local", 0},
    {LABEL_63 ".local", TARGET_LOCAL, LABEL_63 ".local", 0},
    /* instance names with characters that are separators elsewhere */
    {"Lamp/2", TARGET_INSTANCE, "Lamp/2", 0},
    {"v1.2/lamp", TARGET_INSTANCE, "v1.2/lamp", 0},
    {"Lamp, kitchen.local", TARGET_LOCAL, "Lamp, kitchen.local", 0},
    {"My Lamp.local", TARGET_LOCAL, "My Lamp.local", 0},
    {"My Lamp.LOCAL.:8266", TARGET_LOCAL, "My Lamp.LOCAL", 8266},
    {"1 lamp.local", TARGET_LOCAL, "1 lamp.local", 0},
    {"lamp (left).local", TARGET_LOCAL, "lamp (left).local", 0},
    {"My Lamp.locals", TARGET_INSTANCE, "My Lamp.locals", 0},
    {"Version 1.2", TARGET_INSTANCE, "Version 1.2", 0},
    /* escapes: only of invisible characters */
    {"My\\u00ad Lamp\\U000e0041", TARGET_INSTANCE, "My\xc2\xad Lamp\xf3\xa0\x81\x81", 0},
    {"My\\udddd Lamp", TARGET_INSTANCE, "My\\udddd Lamp", 0}, /* a surrogate is no character */
    {"My\\u0041 Lamp", TARGET_INSTANCE, "My\\u0041 Lamp", 0},
    /* other host names */
    {"board.example.org", TARGET_HOST, "board.example.org", 0},
    {"board.example.org.:3232", TARGET_HOST, "board.example.org", 3232},
    {"local.example", TARGET_HOST, "local.example", 0},
    {"notlocal.xlocal", TARGET_HOST, "notlocal.xlocal", 0},
    {"0.pool.example", TARGET_HOST, "0.pool.example", 0},
    {HOST_251 ".x", TARGET_HOST, HOST_251 ".x", 0},
    {HOST_251 ".x.", TARGET_HOST, HOST_251 ".x", 0},
    /* bare labels */
    {"kitchen", TARGET_LABEL, "kitchen", 0},
    {"kitchen.", TARGET_LABEL, "kitchen", 0},
    {"kitchen:8266", TARGET_LABEL, "kitchen", 8266},
    {"esp32-0123456789ab", TARGET_LABEL, "esp32-0123456789ab", 0},
    {"local", TARGET_LABEL, "local", 0},
    {"beef", TARGET_LABEL, "beef", 0},
    {LABEL_63, TARGET_LABEL, LABEL_63, 0},
    /* instances: impossible as host names */
    {"My Board", TARGET_INSTANCE, "My Board", 0},
    {"My Board:8266", TARGET_INSTANCE, "My Board", 8266},
    {"My Board: kitchen", TARGET_INSTANCE, "My Board: kitchen", 0},
    {"My Board: 80", TARGET_INSTANCE, "My Board: 80", 0},
    {"My Board: a: 80", TARGET_INSTANCE, "My Board: a: 80", 0},
    {"a:b:80", TARGET_INSTANCE, "a:b:80", 0},
    {"kitchen:lamp", TARGET_INSTANCE, "kitchen:lamp", 0},
    {":lamp", TARGET_INSTANCE, ":lamp", 0},
    {"Board 1.2", TARGET_INSTANCE, "Board 1.2", 0},
    {"1.2 Board", TARGET_INSTANCE, "1.2 Board", 0},
    {"Board no. 5.", TARGET_INSTANCE, "Board no. 5.", 0},
    {KUECHE, TARGET_INSTANCE, KUECHE, 0},
    {KUECHE ":3232", TARGET_INSTANCE, KUECHE, 3232},
    {KUECHE ".example", TARGET_INSTANCE, KUECHE ".example", 0},
    {"fw-1.2", TARGET_INSTANCE, "fw-1.2", 0},
    {"-kitchen", TARGET_INSTANCE, "-kitchen", 0},
    {"kitchen-", TARGET_INSTANCE, "kitchen-", 0},
    {"[lab] board", TARGET_INSTANCE, "[lab] board", 0},
    /* as avahi-browse and dns-sd print names */
    {"Living\\032room\\032lamp", TARGET_INSTANCE, "Living room lamp", 0},
    {"K\\195\\188che", TARGET_INSTANCE, KUECHE, 0},
    {"desk\\.v2", TARGET_HOST, "desk.v2", 0},
    {"Living\\ room", TARGET_INSTANCE, "Living room", 0},
    {"Living\\032room._arduino._tcp.local", TARGET_INSTANCE, "Living room", 0},
    {"a\\\\032b", TARGET_INSTANCE, "a\\032b", 0}, /* as it is shown here */
    {"a\\256b", TARGET_INSTANCE, "a\\256b", 0},
    {"a\\03", TARGET_INSTANCE, "a\\03", 0},
    {"a\\010b", TARGET_INSTANCE, "a\\010b", 0},
    {"a\\000b", TARGET_INSTANCE, "a\\000b", 0},
    {"a\\255b", TARGET_INSTANCE, "a\\255b", 0},
    {"a\\032b\\x", TARGET_INSTANCE, "a\\032b\\x", 0},
    {"[lab]", TARGET_INSTANCE, "[lab]", 0},
    {"Lamp *1*", TARGET_INSTANCE, "Lamp *1*", 0},
    {"really?", TARGET_INSTANCE, "really?", 0},
    {"lab-*._arduino._tcp.local", TARGET_INSTANCE, "lab-*", 0},
    {"AA:BB:CC:DD:EE:FF", TARGET_INSTANCE, "AA:BB:CC:DD:EE:FF", 0}, /* --serve takes them */
    {"100%", TARGET_INSTANCE, "100%", 0},
    {"%a.b", TARGET_INSTANCE, "%a.b", 0},
    {"a\\b", TARGET_INSTANCE, "a\\b", 0},
    {"My Board._arduino._tcp.local", TARGET_INSTANCE, "My Board", 0},
    {"lamp._esphomelib._tcp.local", TARGET_INSTANCE, "lamp", 0},
    {"lamp._ESPHomeLib._tcp.local.", TARGET_INSTANCE, "lamp", 0},
    {"10.0.0.7._wled._tcp.local:80", TARGET_INSTANCE, "10.0.0.7", 80},
    {"lamp._http._tcp.local", TARGET_INSTANCE, "lamp", 0},
    {"lamp._googlecast._tcp.local", TARGET_LOCAL, "lamp._googlecast._tcp.local", 0},
    {"kitchen._Arduino._TCP.local", TARGET_INSTANCE, "kitchen", 0},
    {"kitchen._arduino._tcp.local.", TARGET_INSTANCE, "kitchen", 0},
    {UMLAUTS_62, TARGET_INSTANCE, UMLAUTS_62, 0},
    {UMLAUTS_62 "!", TARGET_INSTANCE, UMLAUTS_62 "!", 0},
    /* only digits: the C library would take such a label for an address */
    {"1234 5", TARGET_INSTANCE, "1234 5", 0},
    {"1234.local", TARGET_LOCAL, "1234.local", 0},
    {"0x7f", TARGET_INSTANCE, "0x7f", 0},
    {"1234:80", TARGET_INSTANCE, "1234", 80},
};

static void test_accepted_targets(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof accepted / sizeof *accepted; i++) {
        struct target target;
        struct ota_failure failure = {.error = OTA_OK};
        char before[600];

        memset(&target, 0x5A, sizeof target);
        snprintf(before, sizeof before, "%s", accepted[i].text);
        if (target_parse(&target, accepted[i].text, &schemes, &failure) != OTA_OK)
            fail_msg("refused: %s", failure.message);
        if (target.kind != accepted[i].kind)
            fail_msg("\"%s\": kind %d", accepted[i].text, (int)target.kind);
        assert_string_equal(target.name, accepted[i].name);
        assert_int_equal(target.port, accepted[i].port);
        assert_string_equal(accepted[i].text, before);
    }
}

static void test_target_addresses(void **state)
{
    struct target target;
    struct ota_failure failure;
    struct address expected;

    (void)state;
    assert_int_equal(target_parse(&target, "[fe80::1%lo]:3232", &schemes, &failure), OTA_OK);
    assert_true(address_parse(&expected, "fe80::1%lo"));
    assert_true(address_equal(&target.address, &expected));
    assert_int_equal(address_port(&target.address), 0);
    assert_int_equal(target_parse(&target, "10.0.0.7:3232", &schemes, &failure), OTA_OK);
    assert_true(address_parse(&expected, "10.0.0.7"));
    assert_true(address_equal(&target.address, &expected));
    assert_int_equal(address_port(&target.address), 0);
}

static const struct {
    const char *text;
    const char *why;
} refused[] = {
    {"", "is empty"},
    {" ", "space"},
    {" kitchen", "space"},
    {"192.168.1.5 ", "space"},
    {"My Board :80", "space"},
    {"kit\nchen", "control characters"},
    {"kit\x7f", "control characters"},
    {"kit\xc2\x9b", "control characters"},
    {"K\xfc"
     "che",
     "UTF-8"},
    {"/dev/ttyUSB0", "is a serial port, but images are sent over the network"},
    {"/dev/serial/by-id/usb-1a86", "is a serial port"},
    {"/dev/cu.usbserial-10", "is a serial port"},
    {"COM3", "is a serial port"},
    {"COM3.", "is a serial port"},
    {"COM3:80", "is a serial port"},
    {"~/x.bin", "\"~/x.bin\" is the name of a file, not of a board; -f names the image"},
    {"~/kitchen", "is the name of a file"},
    {"./kitchen", "is the name of a file"},
    {"../kitchen", "is the name of a file"},
    {"build/esp32/firmware.BIN", "is the name of a file"},
    {"/tmp/fw.bin.gz", "is the name of a file"},
    {"firmware.bin", "is the name of a file"},
    {"lab-*", "is a pattern, but -i takes one board; use --match for a pattern"},
    {"lab-*.local", "is a pattern"},
    {"*.local:8266", "is a pattern"},
    {"esp32-??????", "is a pattern"},
    {"[lab]*", "is a pattern"},
    {"K\xc3\x9c"
     "CHE*",
     "is a pattern"},
    {"K\xc3\xbc"
     "che-??.local",
     "is a pattern"},
    /* URLs */
    {"ftp://10.0.0.7/",
     "is a URL with another scheme than espota:// and http://: write only \"10.0.0.7\""},
    {"ftp://10.0.0.7:80/update", "write only \"10.0.0.7\""},
    {"ftp://[::1]:80/", "write only \"[::1]\""},
    {"htp://10.0.0.7:8080", "is a URL with an unknown scheme; did you mean http://?"},
    {"HTTTP://10.0.0.7/", "did you mean http://?"},
    {"esptoa://[::1]", "did you mean espota://?"},
    {"htp://me:secret@10.0.0.7", "a URL that names a board has an unknown scheme; did you mean "},
    {"ftp:///", "is a URL without a host"},
    {"://10.0.0.7", "another scheme than espota://"},
    {"espota ://10.0.0.7", "did you mean espota://?"},
    {"espota://", "is a URL without a host"},
    {"http:///update", "is a URL without a host"},
    {"http://#", "is a URL without a host"},
    {"http://10.0.0.7/a b", "has a character in its path that a URL cannot have"},
    {"http://10.0.0.7/caf\xc3\xa9", "has a character in its path that a URL cannot have"},
    {"http://10.0.0.7/a\"b", "has a character in its path that a URL cannot have"},
    {"http://10.0.0.7/a\\b", "has a character in its path that a URL cannot have"},
    {"http:/10.0.0.7/update", "is a URL with one slash; write two behind the colon"},
    {"http//10.0.0.7/update", "is a URL without a colon; write it before the two slashes"},
    {"http//lamp.local", "is a URL without a colon"},
    {"http://me@/update", "is a URL without a host"},
    {"espota://10.0.0.7/update", "has a path, but espota:// takes only a board"},
    {"espota://10.0.0.7?x", "has a path"},
    {"espota://lab-*", "is a pattern"},
    {"espota://a.local,b.local", "several boards"},
    {"me:pw@lamp.local", "a password in the name of a board is seen by others; give it with"},
    {"me:p/w@lamp.local", "a password in the name of a board is seen by others; give it with"},
    {"espota://10.0.0.7:99999", "\"10.0.0.7:99999\" has no port"},
    {"espota://http://10.0.0.7", "has a path"},
    /* hosts with a suffix */
    {"10.0.0.7/", "has a slash behind the host: write only \"10.0.0.7\""},
    {"10.0.0.7:8266/", "write only \"10.0.0.7:8266\""},
    {"kitchen.local/update",
     "has a path behind the host: write http:// before it for an update page"},
    {"a.local,b.local", "several boards"},
    {"a.local b.local", "several boards"},
    {"10.0.0.7;10.0.0.8", "several boards"},
    {"10.0.0.7;3232;geheim", "\"10.0.0.7\" has a comma or semicolon and more behind it: "},
    {"kitchen.local,geheim", "\"kitchen.local\" has a comma"},
    {"-", "is not the name of a board; write the name alone"},
    {"3232", "is a number, and no board: a port belongs behind -p or the board's name"},
    {"1921681042", "is a number, and no board"},
    {"10,77,0,60", "has commas, but an IP address has dots"},
    {"10.77.0.60:8267:2", "has more than a port behind the address"},
    {"10.0.0.0/24", "means several addresses, but -i takes one board; --all"},
    {"fd00::/64", "means several addresses"},
    {"10.0.0.1-40", "means several addresses"},
    {"10.0.0.1-10.0.0.40", "means several addresses"},
    {"espota:10.0.0.7", "is a URL without slashes; write two behind the colon"},
    {"HTTP:kitchen.local:80/x", "is a URL without slashes"},
    {"10.0.0.7,", "has a comma or semicolon beside the host; leave it out: "},
    {"a.local ; ", "a comma or semicolon beside the host"},
    {",[::1]:80", "a comma or semicolon beside the host"},
    {"10.0.0.7, 10.0.0.8:80", "several boards"},
    /* ports */
    {"1.2.3.4:99999", "port"},
    {"1.2.3.4:0", "port"},
    {"1.2.3.4:", "port"},
    {"1.2.3.4:http", "port"},
    {"1.2.3.4:80x", "port"},
    {"1.2.3.4:+80", "port"},
    {"1.2.3.4: 80", "port"},
    {"1.2.3.4:0x50", "port"},
    {"kitchen.local:99999", "port"},
    {"kitchen.local:a", "port"},
    {"host:", "port"},
    {"host:0", "port"},
    {"host:080", "port"},
    {"host:65536", "port"},
    {"host:18446744073709551697", "port"},
    {":3232", "before the port"},
    {"[::1]:0", "port"},
    {"[::1]:65536", "port"},
    {"[::1]:", "port"},
    {"[::1]x", "port"},
    {"[::1]3232", "port"},
    /* IPv6 */
    {"[::1", "closing bracket"},
    {"[fe80::1%lo", "closing bracket"},
    {"[1.2.3.4]", "not an IPv6 address"},
    {"[1.2.3.4]:80", "not an IPv6 address"},
    {"[:::1]", "not an IPv6 address"},
    {"1::2::3", "not an IPv6 address"},
    {"1:2:3:4:5:6:7:8:9", "not an IPv6 address"},
    {"::1.2.3", "not an IPv6 address"},
    {"fe80::1%nosuch0", "interface"},
    {"[fe80::1%nosuch0]:1", "interface"},
    {"fe80::1%", "interface"},
    {"fe80::1%0", "interface"},
    {"fe80::1%lo:3232", "[ADDRESS%INTERFACE]:PORT"},
    {"fe80::1", "link-local"},
    {"[fe80::1]:3232", "link-local"},
    /* IPv4, including the C library's unusual forms */
    {"1.2.3", "not an IPv4 address"},
    {"1.2.3.4.5", "not an IPv4 address"},
    {"1.2.3.256", "not an IPv4 address"},
    {"1.2.3.4.", "not an IPv4 address"},
    {"1.2.3.04", "not an IPv4 address"},
    {"1..2", "not an IPv4 address"},
    {".", "not an IPv4 address"},
    {"0x7f.1", "not an IPv4 address"},
    {"0x7f.1.", "not an IPv4 address"},
    {"0x7f.1:80", "not an IPv4 address"},
    {"0177.0.0.0x1", "not an IPv4 address"},
    {"1.2.3.4%lo", "not an IPv4 address"},
    /* addresses of no single board */
    {"0.0.0.0", "one board"},
    {"255.255.255.255", "one board"},
    {"224.0.0.251:5353", "one board"},
    {"::", "one board"},
    {"[ff02::fb%lo]:5353", "one board"},
    /* host names */
    {"a..b", "nothing between two dots"},
    {".local", "nothing between two dots"},
    {"kitchen.local..", "nothing between two dots"},
    {LABEL_63 "x", "63"},
    {LABEL_63 "x.local", "63"},
    {HOST_251 ".xyz", "253"},
    {HOST_251 ".x.y.z", "too long"},
    {UMLAUTS_62 "!!", "63 bytes"},
    {LABEL_63 " x", "63 bytes"},
};

static void test_refused_targets(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        struct target target;
        struct ota_failure failure = {.error = OTA_OK};

        if (target_parse(&target, refused[i].text, &schemes, &failure) != OTA_E_USAGE)
            fail_msg("accepted: \"%s\" as kind %d, \"%s\", port %d", refused[i].text,
                     (int)target.kind, target.name, target.port);
        assert_int_equal(failure.error, OTA_E_USAGE);
        if (strstr(failure.message, refused[i].why) == NULL)
            fail_msg("\"%s\": %s", refused[i].text, failure.message);
    }
}

static void test_urls(void **state)
{
    (void)state;

    static const struct {
        const char *text;
        size_t scheme;
        enum target_kind kind;
        const char *name;
        uint16_t port;
        const char *user;
        const char *path;
    } rows[] = {
        {"espota://kitchen.local", 0, TARGET_LOCAL, "kitchen.local", 0, "", ""},
        {"ESPOTA://kitchen.local:3232/", 0, TARGET_LOCAL, "kitchen.local", 3232, "", ""},
        {"espota://10.0.0.7:8266", 0, TARGET_ADDRESS, "10.0.0.7", 8266, "", ""},
        {"espota://[fe80::1%lo]:3232", 0, TARGET_ADDRESS, "fe80::1%lo", 3232, "", ""},
        {"http://[fe80::1%25lo]:80/x", 1, TARGET_ADDRESS, "fe80::1%25lo", 80, "", "/x"},
        {"espota://Living room lamp", 0, TARGET_INSTANCE, "Living room lamp", 0, "", ""},
        {"http://kitchen", 1, TARGET_LABEL, "kitchen", 0, "", ""},
        {"http://kitchen/", 1, TARGET_LABEL, "kitchen", 0, "", ""},
        {"http://kitchen.local/update", 1, TARGET_LOCAL, "kitchen.local", 0, "", "/update"},
        {"http://me@10.0.0.7:8080/a/b?c=d#e", 1, TARGET_ADDRESS, "10.0.0.7", 8080, "me",
         "/a/b?c=d"},
        {"http://kitchen.local/#wifi", 1, TARGET_LOCAL, "kitchen.local", 0, "", ""},
        {"http://kitchen.local#", 1, TARGET_LOCAL, "kitchen.local", 0, "", ""},
        {"http://me@[::1]/x@y", 1, TARGET_ADDRESS, "::1", 0, "me", "/x@y"},
        {"http://@kitchen?go", 1, TARGET_LABEL, "kitchen", 0, "", "?go"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct target target;
        struct ota_failure failure;

        if (target_parse(&target, rows[i].text, &schemes, &failure) != OTA_OK)
            fail_msg("%s: %s", rows[i].text, failure.message);
        assert_ptr_equal(target.scheme, &scheme_rows[rows[i].scheme]);
        assert_int_equal(target.kind, rows[i].kind);
        assert_string_equal(target.name, rows[i].name);
        assert_int_equal(target.port, rows[i].port);
        assert_string_equal(target.user, rows[i].user);
        assert_string_equal(target.path, rows[i].path);
    }
}

/* What may be a password is not repeated. */
static void test_passwords_in_urls(void **state)
{
    (void)state;

    static const struct {
        const char *text;
        const char *why;
    } rows[] = {
        {"ftp://user:secret@10.0.0.7/", "write only the host"},
        {"espota://secret@10.0.0.7", "espota:// takes no user"},
        {"espota://user:secret@10.0.0.7/", "espota:// takes no user"},
        {"http://user:secret@10.0.0.7/update", "--auth-file"},
        {"http://:secret@10.0.0.7", "--auth-file"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct target target;
        struct ota_failure failure;

        assert_int_equal(target_parse(&target, rows[i].text, &schemes, &failure), OTA_E_USAGE);
        assert_null(strstr(failure.message, "secret"));
        if (!strstr(failure.message, rows[i].why))
            fail_msg("%s: %s", rows[i].text, failure.message);
    }
}

static void test_equal_targets(void **state)
{
    static const struct {
        const char *a, *b;
        bool are_equal;
    } rows[] = {
        {"kitchen.local", "KITCHEN.Local.", true},
        {"kitchen.local", "kitchen", false},
        {"kitchen", "kitchen2", false},
        {"kitchen", "kitchen._arduino._tcp.local", false}, /* "kitchen" may also be a host */
        {"Living room", "LIVING ROOM", true},
        {"Living room", "Living  room", false},
        {"kitchen:8266", "Kitchen:8266", true},
        {"kitchen:8266", "kitchen:3232", false},
        {"kitchen:8266", "kitchen", false},
        {"192.0.2.7", "192.0.2.7", true},
        {"192.0.2.7", "192.0.2.8", false},
        {"192.0.2.7", "::ffff:192.0.2.7", true},
        {"192.0.2.7:1", "192.0.2.7:2", false},
        {"fd00::7", "[FD00:0::7]", true},
        {"fe80::7%lo", "fe80::7%1", true},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct target a, b;
        struct ota_failure failure;

        assert_int_equal(target_parse(&a, rows[i].a, &schemes, &failure), OTA_OK);
        assert_int_equal(target_parse(&b, rows[i].b, &schemes, &failure), OTA_OK);
        if (target_equal(&a, &b) != rows[i].are_equal || target_equal(&b, &a) != rows[i].are_equal)
            fail_msg("\"%s\" and \"%s\"", rows[i].a, rows[i].b);
    }
}

static void test_messages_show_the_text_escaped(void **state)
{
    struct target target;
    struct ota_failure failure;
    char text[5000];

    (void)state;
    target_parse(&target, "a\x1b[2J", &schemes, &failure);
    assert_string_equal(failure.message,
                        "\"a\\x1b[2J\" has control characters in it or is not valid UTF-8");
    memset(text, 'x', sizeof text);
    text[sizeof text - 1] = '\0';
    assert_int_equal(target_parse(&target, text, &schemes, &failure), OTA_E_USAGE);
    assert_non_null(strstr(failure.message, "x...\" is too long"));
}

static void test_target_port(void **state)
{
    static const struct {
        const char *text;
        int port;      /* -1: rejected */
        int with_zero; /* the same if 0 is allowed */
    } rows[] = {
        {"1", 1, 1},          {"8266", 8266, 8266},   {"65535", 65535, 65535},
        {"0", -1, 0},         {"00", -1, -1},         {"01", -1, -1},
        {"010", -1, -1},      {"65536", -1, -1},      {"", -1, -1},
        {"+1", -1, -1},       {"-1", -1, -1},         {" 1", -1, -1},
        {"1 ", -1, -1},       {"0x10", -1, -1},       {"1e3", -1, -1},
        {"1.0", -1, -1},      {"4294967297", -1, -1}, {"99999999999999999999", -1, -1},
        {"\xd9\xa1", -1, -1},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint16_t port = 7;

        assert_int_equal(target_parse_port(&port, rows[i].text, false), rows[i].port != -1);
        assert_int_equal(port, rows[i].port != -1 ? rows[i].port : 7);
        port = 7;
        assert_int_equal(target_parse_port(&port, rows[i].text, true), rows[i].with_zero != -1);
        assert_int_equal(port, rows[i].with_zero != -1 ? rows[i].with_zero : 7);
    }
}

/* Names that a certificate can have, and that libcurl does not take for an address. */
static void test_certificates(void **state)
{
    static const struct {
        const char *text;
        bool suits;
    } rows[] = {
        {"10.0.0.7", true},   {"[fd00::1]:443", true},
        {"lamp", true},       {"lamp.local", true},
        {"desk_lamp", true},  {"lamp.example.org", true},
        {"lamp-2", true},     {"Desk lamp", false},
        {KUECHE, false},      {KUECHE ".local", false},
        {"12345:80", false},  {"0x7f", false},
        {"Lamp 2.1", false},  {"lamp.1", false},
        {"a b.local", false}, {"lamp._arduino._tcp.local", true},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct target target;
        struct ota_failure failure;

        assert_int_equal(target_parse(&target, rows[i].text, &schemes, &failure), OTA_OK);
        if (target_suits_certificate(&target) != rows[i].suits)
            fail_msg("%s", rows[i].text);
    }
}

/* An instance is written in full if it would be taken for something else, with its service; read
 * back, it is the same. */
static void test_full_names(void **state)
{
    static const char *const suffixes[SERVICE_COUNT] = {
        [SERVICE_ARDUINO] = "._arduino._tcp.local",
        [SERVICE_WLED] = "._wled._tcp.local",
        [SERVICE_TASMOTA] = "._http._tcp.local",
        [SERVICE_ESPHOME] = "._esphomelib._tcp.local",
    };
    static const struct {
        const char *instance;
        bool is_full;
    } rows[] = {
        {"kitchen", false},
        {"Living room lamp", false},
        {"Garage v2.1", false},
        {"desk.v2", true}, /* a host for the C library's resolver */
        {"a.b.c", true},
        {KUECHE, false},
        {"AA:BB:CC:DD:EE:10", false},
        {"3232", true},
        {"lamp:kitchen", false},
        {"10.0.0.7", true},
        {"fd00::7", true},
        {"[fd00::7]:80", true},
        {"10.0.0.7:3232", true},
        {"kitchen:3232", true},
        {"Living room:3232", true},
        {"kitchen.local", true},
        {"My lamp.LOCAL", true},
        {"kitchen.", true},
        {"fw.bin", true},
        {"lamp/update", true},
        {"10.0.0.7/update", true},
        {"lamp?x=1", true},
        {"Lab-0?", false},
        {"Lab-*", true},
        {"lab??", true},
        {"10.0.0.7,10.0.0.8", true},
        {"/dev/ttyUSB0", true},
        {"10.0.0.7._arduino._tcp.local", true},
        {"10.0.0.7._esphomelib._tcp.local", true},
    };
    char text[TARGET_FULL_MAX], expected[TARGET_FULL_MAX];
    struct target target, again;
    struct ota_failure failure;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        target =
            (struct target){.kind = TARGET_INSTANCE, .service = (enum service)(i % SERVICE_COUNT)};
        snprintf(target.name, sizeof target.name, "%s", rows[i].instance);
        snprintf(expected, sizeof expected, "%s%s", rows[i].instance,
                 rows[i].is_full ? suffixes[target.service] : "");
        assert_string_equal(target_full_name(text, &target), expected);

        assert_int_equal(target_parse(&again, text, &schemes, &failure), OTA_OK);
        assert_string_equal(again.name, rows[i].instance);
        assert_int_equal(again.port, 0);
        if (rows[i].is_full) {
            assert_int_equal(again.kind, TARGET_INSTANCE);
            assert_int_equal(again.service, target.service);
            text_append(text, sizeof text, ":80");
            assert_int_equal(target_parse(&again, text, &schemes, &failure), OTA_OK);
            assert_string_equal(again.name, rows[i].instance);
            assert_int_equal(again.port, 80);
        }
    }

    for (size_t i = 0; i < sizeof accepted / sizeof *accepted; i++) {
        assert_int_equal(target_parse(&target, accepted[i].text, &schemes, &failure), OTA_OK);
        if (target.kind != TARGET_INSTANCE)
            assert_string_equal(target_full_name(text, &target), accepted[i].name);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_accepted_targets),
        cmocka_unit_test(test_target_addresses),
        cmocka_unit_test(test_refused_targets),
        cmocka_unit_test(test_messages_show_the_text_escaped),
        cmocka_unit_test(test_target_port),
        cmocka_unit_test(test_urls),
        cmocka_unit_test(test_passwords_in_urls),
        cmocka_unit_test(test_equal_targets),
        cmocka_unit_test(test_certificates),
        cmocka_unit_test(test_full_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
