/*
 * page_find.h: finds out which update page a board has, by GETs only: many handlers restart the
 * board on any POST. Pure: the caller sends the requests and gives the replies.
 */
#ifndef ESP_OTA_UPLOAD_WEB_PAGE_FIND_H
#define ESP_OTA_UPLOAD_WEB_PAGE_FIND_H

#include "esp-ota/error.h"
#include "http/reply.h"
#include "upload/web/form.h"
#include "upload/web/page_facts.h"
#include "upload/web/page_table.h"

enum { PAGE_FOUND_MAX = 480 };

/* Why the page takes no upload now. */
enum page_lock { PAGE_OPEN, PAGE_LOCKED, PAGE_PIN };

/* What a reply tells that is no update page, from least to most. */
enum page_hint {
    PAGE_HINT_NONE,
    PAGE_HINT_ERROR,
    PAGE_HINT_OTHER, /* a page, but none for uploads */
    PAGE_HINT_MOVED,
    PAGE_HINT_BUSY
};

struct page_finder {
    /* Given at the start. */
    const struct page *forced; /* --page; NULL: any */
    const char *own;           /* the path of the URL; "": none */
    const char *field;         /* --field; NULL: the page's */

    /* Where the search stands; private to page_find.c. */
    unsigned tried;      /* bits of the paths that were asked */
    bool was_redirected; /* by the last reply */
    bool is_over;
    bool has_broken_off; /* the reply to the last path, of which the whole is needed */
    bool has_choice;     /* found says that the user has to choose a field */
    enum page_hint hint; /* of the reply that found tells of */

    /* The result. */
    const struct page *page;        /* NULL: none yet */
    char get[FORM_TEXT_MAX];        /* the path at which the page was seen */
    char post[FORM_TEXT_MAX];       /* the path for the upload */
    char form_field[FORM_TEXT_MAX]; /* of a generic page; "": that of the table, or --field */
    size_t verdicts;                /* page_count_verdicts() of what the page shows */
    bool is_elegantota_2;
    enum page_lock lock;
    struct page_facts facts;
    char found[PAGE_FOUND_MAX]; /* what answered instead, for people: escaped, or "" */
    size_t own_length;          /* bytes of it that are ours, before the words of the page */
    enum ota_cause cause;       /* what that means: OTA_CAUSE_BUSY, OTA_CAUSE_MOVED */
};

/* The strings must outlive the finder. own: "" or "/" means that the usual paths are tried. */
void page_finder_start(struct page_finder *finder, const struct page *forced, const char *own,
                       const char *field);

/* The path to GET next; NULL: the search is over, with or without a page. */
const char *page_finder_path(const struct page_finder *finder);

/* Takes the reply to the GET of page_finder_path(), but no challenge that can be answered. */
void page_finder_take(struct page_finder *finder, const struct http_reply *reply);

#endif
