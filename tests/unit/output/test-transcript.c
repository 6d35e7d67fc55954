/*
 * test-transcript.c: boards' logs as text, on standard output (a file, a pipe, a terminal) and in
 * the file of --log.
 */
#include "output/transcript.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/stdio_guard.h"
#include "support/capture.h"
#include "support/files.h"
#include "support/pty.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#define S INT64_C(1000000)
#define COUNT(array) (sizeof(array) / sizeof *(array))

enum { PIECES = 8 };

static bool refuse_memory;
/* What a wait for a place to take bytes comes to, once for each character; then as it is, but
 * without patience. 'i': a signal; 't': time is up. */
static const char *waits = "";

void *__real_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size);
int __real_poll(struct pollfd *descriptors, nfds_t count, int patience_ms);
int __wrap_poll(struct pollfd *descriptors, nfds_t count, int patience_ms);

void *__wrap_calloc(size_t count, size_t size)
{
    return refuse_memory ? NULL : __real_calloc(count, size);
}

int __wrap_poll(struct pollfd *descriptors, nfds_t count, int patience_ms)
{
    (void)patience_ms;
    if (!*waits)
        return __real_poll(descriptors, count, 0);
    if (*waits++ == 't')
        return 0;
    errno = EINTR;
    return -1;
}

/* What one board says. */
struct piece {
    const char *text;
    enum { WHOLE, UNFINISHED, CONTINUED, CONTINUED_UNFINISHED } kind;
    size_t shown;
    const char *board; /* NULL: the only one */
    int64_t at_us;
};

static void add_bytes(struct transcript *transcript, const struct piece *piece, const void *bytes,
                      size_t length)
{
    const struct line line = {
        .bytes = bytes,
        .length = length,
        .shown = piece->shown,
        .is_continuation = piece->kind >= CONTINUED,
        .is_unfinished = piece->kind == UNFINISHED || piece->kind == CONTINUED_UNFINISHED,
        .comes_again = (piece->kind == UNFINISHED || piece->kind == CONTINUED_UNFINISHED) &&
                       length < LINE_SPLITTER_MAX - 3};

    transcript_add(transcript, piece->board ? piece->board : "kitchen", piece->board, &line,
                   piece->at_us);
}

static void add_transcript_event(struct transcript *transcript, const struct piece *piece)
{
    add_bytes(transcript, piece, piece->text, strlen(piece->text));
}

static struct transcript *open_transcript(const struct transcript_settings *settings)
{
    struct transcript *transcript;
    struct ota_failure failure;
    assert_int_equal(transcript_open(&transcript, settings, &failure), OTA_OK);
    return transcript;
}

static void make_path(char path[32])
{
    snprintf(path, 32, "/tmp/esp-ota-log-XXXXXX");
    int descriptor = mkstemp(path);
    assert_true(descriptor >= 0);
    close(descriptor);
}

/* -- what lines become -- */

static const struct story {
    const char *title;
    struct transcript_settings settings;
    struct piece pieces[PIECES];
    const char *text; /* on both */
} stories[] = {
    {.title = "lines of one board",
     .pieces = {{.text = "one"}, {.text = ""}, {.text = "two"}},
     .text = "one\n\ntwo\n"},
    {.title = "control characters are shown, tabs and backslashes are left",
     .pieces = {{.text = "a\x1b[2J\tC:\\ \xff \xc3\xa4"}},
     .text = "a\\x1b[2J\tC:\\ \\xff \xc3\xa4\n"},
    {.title = "--raw leaves all",
     .settings = {.raw = true},
     .pieces = {{.text = "a\x1b[31m\xff"}},
     .text = "a\x1b[31m\xff\n"},
    {.title = "seconds since the start",
     .settings = {.timestamps = TIMESTAMPS_SINCE_START},
     .pieces = {{.text = "one", .at_us = 1234567}, {.text = "two", .at_us = 12345 * S}},
     .text = "    1.235  one\n12345.000  two\n"},
    {.title = "several boards",
     .settings = {.timestamps = TIMESTAMPS_SINCE_START},
     .pieces = {{.text = "one", .board = "kitchen"}, {.text = "two", .board = "hall", .at_us = S}},
     .text = "    0.000  kitchen: one\n    1.000  hall: two\n"},
    {.title = "an unfinished line is shown at once, and what follows behind it",
     .settings = {.timestamps = TIMESTAMPS_SINCE_START},
     .pieces = {{.text = "log", .kind = UNFINISHED},
                {.text = "login: ", .kind = UNFINISHED, .shown = 3, .at_us = S},
                {.text = "login: root", .shown = 7, .at_us = 2 * S},
                {.text = "hello", .at_us = 3 * S}},
     .text = "    0.000  login: root\n    3.000  hello\n"},
    {.title = "an unfinished line whose end brings nothing more",
     .pieces = {{.text = "> ", .kind = UNFINISHED}, {.text = "> ", .shown = 2}, {.text = "a"}},
     .text = "> \na\n"},
    {.title = "an unfinished line that is cut off by another",
     .pieces = {{.text = "> ", .kind = UNFINISHED}, {.text = "boot"}},
     .text = "> \nboot\n"},
    {.title = "an unfinished line at the end is ended",
     .pieces = {{.text = "> ", .kind = UNFINISHED}},
     .text = "> \n"},
    {.title = "pieces of an endless line are one line",
     .settings = {.timestamps = TIMESTAMPS_SINCE_START},
     .pieces = {{.text = "one ", .kind = UNFINISHED},
                {.text = "two ", .kind = CONTINUED_UNFINISHED},
                {.text = "three", .kind = CONTINUED},
                {.text = "next"}},
     .text = "    0.000  one two three\n    0.000  next\n"},
    {.title = "an endless line of which a piece was shown in part",
     .pieces = {{.text = "one ", .kind = UNFINISHED},
                {.text = "tw", .kind = CONTINUED_UNFINISHED},
                {.text = "two ", .kind = CONTINUED_UNFINISHED, .shown = 2},
                {.text = "", .kind = CONTINUED}},
     .text = "one two \n"},
    {.title = "the end of a line whose beginning nobody saw",
     .pieces = {{.text = "end", .kind = CONTINUED}, {.text = "long", .shown = 3}},
     .text = "end\nlong\n"},
    {.title = "among several boards an unfinished line waits until it is whole",
     .pieces = {{.text = "lo", .kind = UNFINISHED, .board = "kitchen"},
                {.text = "boot", .board = "hall"},
                {.text = "login: ", .shown = 2, .board = "kitchen"}},
     .text = "hall: boot\nkitchen: login: \n"},
};

static void play_transcript(const struct story *story, bool on_terminal, bool in_file)
{
    struct capture capture;
    char path[32], text[1024] = "";
    struct transcript_settings settings = story->settings;

    make_path(path);
    settings.to_stdout = on_terminal;
    settings.path = in_file ? path : NULL;
    capture_begin(&capture);
    struct transcript *transcript = open_transcript(&settings);
    for (size_t i = 0; i < PIECES && story->pieces[i].text; i++)
        add_transcript_event(transcript, &story->pieces[i]);
    struct ota_failure loss;
    bool is_complete = transcript_is_complete(transcript, &loss);
    transcript_free(transcript);
    capture_end(&capture);
    files_read_text(path, text, sizeof text);
    unlink(path);
    assert_true(is_complete);
    assert_string_equal(capture.text_out, on_terminal ? story->text : "");
    assert_string_equal(text, in_file ? story->text : "");
    assert_string_equal(capture.text_err, "");
}

static void test_transcript_stories(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(stories); i++) {
        print_message("  %s\n", stories[i].title);
        play_transcript(&stories[i], true, true);
        play_transcript(&stories[i], true, false);
        play_transcript(&stories[i], false, true);
    }
}

/* Among several boards a piece of an endless line is a line, as the rest may never come. */
static void test_endless_among_others(void **state)
{
    (void)state;
    static char dots[LINE_SPLITTER_MAX];
    static struct capture capture;
    const struct transcript_settings settings = {.to_stdout = true};
    const struct piece first = {.kind = UNFINISHED, .board = "hall"};
    const struct piece second = {.kind = CONTINUED, .board = "hall"};

    memset(dots, '.', sizeof dots);
    capture_begin(&capture);
    struct transcript *transcript = open_transcript(&settings);
    add_bytes(transcript, &first, dots, LINE_SPLITTER_MAX);
    add_bytes(transcript, &second, "end", 3);
    transcript_free(transcript);
    capture_end(&capture);
    assert_int_equal(strlen(capture.text_out), 6 + LINE_SPLITTER_MAX + 1 + strlen("hall: end\n"));
    assert_memory_equal(capture.text_out, "hall: ....", 10);
    assert_string_equal(capture.text_out + 6 + LINE_SPLITTER_MAX, "\nhall: end\n");
}

/* The longest line, each byte of which is shown as four characters, and the longest name. */
static void test_longest_line(void **state)
{
    (void)state;
    static unsigned char bytes[LINE_SPLITTER_MAX];
    static char name[4096];
    static struct capture capture;
    const struct transcript_settings settings = {.to_stdout = true, .timestamps = TIMESTAMPS_WALL};
    const struct piece piece = {.kind = WHOLE, .board = name};

    memset(bytes, 1, sizeof bytes);
    memset(name, 'n', sizeof name - 1);
    capture_begin(&capture);
    struct transcript *transcript = open_transcript(&settings);
    add_bytes(transcript, &piece, bytes, sizeof bytes);
    transcript_free(transcript);
    capture_end(&capture);
    size_t length = strlen(capture.text_out), shown = (size_t)4 * LINE_SPLITTER_MAX + 1;
    assert_true(length > shown + 1000);
    assert_memory_equal(capture.text_out + length - shown, "\\x01\\x01", 8);
    assert_string_equal(capture.text_out + length - 5, "\\x01\n");
}

static void test_wall_clock(void **state)
{
    (void)state;
    static struct capture capture;
    const struct transcript_settings settings = {.to_stdout = true, .timestamps = TIMESTAMPS_WALL};
    struct tm parts = {.tm_isdst = -1};
    time_t before = time(NULL);

    capture_begin(&capture);
    struct transcript *transcript = open_transcript(&settings);
    add_transcript_event(transcript, &(struct piece){.text = "hello", .board = "hall"});
    transcript_free(transcript);
    capture_end(&capture);
    const char *rest = strptime(capture.text_out, "%Y-%m-%d %H:%M:%S", &parts);
    assert_non_null(rest);
    assert_int_equal(*rest, '.');
    assert_int_equal(strspn(rest + 1, "0123456789"), 3);
    assert_string_equal(rest + 4, "  hall: hello\n");
    time_t then = mktime(&parts);
    assert_true(then >= before && then <= time(NULL) + 1); /* time(2) lags by some ms */
}

/* -- colors -- */

/* A terminal on standard output; returns its other end. */
static int open_terminal(int *saved)
{
    struct termios settings;
    int master = pty_open_master();
    int slave = open(ptsname(master), O_RDWR | O_NOCTTY);
    assert_true(slave >= 0 && tcgetattr(slave, &settings) == 0);
    cfmakeraw(&settings);
    assert_int_equal(tcsetattr(slave, TCSANOW, &settings), 0);
    fflush(stdout);
    *saved = dup(STDOUT_FILENO);
    assert_true(*saved >= 0 && dup2(slave, STDOUT_FILENO) >= 0);
    close(slave);
    return master;
}

static void set(const char *name, const char *value)
{
    if (value)
        setenv(name, value, 1);
    else
        unsetenv(name);
}

/* What was written to a terminal comes out of its other end a little later, and piece by piece. */
static void read_lines(int master, char *text, size_t capacity, size_t count)
{
    size_t length = 0;

    for (size_t lines = 0; lines < count;) {
        struct pollfd readable = {.fd = master, .events = POLLIN};
        assert_int_equal(poll(&readable, 1, 10000), 1);
        ssize_t got = read(master, text + length, capacity - 1 - length);
        assert_true(got > 0);
        for (ssize_t i = 0; i < got; i++)
            lines += text[length++] == '\n';
    }
    text[length] = '\0';
}

static void test_colors(void **state)
{
    (void)state;

    static const struct {
        const char *term, *no_color, *board;
        const char *text;
    } rows[] = {
        {"xterm", NULL, "hall", "\x1b[33mhall:\x1b[0m one\n"},
        {"xterm", "", "hall", "\x1b[33mhall:\x1b[0m one\n"},
        {"xterm", NULL, NULL, "one\n"},
        {"xterm", "1", "hall", "hall: one\n"},
        {"dumb", NULL, "hall", "hall: one\n"},
        {"", NULL, "hall", "hall: one\n"},
        {NULL, NULL, "hall", "hall: one\n"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        char text[128] = "", path[32], in_file[128];
        int saved;
        set("TERM", rows[i].term);
        set("NO_COLOR", rows[i].no_color);
        make_path(path);
        int master = open_terminal(&saved);
        const struct transcript_settings settings = {.to_stdout = true, .path = path};
        struct transcript *transcript = open_transcript(&settings);
        add_transcript_event(transcript, &(struct piece){.text = "one", .board = rows[i].board});
        transcript_free(transcript);
        read_lines(master, text, sizeof text, 1);
        dup2(saved, STDOUT_FILENO);
        close(saved);
        close(master);
        files_read_text(path, in_file, sizeof in_file);
        unlink(path);
        assert_string_equal(text, rows[i].text);
        assert_string_equal(in_file, rows[i].board ? "hall: one\n" : "one\n"); /* never there */
    }
}

/* Boards are told apart; which color one has is the same in every run. */
static void test_color_of_boards(void **state)
{
    (void)state;
    static const char *const boards[] = {"a", "b", "c", "d", "e", "f", "g", "a"};
    char text[512] = "";
    unsigned used = 0;
    const struct transcript_settings settings = {.to_stdout = true};
    int saved;

    set("TERM", "xterm");
    set("NO_COLOR", NULL);
    int master = open_terminal(&saved);
    struct transcript *transcript = open_transcript(&settings);
    for (size_t i = 0; i < COUNT(boards); i++)
        add_transcript_event(transcript, &(struct piece){.text = "", .board = boards[i]});
    transcript_free(transcript);
    read_lines(master, text, sizeof text, COUNT(boards));
    dup2(saved, STDOUT_FILENO);
    close(saved);
    close(master);
    const char *next = text;
    for (size_t i = 0; i < COUNT(boards); i++, next = strchr(next, '\n') + 1) {
        assert_memory_equal(next, "\x1b[3", 3);
        assert_in_range(next[3], '1', '6');
        used |= 1U << (next[3] - '1');
        assert_true(i < COUNT(boards) - 1 || next[3] == text[3]);
    }
    assert_int_equal(used, 0x3f); /* neighbors in the alphabet share none */
}

/* -- where it goes -- */

static void test_nothing_on_stdout(void **state)
{
    (void)state;
    static const struct transcript_settings settings = {.to_stdout = false};
    static struct capture capture;

    capture_begin(&capture);
    struct transcript *transcript = open_transcript(&settings);
    add_transcript_event(transcript, &(struct piece){.text = "one"});
    transcript_free(transcript);
    capture_end(&capture);
    assert_string_equal(capture.text_out, "");
}

static void test_appended(void **state)
{
    (void)state;
    char path[32], text[64];

    make_path(path);
    const struct transcript_settings settings = {.path = path};
    for (int i = 0; i < 2; i++) {
        struct transcript *transcript = open_transcript(&settings);
        add_transcript_event(transcript, &(struct piece){.text = i ? "second run" : "first run"});
        transcript_free(transcript);
    }
    files_read_text(path, text, sizeof text);
    assert_string_equal(text, "first run\nsecond run\n");
    unlink(path);
}

static void test_not_opened(void **state)
{
    (void)state;
    struct transcript *transcript;
    struct ota_failure failure;
    const struct transcript_settings settings = {.path = (char[]){"/nowhere/a\x1b"}};
    assert_int_equal(transcript_open(&transcript, &settings, &failure), OTA_E_OUTPUT);
    assert_string_equal(failure.message, "cannot open /nowhere/a\\x1b to write the log there: No "
                                         "such file or directory");
    transcript_free(transcript);

    refuse_memory = true;
    enum ota_error error = transcript_open(&transcript, &settings, &failure);
    refuse_memory = false;
    assert_int_equal(error, OTA_E_INTERNAL);
    assert_null(transcript);
    transcript_free(NULL);
}

/* One place is lost; the other one has everything. */
static void test_transcript_full_disk(void **state)
{
    (void)state;
    static struct capture capture;
    const struct transcript_settings settings = {.to_stdout = true, .path = (char[]){"/dev/full"}};
    struct ota_failure loss;

    capture_begin(&capture);
    struct transcript *transcript = open_transcript(&settings);
    bool is_complete_before = transcript_is_complete(transcript, &loss);
    for (int i = 0; i < 2; i++)
        add_transcript_event(transcript, &(struct piece){.text = "one", .kind = UNFINISHED});
    bool is_complete = transcript_is_complete(transcript, &loss);
    transcript_free(transcript);
    capture_end(&capture);
    assert_true(is_complete_before);
    assert_false(is_complete);
    assert_int_equal(loss.error, OTA_E_OUTPUT);
    assert_int_equal(loss.cause, OTA_CAUSE_DISK_FULL);
    assert_string_equal(loss.message,
                        "the log could not be written to /dev/full: No space left on device");
    assert_string_equal(capture.text_out, "one\none\n");
}

/* Standard output is a pipe of one page; who reads it does so no more, or not for now. */
static int open_pipe(int *saved)
{
    int pipes[2];
    assert_int_equal(pipe(pipes), 0);
    assert_true(fcntl(pipes[1], F_SETPIPE_SZ, 4096) == 4096);
    fflush(stdout);
    *saved = dup(STDOUT_FILENO);
    assert_true(*saved >= 0 && dup2(pipes[1], STDOUT_FILENO) >= 0);
    close(pipes[1]);
    return pipes[0];
}

static void close_pipe(int saved)
{
    dup2(saved, STDOUT_FILENO);
    close(saved);
}

static void test_reader_gone(void **state)
{
    (void)state;
    char path[32], text[64];
    struct ota_failure loss;
    int saved;

    make_path(path);
    const struct transcript_settings settings = {.to_stdout = true, .path = path};
    signal(SIGPIPE, SIG_IGN);
    int reader = open_pipe(&saved);
    struct transcript *transcript = open_transcript(&settings);
    close(reader);
    add_transcript_event(transcript, &(struct piece){.text = "one"});
    add_transcript_event(transcript, &(struct piece){.text = "two"});
    bool is_complete = transcript_is_complete(transcript, &loss);
    bool is_read = transcript_is_read(transcript);
    transcript_free(transcript);
    close_pipe(saved);
    files_read_text(path, text, sizeof text);
    unlink(path);
    assert_true(is_complete); /* who has had enough misses nothing */
    assert_false(is_read);
    assert_string_equal(text, "one\ntwo\n");
}

/* Who does not read on is waited for, but not forever: also where half of a line fits. */
static void test_reader_asleep(void **state)
{
    (void)state;
    static unsigned char bytes[LINE_SPLITTER_MAX];
    struct ota_failure loss;
    const struct transcript_settings settings = {.to_stdout = true};
    int saved;

    memset(bytes, 1, sizeof bytes);
    int reader = open_pipe(&saved);
    alarm(20); /* a write that waits would do so forever */
    struct transcript *transcript = open_transcript(&settings);
    add_bytes(transcript, &(struct piece){.kind = WHOLE}, bytes, sizeof bytes);
    bool is_complete = transcript_is_complete(transcript, &loss);
    transcript_free(transcript);
    alarm(0);
    close_pipe(saved);
    close(reader);
    assert_false(is_complete);
    assert_string_equal(loss.message,
                        "the log could not be written to standard output: its reader has stopped");
}

/* A signal ends the wait, as time does; whatever errno was left before. */
static void test_waits(void **state)
{
    (void)state;

    static const struct {
        const char *waits;
        bool is_complete;
    } rows[] = {{"", true}, {"i", false}, {"t", false}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        static struct capture capture;
        struct ota_failure loss;
        const struct transcript_settings settings = {.to_stdout = true};
        capture_begin(&capture);
        struct transcript *transcript = open_transcript(&settings);
        waits = rows[i].waits;
        errno = EINTR;
        add_transcript_event(transcript, &(struct piece){.text = "one"});
        waits = "";
        bool is_complete = transcript_is_complete(transcript, &loss);
        transcript_free(transcript);
        capture_end(&capture);
        assert_int_equal(is_complete, rows[i].is_complete);
        assert_string_equal(capture.text_out, is_complete ? "one\n" : "");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_transcript_stories),
        cmocka_unit_test(test_endless_among_others),
        cmocka_unit_test(test_longest_line),
        cmocka_unit_test(test_wall_clock),
        cmocka_unit_test(test_colors),
        cmocka_unit_test(test_color_of_boards),
        cmocka_unit_test(test_nothing_on_stdout),
        cmocka_unit_test(test_appended),
        cmocka_unit_test(test_not_opened),
        cmocka_unit_test(test_transcript_full_disk),
        cmocka_unit_test(test_reader_gone),
        cmocka_unit_test(test_reader_asleep),
        cmocka_unit_test(test_waits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
