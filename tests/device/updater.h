/* The Update class of a board's core, which takes images that arrive through a web page. It keeps
 * the image in the board's struct upload, as an upload by ArduinoOTA does. */
#ifndef DEVICE_UPDATER_H
#define DEVICE_UPDATER_H

#include "upload.h"

enum { FILESYSTEM_COMMAND = 100 }; /* of the stock services */

struct updater {
    bool is_running;              /* begun, neither ended nor failed */
    bool checks_md5;              /* the image must have the MD5 of the invitation */
    char error[UPLOAD_OBJECTION]; /* the core's text with its end of line; empty: none */
};

/* Begins an image of at most size bytes; 0: as many as there is room for. md5 may be NULL: not
 * checked. False if it is refused. While an update runs, it only refuses, without an error, and the
 * update goes on; with the ESP8266 core after 3.1.2 it fails with an error of which the running one
 * dies too (esp8266/Arduino, pull request 9104). */
bool updater_begin(struct board *board, size_t size, bool filesystem, const char *md5);

/* Demands this MD5 of the update that runs. */
void updater_expect(struct board *board, const char *md5);

/* Writes the next bytes, and adds the flash's time to *cost_us. Does nothing after an error. */
void updater_write(struct board *board, const void *bytes, size_t length, int64_t *cost_us);

/* Ends the update: checks and installs the image. False after an error, or if no update runs. */
bool updater_end(struct board *board);

/* Ends a running update without installing the image; reason is for the event. */
void updater_abort(struct board *board, const char *reason);

/* Fails with the core's text. */
void updater_fail(struct board *board, const char *text);

/* The core's text of this error, or NULL if it has none of that number. */
const char *updater_text(const struct board *board, uint64_t number);

#endif
