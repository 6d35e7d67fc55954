/*
 * verdict.h: what a sketch server's replies mean. Pure. Its statuses are those of JAndrassy's
 * ArduinoOTA and of WiFi101OTA; the latter sends no body.
 */
#ifndef ESP_OTA_UPLOAD_SKETCH_VERDICT_H
#define ESP_OTA_UPLOAD_SKETCH_VERDICT_H

#include "esp-ota/error.h"
#include "http/reply.h"

/* The reply to a request without a body: the server checks the path, then the password, then the
 * length, and opens its storage last. So nothing happens to the board. */
enum sketch_door {
    SKETCH_DOOR_OPEN,    /* it accepts the password, and misses the image */
    SKETCH_DOOR_LOCKED,  /* it rejects the password */
    SKETCH_DOOR_ABSENT,  /* a sketch server that does not know the path: no filesystem images */
    SKETCH_DOOR_FOREIGN, /* no sketch server */
};

enum sketch_door sketch_judge_door(const struct http_reply *reply);

/* The reply to the upload. Fills in failure: OTA_OK means that the board has received every byte;
 * it checks none of them. is_acknowledged: its TCP has all of them. */
void sketch_judge_upload(struct ota_failure *failure, const struct http_reply *reply,
                         bool is_acknowledged);

#endif
