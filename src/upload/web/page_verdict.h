/*
 * page_verdict.h: what the reply to an upload means. Pure.
 */
#ifndef ESP_OTA_UPLOAD_WEB_PAGE_VERDICT_H
#define ESP_OTA_UPLOAD_WEB_PAGE_VERDICT_H

#include "http/reply.h"
#include "upload/web/page_table.h"
#include "upload/web/page_text.h"

#include <stdbool.h>
#include <stddef.h>

enum page_verdict {
    PAGE_ACCEPTED,     /* the board has the image, as page->proof says */
    PAGE_REFUSED,      /* the board has refused it; text says why */
    PAGE_UNAUTHORIZED, /* the password is wrong, or missing, and nothing was written */
    PAGE_ABSENT,       /* nothing takes uploads at this path */
    PAGE_UNCLEAR,      /* the image may be installed or not; text is the reply */
};

/* Judges the reply of the page to an upload. Words count more than the status, and words of failure
 * more than those of success; a success needs its words or its status, except on generic pages,
 * where a text may also say nothing. JSON has to say that it is one, and so has the upload page if
 * it comes again: it has to show more words for a result than before (verdicts_before, of
 * page_count_verdicts()), which may be instructions. A page that is no more than a sketch's
 * (PAGE_PROOF_RECEIVED) may also refuse, or leave open, in words of its own (page_words.h). A
 * redirect is no success, whatever else the reply says, if it leads to another host, a login or an
 * error, if that is not clear, or if its status says that the upload belongs elsewhere. text is
 * escaped, perhaps "". */
enum page_verdict page_judge(char text[PAGE_TEXT_MAX], const struct page *page,
                             size_t verdicts_before, const struct http_reply *reply);

/* Whether the reply says that there is no such page, or none for this method. */
bool page_is_absent(const struct http_reply *reply);

/* Whether the status says to come back later. */
bool page_is_busy(unsigned status);

/* Whether the reply is a redirect to another scheme, host or port, or it is not clear where to. */
bool page_leads_elsewhere(const struct http_reply *reply);

/* Whether the reply is a redirect to a login page, at once or by its header Refresh. */
bool page_leads_to_login(const struct http_reply *reply);

#endif
