/*
 * fuzz-http_reply.c: any bytes from a web server give a bounded reply, and a challenge in it gives
 * no answer or one without line ends.
 */
#include "base/secret.h"
#include "http/reply.h"
#include "require.h"
#include "upload/sketch/verdict.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void answer(const struct challenge *challenge)
{
    const struct challenge_question question = {.challenge = challenge,
                                                .user = "user",
                                                .password = "password",
                                                .method = "POST",
                                                .uri = "/update"};
    struct auth_answer given;
    struct ota_failure failure;
    char *header = challenge_answer(&question, &given, &failure);

    require(!header || (!strpbrk(header, "\r\n") && strncmp(header, "Authorization: ", 15) == 0));
    require(header || challenge->scheme != CHALLENGE_BASIC);
    secret_free(header);
}

/* A sketch server succeeds with 200 alone, and only once it has everything. */
static void judge_for_sketch(const struct http_reply *reply)
{
    struct ota_failure failure;

    sketch_judge_upload(&failure, reply, true);
    require(failure.error != OTA_OK || (reply->status == 200 && reply->has_head));
    sketch_judge_upload(&failure, reply, false);
    require(failure.error != OTA_OK);
    require(sketch_judge_door(reply) != SKETCH_DOOR_OPEN || reply->status == 400);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct http_reply reply = {0};
    bool is_whole = http_reply_parse(&reply, (const char *)data, size);

    require(!is_whole || (reply.status >= 200 && reply.status <= 999));
    require(reply.body_length <= HTTP_BODY_MAX && reply.body_length <= size);
    require(strlen(http_reply_text(&reply)) <= reply.body_length);
    require_terminated(reply.server, sizeof reply.server);
    require_terminated(reply.location, sizeof reply.location);
    require_terminated(reply.refresh, sizeof reply.refresh);
    require(reply.has_unclear_target || !strpbrk(reply.location, "\t\r\n"));
    require_terminated(reply.challenge.realm, sizeof reply.challenge.realm);
    require_terminated(reply.challenge.nonce, sizeof reply.challenge.nonce);
    require_terminated(reply.challenge.opaque, sizeof reply.challenge.opaque);
    require(!challenge_is_digest(&reply.challenge) || *reply.challenge.nonce);
    if (reply.challenge.scheme > CHALLENGE_UNKNOWN)
        answer(&reply.challenge);
    judge_for_sketch(&reply);
    http_reply_clear(&reply);
    return 0;
}
