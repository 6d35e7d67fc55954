/*
 * inspected.h: one file at a time, and the expected result of its inspection.
 */
#ifndef INSPECTED_H
#define INSPECTED_H

#include "image/inspect.h"
#include "support/firmware.h"

enum { ESP8266 = INSPECT_FAMILY_ESP8266, ESP32 = INSPECT_FAMILY_ESP32, PICO = INSPECT_FAMILY_PICO };

/* The file, and the result of its inspection. */
extern struct firmware firmware;
extern struct inspection inspection;

void inspect_firmware(void);
/* The bytes in memory of their own, so that reads beyond them are noticed. */
void inspect_bytes(const unsigned char *data, size_t size);

void expect_text(const char *text, const char *part);
/* Inspects the file; name and verdict are parts of those. */
void expect(enum inspect_format format, enum inspect_integrity integrity,
            enum inspect_sending sending, const char *name, const char *verdict);
/* Checks that the file is invalid if cut anywhere, or if a byte in [from, to) changes. */
void expect_no_cut_is_valid(void);
void expect_no_flip_is_valid(size_t from, size_t to);

#endif
