/*
 * page.c: the page for people. It is drawn here, and escapes all that it shows. The script only
 * replaces the part that changes; without scripts, the page reloads by itself.
 */
#include "base/escape.h"
#include "base/text_stream.h"
#include "base/units.h"
#include "serve/html.h"
#include "serve/serve_internal.h"

#include <stdlib.h>

const char SERVE_STYLE[] =
    ":root { color-scheme: light dark; --back: #fff; --text: #1b1f24; --soft: #57606a;\n"
    "  --line: #d0d7de; --good: #116329; --bad: #a40e26; --busy: #0550ae; }\n"
    "@media (prefers-color-scheme: dark) {\n"
    "  :root { --back: #0d1117; --text: #e6edf3; --soft: #9da7b3; --line: #30363d;\n"
    "    --good: #56d364; --bad: #ff7b72; --busy: #79c0ff; } }\n"
    "body { margin: 0 auto; max-width: 70rem; padding: 1rem; background: var(--back);\n"
    "  color: var(--text); font: 1rem/1.5 system-ui, sans-serif; }\n"
    "h1 { font-size: 1.4rem; margin: 0; overflow-wrap: anywhere; }\n"
    "p { margin: .25rem 0; color: var(--soft); overflow-wrap: anywhere; }\n"
    "code { font-size: .85rem; }\n"
    "ul { display: flex; flex-wrap: wrap; gap: .25rem 1.5rem; margin: 1rem 0; padding: 0;\n"
    "  list-style: none; }\n"
    "strong { font-size: 1.2rem; }\n"
    "table { width: 100%; border-collapse: collapse; }\n"
    "caption { text-align: left; color: var(--soft); }\n"
    "th, td { padding: .5rem .75rem .5rem 0; border-bottom: 1px solid var(--line);\n"
    "  text-align: left; vertical-align: top; overflow-wrap: anywhere; }\n"
    "tbody th { min-width: 11rem; }\n" /* a MAC stays in one line */
    "thead th, .short { white-space: nowrap; }\n"
    "progress { display: block; width: 100%; max-width: 16rem; height: .75rem; accent-color: "
    "var(--busy); }\n"
    "small { font-weight: normal; color: var(--soft); display: block; }\n"
    ".confirmed { color: var(--good); } .failed { color: var(--bad); } .busy { color: "
    "var(--busy); }\n"
    "@media (max-width: 40rem) {\n"
    "  thead { position: absolute; width: 1px; height: 1px; overflow: hidden;\n"
    "    clip-path: inset(50%); }\n"
    "  table, caption, tbody { display: block; }\n"
    "  tr { display: block; padding: .75rem 0; border-bottom: 1px solid var(--line); }\n"
    "  td, tbody th { display: block; min-width: 0; padding: 0; border: 0; }\n"
    "  td[data-label]::before { content: attr(data-label) \": \"; color: var(--soft); }\n"
    "  progress { max-width: none; } }\n";

const char SERVE_SCRIPT[] =
    "\"use strict\";\n"
    "let isFetching = false;\n"
    "async function redraw() {\n"
    "  if (isFetching) return;\n"
    "  isFetching = true;\n"
    "  try {\n"
    "    const here = location.origin + location.pathname; // without a password, which fetch() "
    "rejects\n"
    "    const text = await (await fetch(here, {cache: \"no-store\"})).text();\n"
    "    const fresh = new DOMParser().parseFromString(text, "
    "\"text/html\").querySelector(\"main\");\n"
    "    if (fresh) document.querySelector(\"main\").replaceWith(fresh);\n"
    "  } finally {\n"
    "    isFetching = false;\n"
    "  }\n"
    "}\n"
    "new EventSource(\"events\").onmessage = () => redraw().catch(() => {});\n";

static const char PAGE_HEAD[] =
    "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
    "<title>esp-ota serves firmware</title>\n"
    "<link rel=\"icon\" href=\"data:,\">\n"
    "<link rel=\"stylesheet\" href=\"page.css\">\n"
    "<script src=\"page.js\" defer></script>\n"
    "<noscript><meta http-equiv=\"refresh\" content=\"5\"></noscript>\n"
    "</head>\n<body>\n<main>\n";

static const char PAGE_END[] = "</main>\n</body>\n</html>\n";

/* How each state looks. */
static const char *const state_classes[BOOK_STATES] = {
    [BOOK_SILENT] = "silent",   [BOOK_ASKED] = "asked",    [BOOK_REFUSED] = "failed",
    [BOOK_FETCHING] = "busy",   [BOOK_FETCHED] = "busy",   [BOOK_CONFIRMED] = "confirmed",
    [BOOK_GIVEN_UP] = "failed", [BOOK_SKIPPED] = "silent",
};

/* Bytes of a file's name can be anything. */
static void write_name(FILE *page, const char *name)
{
    char shown[1024];

    html_write(page, escape_string(shown, sizeof shown, name));
}

static void write_offer(FILE *page, const struct offer *offer)
{
    const struct offer_bytes *plain = &offer->forms[OFFER_PLAIN];
    const struct offer_bytes *packed = &offer->forms[OFFER_PACKED];
    char size[UNITS_TEXT_MAX];

    fputs("<h1>", page);
    write_name(page, offer->name);
    fputs("</h1>\n<p>", page);
    html_write(page, plain->inspection->name);
    fprintf(page, ", %s", format_size(size, plain->size));
    if (packed->data)
        fprintf(page, ", compressed %s", format_size(size, packed->size));
    if (offer->version) {
        fputs(", version ", page);
        write_name(page, offer->version);
    }
    fprintf(page, "</p>\n<p>MD5 <code>%s</code></p>\n", plain->md5);
}

static void write_counts(FILE *page, const struct book *book)
{
    static const struct {
        enum book_state state;
        const char *label;
    } rows[] = {{BOOK_CONFIRMED, "confirmed"},         {BOOK_FETCHING, "downloading"},
                {BOOK_FETCHED, "taken, not back yet"}, {BOOK_ASKED, "waiting"},
                {BOOK_SILENT, "not asked yet"},        {BOOK_REFUSED, "refused"},
                {BOOK_GIVEN_UP, "given up"},           {BOOK_SKIPPED, "skipped"}};

    fprintf(page, "<ul>\n<li><strong>%zu</strong> board%s</li>\n", book->count,
            book->count == 1 ? "" : "s");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const size_t count = book_count_state(book, rows[i].state);
        if (count)
            fprintf(page, "<li><strong class=\"%s\">%zu</strong> %s</li>\n",
                    state_classes[rows[i].state], count, rows[i].label);
    }
    fputs("</ul>\n", page);
}

static void write_progress(FILE *page, const struct book_board *board)
{
    char bytes[UNITS_TEXT_MAX], total[UNITS_TEXT_MAX];

    fputs("<progress aria-label=\"download of ", page);
    html_write(page, board->label);
    fprintf(page, "\" max=\"%zu\" value=\"%zu\"></progress><small>%s of %s</small>", board->total,
            board->bytes, format_part(bytes, board->bytes, board->total),
            format_size(total, board->total));
}

static void write_since(FILE *page, int64_t since_us)
{
    const int64_t seconds = (loop_now_us() - since_us) / SECONDS(1);

    if (seconds < 120)
        fprintf(page, "%d s ago", (int)seconds);
    else if (seconds < 7200)
        fprintf(page, "%d min ago", (int)(seconds / 60));
    else
        fprintf(page, "%d h ago", (int)(seconds / 3600));
}

static void write_state(FILE *page, const struct book_board *board)
{
    fprintf(page, "<td data-label=\"State\"><span class=\"%s\">%s</span>",
            state_classes[board->state], book_state_name(board->state));
    if (board->is_canary)
        fputs(" (canary)", page);
    if (board->state == BOOK_FETCHING)
        write_progress(page, board);
    if (board->failures) {
        fprintf(page, "<small>came back without the image: %u</small>", board->failures);
    }
    if (*board->reason && board->state != BOOK_CONFIRMED) {
        fputs("<small>", page);
        html_write(page, board->reason);
        fputs("</small>", page);
    }
    fputs("</td>", page);
}

static void write_board(FILE *page, const struct book_board *board)
{
    char address[ADDRESS_TEXT_MAX] = "";

    fputs("<tr><th scope=\"row\">", page);
    html_write(page, board->label);
    if (board->has_address)
        fprintf(page, "<small>%s</small>", address_text(address, &board->address));
    fprintf(page, "</th><td class=\"short\" data-label=\"Chip\">%s</td><td data-label=\"Version\">",
            board->family ? fetcher_family_name(board->family) : "unknown");
    html_write(page, *board->version ? board->version : "not told");
    fputs("</td>", page);
    write_state(page, board);
    fputs("<td class=\"short\" data-label=\"Asked\">", page);
    if (board->asked_us)
        write_since(page, board->asked_us);
    else
        fputs("never", page);
    fputs("</td></tr>\n", page);
}

static void write_boards(FILE *page, const struct book *book)
{
    fputs("<table>\n<caption>Boards</caption>\n<thead><tr><th scope=\"col\">Board</th>"
          "<th scope=\"col\">Chip</th><th scope=\"col\">Version</th><th scope=\"col\">State</th>"
          "<th scope=\"col\">Asked</th></tr></thead>\n<tbody>\n",
          page);
    for (size_t i = 0; i < book->count; i++)
        write_board(page, book->boards[i]);
    fputs("</tbody>\n</table>\n", page);
}

char *serve_page(struct serve *serve)
{
    const struct book *book = serve->config.book;
    struct text_stream text;
    if (!text_stream_open(&text))
        return NULL;

    FILE *page = text.file;

    fputs(PAGE_HEAD, page);
    for (size_t i = 0; i < serve->config.offer_count; i++)
        write_offer(page, &serve->config.offers[i]);
    write_counts(page, book);
    if (book->count)
        write_boards(page, book);
    else
        fputs("<p>No board has asked yet.</p>\n", page);
    fputs(PAGE_END, page);

    text_stream_close(&text);
    return text.bytes;
}
