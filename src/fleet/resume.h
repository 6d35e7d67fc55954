/*
 * resume.h: finds the boards updated by an earlier run in its report (--json).
 */
#ifndef ESP_OTA_FLEET_RESUME_H
#define ESP_OTA_FLEET_RESUME_H

#include "base/address.h"
#include "base/units.h"
#include "esp-ota/command.h"
#include "esp-ota/error.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum {
    RESUME_LINE_MAX = 64 * KIB, /* bytes of a line, its end included */
    RESUME_SIZE_MAX = 1 * GIB,
};

struct resume;

/* Reads a report, or several one behind the other: what was told last about a board counts. A last
 * line that was cut short, as its run was killed, is ignored. Fails with OTA_E_USAGE when the file
 * cannot be read, exceeds a bound or is no such report, OTA_E_INTERNAL when memory ran out; *resume
 * is NULL then. */
enum ota_error resume_load(struct resume **resume, const char *path, struct ota_failure *failure);

/* The same for a stream; name is for messages and is escaped in them. */
enum ota_error resume_read(struct resume **resume, FILE *stream, const char *name,
                           struct ota_failure *failure);

/* Whether the board has confirmed this image. board is the text in the report's events. port is
 * the user's, or 0: then all ports of this board in the report must agree. */
bool resume_is_confirmed(const struct resume *resume, const char *board, uint16_t port,
                         const char *sha256, enum ota_command command);

/* The only port that the report has of the board; 0: it has none, or several. */
uint16_t resume_port(const struct resume *resume, const char *board);

/* Stores the only address that the report has of the board. Returns false if it has none, or
 * several. */
bool resume_address(struct address *address, const struct resume *resume, const char *board);

/* Stores the addresses that the report has of the board's name, no more than max. Returns how many
 * there are. */
size_t resume_addresses(struct address addresses[], size_t max, const struct resume *resume,
                        const char *board);

void resume_free(struct resume *resume); /* NULL is allowed */

#endif
