/*
 * board_table.c: the two forms of a list of boards, and the width of characters in a terminal.
 */
#include "output/board_table.h"

#include "base/escape.h"

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
    COLUMN_REMARK, /* the plain form has the protocol here */
    COLUMN_COUNT
};

enum { CELL_MAX = 4 * MDNS_NAME_MAX + 4, GAP = 2 };

struct row {
    char cells[COLUMN_COUNT][CELL_MAX];
};

static const struct row heading = {
    {"INSTANCE", "HOST", "ADDRESS", "PORT", "BOARD", "PASSWORD", ""}};

static void set_cell(struct row *row, enum column column, const char *text)
{
    snprintf(row->cells[column], CELL_MAX, "%s", text);
}

static const char *flag_text(enum txt_record_flag flag)
{
    static const char *const answers[] = {[TXT_UNKNOWN] = "?", [TXT_NO] = "no", [TXT_YES] = "yes"};
    return answers[flag];
}

/* Fills in all columns but the remark. Unknown fields become "-", so that no field is empty. */
static void fill_row(struct row *row, const struct board *board)
{
    for (int i = 0; i < COLUMN_COUNT; i++)
        set_cell(row, (enum column)i, "-");
    escape_string(row->cells[COLUMN_INSTANCE], CELL_MAX, board->instance);
    set_cell(row, COLUMN_PASSWORD, flag_text(board->password));
    if (!board->is_resolved)
        return;

    escape_string(row->cells[COLUMN_HOST], CELL_MAX, board->host);
    snprintf(row->cells[COLUMN_PORT], CELL_MAX, "%u", board->port);
    if (board->has_address)
        address_text(row->cells[COLUMN_ADDRESS], &board->address);
    if (board->type[0])
        escape_string(row->cells[COLUMN_TYPE], CELL_MAX, board->type);
}

static void fill_plain(struct row *row, const struct board *board)
{
    fill_row(row, board);
    if (board->is_resolved)
        set_cell(row, COLUMN_REMARK, board_speaks_espota(board) ? "espota" : "other");
}

static void fill_table(struct row *row, const struct board *board)
{
    const char *remark = "";
    if (!board->is_resolved)
        remark = "does not answer";
    else if (!board_speaks_espota(board))
        remark = "other protocol";
    else if (board->is_ambiguous)
        remark = "shares its name";

    fill_row(row, board);
    set_cell(row, COLUMN_REMARK, remark);
}

void board_table_print_plain(FILE *stream, const struct board_list *boards)
{
    struct row row;

    for (size_t i = 0; i < boards->count; i++) {
        fill_plain(&row, boards->items[i]);

        for (int column = 0; column < COLUMN_COUNT; column++)
            fprintf(stream, "%s%s", column > 0 ? "\t" : "", row.cells[column]);
        fputs(boards->items[i]->is_ambiguous ? "\tambiguous\n" : "\n", stream);
    }
}

/* Counts the columns of text in the current locale. In a locale without UTF-8, every character
 * counts as one column. */
static size_t count_columns(const char *text)
{
    mbstate_t state = {0};
    size_t width = 0;
    wchar_t character;

    for (const char *end = text + strlen(text); text < end;) {
        size_t length = mbrtowc(&character, text, (size_t)(end - text), &state);
        bool is_converted = length > 0 && length <= (size_t)(end - text);
        bool is_first_byte = (*text & 0xC0) != 0x80;

        if (is_converted) {
            int columns = wcwidth(character);
            if (columns > 0)
                width += (size_t)columns;
            text += length;
        } else {
            if (is_first_byte)
                width++;
            memset(&state, 0, sizeof state);
            text++;
        }
    }
    return width;
}

size_t board_table_width(const char *text)
{
    locale_t unicode = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
    if (!unicode)
        return count_columns(text);

    locale_t before = uselocale(unicode);
    size_t width = count_columns(text);
    uselocale(before);
    freelocale(unicode);
    return width;
}

static void widen_columns(size_t widths[COLUMN_COUNT], const struct row *row)
{
    for (int column = 0; column < COLUMN_COUNT; column++) {
        size_t width = board_table_width(row->cells[column]);
        if (width > widths[column])
            widths[column] = width;
    }
}

static void print_board_row(FILE *stream, const size_t widths[COLUMN_COUNT], const struct row *row)
{
    size_t missing = 0; /* spaces before the next cell */

    for (int column = 0; column < COLUMN_COUNT; column++) {
        const char *cell = row->cells[column];
        if (*cell)
            fprintf(stream, "%*s%s", (int)missing, "", cell);
        missing = widths[column] - board_table_width(cell) + GAP;
    }
    putc('\n', stream);
}

void board_table_print_table(FILE *stream, const struct board_list *boards)
{
    size_t widths[COLUMN_COUNT] = {0};
    struct row row;

    widen_columns(widths, &heading);
    for (size_t i = 0; i < boards->count; i++) {
        fill_table(&row, boards->items[i]);
        widen_columns(widths, &row);
    }

    print_board_row(stream, widths, &heading);
    for (size_t i = 0; i < boards->count; i++) {
        fill_table(&row, boards->items[i]);
        print_board_row(stream, widths, &row);
    }
}
