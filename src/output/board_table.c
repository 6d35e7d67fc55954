/*
 * board_table.c: the two forms of a list of boards, and the width of characters in a terminal.
 */
#include "output/board_table.h"

#include "base/escape.h"
#include "base/text.h"
#include "upload/protocols.h"

#include <locale.h>
#include <string.h>
#include <wchar.h>

enum column {
    COLUMN_INSTANCE,
    COLUMN_HOST,
    COLUMN_ADDRESS,
    COLUMN_PORT,
    COLUMN_TYPE,
    COLUMN_PASSWORD,
    COLUMN_PROTOCOL,
    COLUMN_AMBIGUOUS,
    COLUMN_VERSION,
    COLUMN_PLAIN_COUNT, /* the plain form has those above, in this order */
    COLUMN_REMARK = COLUMN_PLAIN_COUNT,
    COLUMN_COUNT
};

/* The columns of a table. */
static const enum column table_columns[] = {COLUMN_INSTANCE, COLUMN_HOST,  COLUMN_ADDRESS,
                                            COLUMN_PORT,     COLUMN_TYPE,  COLUMN_PASSWORD,
                                            COLUMN_VERSION,  COLUMN_REMARK};
/* The least widths of columns in a narrow terminal; 0: the column is not shortened. Names have room
 * before all else: they tell boards apart. The end of a version matters: "ESPHome 2026.9.0". */
static const size_t least_widths[COLUMN_COUNT] = {
    [COLUMN_INSTANCE] = 24, [COLUMN_HOST] = 16, [COLUMN_TYPE] = 10, [COLUMN_VERSION] = 17};
/* The columns that are shortened before the others, in this order. */
static const enum column shortened_columns[] = {COLUMN_VERSION, COLUMN_HOST};
/* What to do if that is not enough, in this order: give a column a smaller least width, or leave it
 * out (0). */
static const struct {
    enum column column;
    size_t least_width;
} cuts[] = {{COLUMN_HOST, 0},    {COLUMN_PASSWORD, 0}, {COLUMN_PORT, 0},    {COLUMN_VERSION, 7},
            {COLUMN_VERSION, 0}, {COLUMN_TYPE, 0},     {COLUMN_ADDRESS, 0}, {COLUMN_REMARK, 0}};

enum { TABLE_COLUMNS = sizeof table_columns / sizeof *table_columns };
enum { CELL_MAX = 4 * MDNS_NAME_MAX + 4, GAP = 2, LAST_COLUMN_MIN = 4 };

struct row {
    char cells[COLUMN_COUNT][CELL_MAX];
};

static void set_cell(struct row *row, enum column column, const char *text)
{
    snprintf(row->cells[column], CELL_MAX, "%s", text);
}

static const char *flag_text(enum txt_record_flag flag)
{
    static const char *const answers[] = {[TXT_UNKNOWN] = "?", [TXT_NO] = "no", [TXT_YES] = "yes"};
    return answers[flag];
}

/* "acme.lamp 1.2, ESPHome 2026.9.0": the version of a board without ESPHome as it is. */
static void describe_version(char text[CELL_MAX], const struct board *board)
{
    const struct esphome_record *esphome = &board->esphome;
    char shown[CELL_MAX];

    *text = '\0';
    if (!*esphome->version) {
        escape_string(text, CELL_MAX, board->version);
        return;
    }
    if (*esphome->project)
        text_append(text, CELL_MAX, "%s ", escape_string(shown, sizeof shown, esphome->project));
    if (*esphome->project_version)
        text_append(text, CELL_MAX, "%s, ",
                    escape_string(shown, sizeof shown, esphome->project_version));
    text_append(text, CELL_MAX, "ESPHome %s", escape_string(shown, sizeof shown, esphome->version));
}

/* Unknown fields become "-", so that no field is empty. */
static void fill_row(struct row *row, const struct board *board)
{
    for (int i = 0; i < COLUMN_COUNT; i++)
        set_cell(row, (enum column)i, "-");
    escape_string(row->cells[COLUMN_INSTANCE], CELL_MAX, board->instance);
    set_cell(row, COLUMN_PASSWORD, flag_text(board->password));
    if (board->is_ambiguous)
        set_cell(row, COLUMN_AMBIGUOUS, "ambiguous");
    if (!board->is_resolved)
        return;

    escape_string(row->cells[COLUMN_HOST], CELL_MAX, board->host);
    if (service_tells_port(board->service))
        snprintf(row->cells[COLUMN_PORT], CELL_MAX, "%u", board->port);
    set_cell(row, COLUMN_PROTOCOL, protocols_name_for(board));
    if (board->has_address)
        address_text(row->cells[COLUMN_ADDRESS], &board->address);
    if (board->type[0])
        escape_string(row->cells[COLUMN_TYPE], CELL_MAX, board->type);
    if (board->version[0])
        escape_string(row->cells[COLUMN_VERSION], CELL_MAX, board->version);
}

void board_table_print_plain(FILE *stream, const struct board_list *boards)
{
    struct row row;

    for (size_t i = 0; i < boards->count; i++) {
        fill_row(&row, boards->items[i]);

        for (int column = 0; column < COLUMN_PLAIN_COUNT; column++)
            fprintf(stream, "%s%s", column > 0 ? "\t" : "", row.cells[column]);
        putc('\n', stream);
    }
}

/* -- the width of text -- */

/* Finds the longest start of text that takes up at most limit columns in the current locale: sets
 * its width, and returns its length in bytes. In a locale without UTF-8, every character counts as
 * one column. */
static size_t measure(const char *text, size_t limit, size_t *width)
{
    mbstate_t state = {0};
    const char *at = text, *end = text + strlen(text);
    wchar_t character;

    *width = 0;
    while (at < end) {
        size_t length = mbrtowc(&character, at, (size_t)(end - at), &state);
        bool is_converted = length > 0 && length <= (size_t)(end - at);
        bool is_first_byte = (*at & 0xC0) != 0x80;
        int columns = is_converted ? wcwidth(character) : is_first_byte;

        if (columns > 0 && *width + (size_t)columns > limit)
            break;
        *width += columns > 0 ? (size_t)columns : 0;
        at += is_converted ? length : 1;
        if (!is_converted)
            memset(&state, 0, sizeof state);
    }
    return (size_t)(at - text);
}

static size_t measure_unicode(const char *text, size_t limit, size_t *width)
{
    locale_t unicode = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
    if (!unicode)
        return measure(text, limit, width);

    locale_t before = uselocale(unicode);
    size_t length = measure(text, limit, width);
    uselocale(before);
    freelocale(unicode);
    return length;
}

size_t board_table_width(const char *text)
{
    size_t width;

    measure_unicode(text, SIZE_MAX, &width);
    return width;
}

/* -- the table -- */

/* Whether any board announces its firmware's version. */
static bool has_versions(const struct board_list *boards)
{
    for (size_t i = 0; i < boards->count; i++)
        if (boards->items[i]->is_resolved && boards->items[i]->version[0])
            return true;
    return false;
}

/* What depends on the boards, and on the width of the terminal. */
struct table_form {
    bool has_version;
    bool is_brief; /* "esphome" instead of "--protocol esphome" */
};

static void fill_heading(struct row *row, const struct table_form *form)
{
    static const char *const titles[COLUMN_COUNT] = {
        [COLUMN_INSTANCE] = "INSTANCE", [COLUMN_HOST] = "HOST",  [COLUMN_ADDRESS] = "ADDRESS",
        [COLUMN_PORT] = "PORT",         [COLUMN_TYPE] = "BOARD", [COLUMN_PASSWORD] = "PASSWORD",
        [COLUMN_VERSION] = "VERSION"};

    for (int i = 0; i < COLUMN_COUNT; i++)
        set_cell(row, (enum column)i, titles[i] ? titles[i] : "");
    if (!form->has_version)
        set_cell(row, COLUMN_VERSION, "");
}

static void fill_table_row(struct row *row, const struct board *board,
                           const struct table_form *form)
{
    const char *remark = "";
    char option[CELL_MAX];

    snprintf(option, sizeof option, "%s%s%s", form->is_brief ? "" : "--protocol ",
             protocols_name_for(board), board->esphome.is_encrypted ? ", encrypted" : "");
    if (!board->is_resolved)
        remark = "does not answer";
    else if (board->is_ambiguous)
        remark = "shares its name";
    else if (!protocols_for(board))
        remark = "other protocol";
    else if (protocols_for(board) != protocols[0])
        remark = option;

    fill_row(row, board);
    if (*board->version)
        describe_version(row->cells[COLUMN_VERSION], board);
    set_cell(row, COLUMN_REMARK, remark);
    if (!form->has_version)
        set_cell(row, COLUMN_VERSION, "");
}

static void widen_columns(size_t widths[COLUMN_COUNT], const struct row *row)
{
    for (int column = 0; column < COLUMN_COUNT; column++) {
        size_t width = board_table_width(row->cells[column]);
        if (width > widths[column])
            widths[column] = width;
    }
}

static size_t total_width(const size_t widths[COLUMN_COUNT])
{
    size_t total = 0;

    for (size_t i = 0; i < TABLE_COLUMNS; i++)
        if (widths[table_columns[i]])
            total += (total ? GAP : 0) + widths[table_columns[i]];
    return total;
}

/* The widths of columns, and how narrow they can be. */
struct fit {
    size_t *widths;
    size_t least[COLUMN_COUNT]; /* 0: not narrower than it is */
};

static bool can_narrow(const struct fit *fit, enum column column)
{
    return fit->least[column] && fit->widths[column] > fit->least[column];
}

/* Whether the table fits if its columns are as narrow as they can be. */
static bool can_fit(const struct fit *fit, size_t limit)
{
    size_t narrowest[COLUMN_COUNT];

    for (int i = 0; i < COLUMN_COUNT; i++)
        narrowest[i] = can_narrow(fit, (enum column)i) ? fit->least[i] : fit->widths[i];
    return total_width(narrowest) <= limit;
}

/* The width to lessen next: of one of the columns that are shortened before the others, or else the
 * greatest; NULL: none can be lessened. */
static size_t *find_wide(const struct fit *fit)
{
    size_t *widest = NULL;

    for (size_t i = 0; i < sizeof shortened_columns / sizeof *shortened_columns; i++)
        if (can_narrow(fit, shortened_columns[i]))
            return &fit->widths[shortened_columns[i]];
    for (int i = 0; i < COLUMN_COUNT; i++)
        if (can_narrow(fit, (enum column)i) && (!widest || fit->widths[i] > *widest))
            widest = &fit->widths[i];
    return widest;
}

/* Narrows columns, one by one, until the table fits or none can be narrowed further. */
static void narrow_columns(const struct fit *fit, size_t limit)
{
    while (total_width(fit->widths) > limit) {
        size_t *wide = find_wide(fit);

        if (!wide)
            return;
        --*wide;
    }
}

void board_table_shorten(char *text, size_t width)
{
    static const char dots[] = "...";
    size_t used;

    if (board_table_width(text) > width)
        memcpy(text + measure_unicode(text, width - strlen(dots), &used), dots, sizeof dots);
}

static void print_table_row(FILE *stream, const size_t widths[COLUMN_COUNT], struct row *row)
{
    size_t missing = 0; /* spaces before the next cell */

    for (size_t i = 0; i < TABLE_COLUMNS; i++) {
        const enum column column = table_columns[i];
        char *cell = row->cells[column];
        if (!widths[column])
            continue;

        board_table_shorten(cell, widths[column]);
        if (*cell) {
            fprintf(stream, "%*s%s", (int)missing, "", cell);
            missing = 0;
        }
        missing += widths[column] - board_table_width(cell) + GAP;
    }
    putc('\n', stream);
}

/* Fills in the widths of a table in which nothing is shortened. */
static void measure_table(size_t widths[COLUMN_COUNT], const struct board_list *boards,
                          const struct table_form *form)
{
    struct row row;

    memset(widths, 0, COLUMN_COUNT * sizeof *widths);
    fill_heading(&row, form);
    widen_columns(widths, &row);
    for (size_t i = 0; i < boards->count; i++) {
        fill_table_row(&row, boards->items[i], form);
        widen_columns(widths, &row);
    }
}

/* Changes widths so that the table fits into limit columns. */
static void fit_table(size_t widths[COLUMN_COUNT], size_t limit)
{
    struct fit fit = {.widths = widths};

    memcpy(fit.least, least_widths, sizeof fit.least);
    for (size_t i = 0; i < sizeof cuts / sizeof *cuts && !can_fit(&fit, limit); i++) {
        fit.least[cuts[i].column] = cuts[i].least_width;
        if (cuts[i].least_width == 0)
            widths[cuts[i].column] = 0;
    }

    narrow_columns(&fit, limit);
    if (total_width(widths) > limit) /* only the names are left */
        widths[COLUMN_INSTANCE] = limit > LAST_COLUMN_MIN ? limit : LAST_COLUMN_MIN;
}

void board_table_print_table(FILE *stream, const struct board_list *boards, size_t width)
{
    struct table_form form = {.has_version = has_versions(boards)};
    size_t widths[COLUMN_COUNT];
    struct row row;

    measure_table(widths, boards, &form);
    if (width && total_width(widths) > width) {
        form.is_brief = true;
        measure_table(widths, boards, &form);
    }
    if (width)
        fit_table(widths, width);

    fill_heading(&row, &form);
    print_table_row(stream, widths, &row);
    for (size_t i = 0; i < boards->count; i++) {
        fill_table_row(&row, boards->items[i], &form);
        print_table_row(stream, widths, &row);
    }
}
