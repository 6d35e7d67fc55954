/*
 * inspect_text.c: text in any encoding, and its kind: pages and messages that were saved instead of
 * a download, sources, keys, firmware as text for other tools. Machine code is never taken for
 * text, as it always has control characters.
 */
#include "image/inspect_internal.h"

#include "base/hex.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

enum { HEAD_MAX = 1024, BOM_SIZE_UTF8 = 3 };

/* The beginning of the text in ASCII, without byte order mark and leading space. Other characters
 * are replaced by '?'. */
struct head {
    char text[HEAD_MAX];
    size_t length;
};

struct census {
    size_t ascii; /* printable characters, spaces and the controls of terminals and logs */
    size_t controls;
    size_t erased;  /* bytes of erased flash: 0xFF */
    size_t invalid; /* bytes that are not UTF-8 */
};

static bool is_text_byte(unsigned char byte)
{
    return (byte >= ' ' && byte < 0x7F) || (byte >= '\a' && byte <= '\r') || byte == 0x1B;
}

/* Returns the length of the UTF-8 sequence at offset; 0 if there is none. */
static size_t measure_utf8(struct view view, size_t offset)
{
    unsigned char first = view_u8(view, offset);
    size_t length = 0;

    if (first >= 0xC2 && first < 0xE0)
        length = 2;
    else if (first >= 0xE0 && first < 0xF0)
        length = 3;
    else if (first >= 0xF0 && first < 0xF5)
        length = 4;

    for (size_t i = 1; i < length; i++)
        if ((view_u8(view, offset + i) & 0xC0) != 0x80)
            return 0;
    return length;
}

/* Ends at one control character more than controls_max: most firmware soon has them. */
static struct census count_bytes(struct view view, size_t controls_max)
{
    struct census census = {0};
    size_t offset = 0;

    while (offset < view.size && census.controls <= controls_max) {
        unsigned char byte = view.data[offset];
        size_t length = byte < 0x80 ? 1 : measure_utf8(view, offset);

        census.erased += byte == 0xFF;
        if (is_text_byte(byte))
            census.ascii++;
        else if (byte < 0x80)
            census.controls++;
        else if (length == 0)
            census.invalid++;
        offset += length == 0 ? 1 : length;
    }
    return census;
}

/* One in ten random bytes is a control character. The longer a text without them, the more certain
 * the result. */
static bool is_bytewise_text(struct view view)
{
    enum { SURE_SIZE = 64, LOG_SIZE = 64 };
    const size_t noise_max = view.size / 200;
    struct census census = count_bytes(view, noise_max);

    if (view.size == 0)
        return false;

    if (census.controls == 0)
        return census.invalid <= view.size / 3 ||
               (view.size >= SURE_SIZE && census.ascii >= view.size / 50 &&
                census.erased <= view.size / 10);

    /* A log may contain some noise of the serial port. */
    return view.size >= LOG_SIZE && census.controls <= noise_max &&
           census.ascii >= view.size / 10 * 9;
}

/* Reads one unit of UTF-16 or UTF-32 (2 or 4 bytes), in either byte order. */
static uint32_t read_unit(struct view view, size_t offset, size_t unit_size, bool is_big)
{
    uint32_t unit = 0;

    for (size_t i = 0; i < unit_size; i++)
        unit |= (uint32_t)view_u8(view, offset + (is_big ? unit_size - 1 - i : i)) << (8 * i);
    return unit;
}

/* Without a byte order mark, at least nine of ten units must be ASCII. */
static bool is_wide_text(struct view view, size_t unit_size, bool is_big, bool has_mark)
{
    size_t units = view.size / unit_size;
    size_t ascii = 0;

    for (size_t i = has_mark; i < units; i++) {
        uint32_t unit = read_unit(view, i * unit_size, unit_size, is_big);

        if (unit < 0x80 && !is_text_byte((unsigned char)unit))
            return false;
        if (unit == 0xFFFE || unit == 0xFFFF || unit > 0x10FFFF)
            return false;

        ascii += unit < 0x80;
    }
    return units > 1 && (has_mark || ascii >= units - units / 10);
}

struct encoding {
    size_t unit_size; /* 1: bytes; 0: no text */
    bool is_big;
    size_t mark_size;
};

static struct encoding find_encoding(struct view view)
{
    static const struct {
        const char *mark;
        struct encoding encoding;
    } rows[] = {
        {"\xFF\xFE\0\0", {4, false, 4}},
        {"\0\0\xFE\xFF", {4, true, 4}},
        {"\xFF\xFE", {2, false, 2}},
        {"\xFE\xFF", {2, true, 2}},
    };
    bool has_mark = view_equals(view, 0, "\xEF\xBB\xBF", BOM_SIZE_UTF8);

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct encoding *encoding = &rows[i].encoding;

        if (view_equals(view, 0, rows[i].mark, encoding->mark_size) &&
            is_wide_text(view, encoding->unit_size, encoding->is_big, true))
            return *encoding;
    }

    for (size_t i = 0; i < 2; i++)
        if (is_wide_text(view, 2, i == 1, false))
            return (struct encoding){2, i == 1, 0};

    if (!is_bytewise_text(view))
        return (struct encoding){0, false, 0};
    return (struct encoding){1, false, has_mark ? BOM_SIZE_UTF8 : 0};
}

/* Text is sometimes padded to a whole sector with zeros or 0xFF, or ends with CP/M's Ctrl-Z. */
static struct view without_padding(struct view view)
{
    enum { PADDING_MAX = 4096, TEXT_MIN = 16 };
    size_t size = view.size;

    while (view.size > TEXT_MIN && size - view.size < PADDING_MAX &&
           memchr("\0\x1A\xFF", view.data[view.size - 1], 3) != NULL)
        view.size--;
    return view;
}

static void read_head(struct head *head, struct view view, const struct encoding *encoding)
{
    size_t offset = encoding->mark_size;

    head->length = 0;
    for (; head->length < HEAD_MAX - 1 && view_has(view, offset, encoding->unit_size);
         offset += encoding->unit_size) {
        uint32_t unit = read_unit(view, offset, encoding->unit_size, encoding->is_big);
        unsigned char character = unit < 0x80 ? (unsigned char)unit : '?';

        if (head->length > 0 || !isspace(character))
            head->text[head->length++] = (char)character;
    }
    head->text[head->length] = '\0';
}

static bool text_contains(const struct head *head, const char *text)
{
    size_t length = strlen(text);

    for (size_t i = 0; i + length <= head->length; i++)
        if (strncasecmp(head->text + i, text, length) == 0)
            return true;
    return false;
}

static size_t span_of_hex(const char *text)
{
    return strspn(text, HEX_DIGITS);
}

static bool is_web_page(const struct head *head)
{
    static const char *const marks[] = {"<html",  "<!doctype html", "<head",  "<body",
                                        "<title", "<script",        "<meta ", "<h1"};

    for (size_t i = 0; *head->text == '<' && i < sizeof marks / sizeof *marks; i++)
        if (text_contains(head, marks[i]))
            return true;
    return false;
}

static bool is_json(const struct head *head)
{
    const char *second = head->text + 1;

    if (*head->text != '{' && *head->text != '[')
        return false;
    second += strspn(second, " \t\r\n");
    return *second != '\0' && strchr(*head->text == '{' ? "\"}" : "\"{[]", *second) != NULL;
}

static bool is_s_record(const struct head *head)
{
    return *head->text == 'S' && isdigit((unsigned char)head->text[1]) &&
           span_of_hex(head->text + 2) >= 8;
}

/* Each line has an offset, then bytes, as written by xxd, od and hexdump -C. */
static bool is_hex_dump(const struct head *head)
{
    size_t offset = span_of_hex(head->text);
    const char *rest = head->text + offset;

    rest += strspn(rest, ": \t|");
    return offset >= 4 && offset <= 16 && rest > head->text + offset && span_of_hex(rest) >= 2 &&
           strchr(" \t\r\n", rest[span_of_hex(rest)]) != NULL;
}

/* Some servers answer with a line of plain text, as "404 page not found". */
static bool is_server_error(const struct head *head)
{
    const char *text = head->text;
    size_t digits = strspn(text, "0123456789");
    size_t blanks = strspn(text + digits, ": ");

    return (*text == '4' || *text == '5') && digits == 3 && blanks > 0 &&
           isalpha((unsigned char)text[digits + blanks]);
}

static bool text_consists_of(const struct head *head, const char *characters)
{
    return head->length >= 16 && strspn(head->text, characters) == head->length;
}

static bool is_hex_digits(const struct head *head)
{
    return text_consists_of(head, HEX_DIGITS " \t\r\n,x");
}

/* Prose is not taken for base64, as it has spaces or short lines. */
static bool is_base64(const struct head *head)
{
    size_t line = strcspn(head->text, "\r\n");

    return line >= 16 &&
           text_consists_of(head,
                            "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=-_"
                            "\r\n");
}

static bool is_uuencoded(const struct head *head)
{
    return strncmp(head->text, "begin ", 6) == 0 && span_of_hex(head->text + 6) >= 3;
}

static bool is_xml(const struct head *head)
{
    return *head->text == '<' && (isalpha((unsigned char)head->text[1]) ||
                                  (head->text[1] != '\0' && strchr("?!", head->text[1]) != NULL));
}

#define BUILD_REMEDY "send the .bin file of the build"
#define DOWNLOAD_REMEDY "did the download fail?"
#define DECODE_REMEDY "decode it first"

/* The first matching row counts. A row has the start of the text, or a function. */
static const struct text_kind {
    const char *start;
    bool (*fits)(const struct head *head);
    const char *what;
    const char *remedy;
} kinds[] = {
    {"version https://git-lfs", NULL, "a Git LFS pointer", "fetch the file itself (git lfs pull)"},
    {"version http://git-media", NULL, "a Git LFS pointer", "fetch the file itself (git lfs pull)"},
    {NULL, is_web_page, "a web page", DOWNLOAD_REMEDY},
    {"<svg", NULL, "an SVG picture", BUILD_REMEDY},
    {NULL, is_xml, "an XML document", DOWNLOAD_REMEDY},
    {NULL, is_json, "a JSON document", DOWNLOAD_REMEDY},
    {NULL, is_server_error, "a server's error message", DOWNLOAD_REMEDY},
    {"-----BEGIN ", NULL, "a PEM file (a key or a certificate)", BUILD_REMEDY},
    {"#!", NULL, "a script", BUILD_REMEDY},
    {"data:", NULL, "a data URL", DECODE_REMEDY},
    {"=ybegin ", NULL, "a yEnc file", DECODE_REMEDY},
    {NULL, is_uuencoded, "a uuencoded file", DECODE_REMEDY},
    {NULL, is_s_record, "a Motorola S-record file", BUILD_REMEDY},
    {NULL, is_hex_dump, "a hex dump", BUILD_REMEDY},
    {NULL, is_hex_digits, "a text file of hexadecimal digits", BUILD_REMEDY},
    {NULL, is_base64, "a base64 text file", DECODE_REMEDY},
    {"", NULL, "a text file", BUILD_REMEDY},
};

static bool is_text_kind(const struct text_kind *kind, const struct head *head)
{
    if (kind->fits)
        return kind->fits(head);
    return strncasecmp(head->text, kind->start, strlen(kind->start)) == 0;
}

bool inspect_text(struct inspection *inspection, struct view view)
{
    struct encoding encoding;
    const struct text_kind *kind = kinds;
    struct head head;

    encoding = find_encoding(view);
    if (encoding.unit_size == 0)
        encoding = find_encoding(without_padding(view));
    if (encoding.unit_size == 0)
        return false;

    read_head(&head, view, &encoding);
    while (!is_text_kind(kind, &head))
        kind++;
    inspect_set_foreign(inspection, INSPECT_TEXT, kind->what, kind->remedy);
    return true;
}
