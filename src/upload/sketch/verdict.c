/* verdict.c: a table of the statuses of sketch servers. */
#include "upload/sketch/verdict.h"

#include "base/error.h"
#include "http/status.h"

#include <string.h>

static const struct sketch_status {
    unsigned status;
    const char *text; /* the body, if there is one */
    enum ota_error error;
    enum ota_cause cause;
    const char *message;
} sketch_statuses[] = {
    {200, "OK", OTA_OK, OTA_CAUSE_NONE, ""},
    {400, "Bad Request", OTA_E_BOARD, OTA_CAUSE_NONE,
     "the board did not read the size of the image"},
    {401, "Unauthorized", OTA_E_WRONG_PASSWORD, OTA_CAUSE_PASSWORD_REJECTED,
     "the board rejected the password with the image, which it had accepted before"},
    {404, "Not Found", OTA_E_BOARD, OTA_CAUSE_NONE,
     "the board did not read the first line of the request"},
    {413, "Payload Too Large", OTA_E_BOARD, OTA_CAUSE_NO_SPACE,
     "the board says that the image is too large for it"},
    {414, "Payload size wrong", OTA_E_BOARD, OTA_CAUSE_NONE,
     "the board says that it did not get every byte of the image"},
    {500, "Internal Server Error", OTA_E_BOARD, OTA_CAUSE_NO_SPACE,
     "the board cannot open its storage for an image of this size"},
};

static const struct sketch_status *find_status(const struct http_reply *reply)
{
    const char *text = http_reply_text(reply);

    for (size_t i = 0; i < sizeof sketch_statuses / sizeof *sketch_statuses; i++)
        if (sketch_statuses[i].status == reply->status &&
            (!*text || strcmp(text, sketch_statuses[i].text) == 0))
            return &sketch_statuses[i];
    return NULL;
}

enum sketch_door sketch_judge_door(const struct http_reply *reply)
{
    if (!find_status(reply) || reply->challenge.scheme != CHALLENGE_NONE)
        return SKETCH_DOOR_FOREIGN;
    if (reply->status == STATUS_BAD_REQUEST)
        return SKETCH_DOOR_OPEN;
    if (reply->status == STATUS_UNAUTHORIZED)
        return SKETCH_DOOR_LOCKED;
    return reply->status == STATUS_NOT_FOUND ? SKETCH_DOOR_ABSENT : SKETCH_DOOR_FOREIGN;
}

void sketch_judge_upload(struct ota_failure *failure, const struct http_reply *reply,
                         bool is_acknowledged)
{
    /* A reply that broke off is no confirmation. Some servers send no body, and no length then. */
    const struct sketch_status *row = http_reply_falls_short(reply) ? NULL : find_status(reply);

    if (row && (row->error != OTA_OK || is_acknowledged)) {
        ota_fail(failure, row->error, "%s", row->message);
        failure->cause = row->cause;
    } else if (row) {
        ota_fail(failure, OTA_E_EARLY_OK, "the board replied OK before it had the whole image");
    } else if (is_acknowledged) {
        ota_fail(failure, OTA_E_UNKNOWN,
                 "the board has the whole image, but its reply is not one of a sketch server "
                 "(status %u)",
                 reply->status);
    } else {
        ota_fail(failure, OTA_E_LOST,
                 "the reply before the end of the image is not one of a sketch server (status %u)",
                 reply->status);
    }
}
