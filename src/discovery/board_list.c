/* board_list.c: a sorted array of boards, and the patterns that match them. */
#include "discovery/board_list.h"

#include "base/array.h"
#include "base/pattern.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define DIGITS "0123456789"

/* Compares the numbers at *a and *b by value, and moves both behind them. */
static int order_numbers(const char **a, const char **b)
{
    *a += strspn(*a, "0");
    *b += strspn(*b, "0");
    const size_t digits = strspn(*a, DIGITS), other_digits = strspn(*b, DIGITS);
    if (digits != other_digits)
        return digits < other_digits ? -1 : 1;

    const int order = memcmp(*a, *b, digits);
    *a += digits;
    *b += digits;
    return order;
}

/* Compares like strcasecmp(), but numbers by their value: "lab-2" comes before "lab-10". */
static int order_names(const char *a, const char *b)
{
    int order = 0;

    while (order == 0 && *a && *b)
        if (strspn(a, DIGITS) > 0 && strspn(b, DIGITS) > 0)
            order = order_numbers(&a, &b);
        else
            order = strncasecmp(a++, b++, 1);
    return order ? order : (*a != '\0') - (*b != '\0');
}

static int order_boards(const struct board *a, const char *instance, enum service service)
{
    int order = order_names(a->instance, instance);

    if (!order)
        order = strcmp(a->instance, instance);
    return order ? order : (int)a->service - (int)service;
}

/* Returns the index at which the board of the answer is, or belongs. */
static size_t find_board_place(const struct board_list *boards, const struct mdns_answer *answer)
{
    size_t first = 0, last = boards->count;

    while (first < last) {
        size_t middle = first + (last - first) / 2;
        if (order_boards(boards->items[middle], answer->instance, answer->service) < 0)
            first = middle + 1;
        else
            last = middle;
    }
    return first;
}

static struct board *insert_board(struct board_list *boards, size_t place, const char *instance,
                                  enum service service)
{
    struct board **items =
        array_grow(boards->items, boards->count, &boards->capacity, sizeof(void *));
    if (!items)
        return NULL;

    boards->items = items;
    struct board *board = calloc(1, sizeof *board);
    if (!board)
        return NULL;

    memcpy(board->instance, instance, sizeof board->instance);
    board->service = service;
    for (size_t i = boards->count++; i > place; i--)
        boards->items[i] = boards->items[i - 1];
    boards->items[place] = board;
    return board;
}

static void remove_board(struct board_list *boards, size_t place)
{
    free(boards->items[place]);
    boards->count--;
    for (size_t i = place; i < boards->count; i++)
        boards->items[i] = boards->items[i + 1];
}

static bool has_ipv4(bool has_address, const struct address *address)
{
    return has_address && address->any.sa_family == AF_INET;
}

static void update_board(struct board *board, const struct mdns_answer *answer)
{
    bool is_resolved = answer->host[0] != '\0' && !answer->is_further;
    bool is_worse = has_ipv4(board->has_address, &board->address) &&
                    !has_ipv4(answer->has_address, &answer->address);

    claims_add(&board->claims, answer);
    if (!is_resolved || is_worse)
        return;

    board->is_resolved = true;
    board->has_address = answer->has_address;
    board->address = answer->address;
    board->port = answer->port;
    board->password = answer->password;
    memcpy(board->host, answer->host, sizeof board->host);
    memcpy(board->type, answer->type, sizeof board->type);
    memcpy(board->version, answer->version, sizeof board->version);
    memcpy(board->pairs, answer->pairs, sizeof board->pairs);
    board->esphome = answer->esphome;
}

int board_list_add(struct board_list *boards, const struct mdns_answer *answer)
{
    size_t place = find_board_place(boards, answer);
    struct board *board = place < boards->count ? boards->items[place] : NULL;

    if (!board || order_boards(board, answer->instance, answer->service) != 0)
        board = insert_board(boards, place, answer->instance, answer->service);
    if (!board)
        return -1;

    update_board(board, answer);
    return 0;
}

int board_list_split(struct board_list *boards, size_t number, const struct address *addresses,
                     size_t count)
{
    struct board *const original = boards->items[number];
    const size_t before = boards->count;

    for (size_t i = 1; i < count; i++) {
        struct board *copy =
            insert_board(boards, number + i, original->instance, original->service);
        if (!copy) {
            while (boards->count > before)
                remove_board(boards, number + 1);
            return -1;
        }
        *copy = *original;
    }

    for (size_t i = 0; i < count; i++) {
        struct board *board = boards->items[number + i];

        board->is_ambiguous = true;
        board->has_address = true;
        board->address = addresses[i];
    }
    return 0;
}

const struct board *board_list_find(const struct board_list *boards,
                                    const struct mdns_answer *answer)
{
    size_t place = find_board_place(boards, answer);
    const struct board *board = place < boards->count ? boards->items[place] : NULL;

    return board && order_boards(board, answer->instance, answer->service) == 0 ? board : NULL;
}

void board_list_free(struct board_list *boards)
{
    for (size_t i = 0; i < boards->count; i++)
        free(boards->items[i]);
    free(boards->items);
    *boards = (struct board_list){0};
}

bool board_has_name(const struct board *board, const char *pattern)
{
    static const char local[] = ".local";
    char label[sizeof board->host];

    if (pattern_matches(pattern, board->instance))
        return true;
    if (!board->is_resolved)
        return false;

    memcpy(label, board->host, sizeof label);
    size_t length = strlen(label);
    if (length >= strlen(local) && strcasecmp(label + length - strlen(local), local) == 0)
        label[length - strlen(local)] = '\0';

    /* "*a*" must not match just because of the "a" in ".local". */
    return pattern_matches(pattern, label) ||
           (strchr(pattern, '.') && pattern_matches(pattern, board->host));
}

bool board_has_type(const struct board *board, const char *pattern)
{
    return board->is_resolved && pattern_matches(pattern, board->type);
}
