/*
 * utf8.h: decodes, encodes and repairs UTF-8. Pure.
 */
#ifndef ESP_OTA_BASE_UTF8_H
#define ESP_OTA_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Decodes the well-formed sequence at the start of source, which has length bytes (RFC 3629: no
 * overlong forms, no surrogates). Returns the length of the sequence, or 0 when there is none. */
size_t utf8_decode(uint32_t *character, const void *source, size_t length);

/* Whether UTF-8 can encode the number: it is at most U+10FFFF and no surrogate. */
bool utf8_is_character(uint32_t number);

/* Writes the sequence of a character and returns its length, at most 4. */
size_t utf8_encode(char *target, uint32_t character);

/* utf8_repair() can turn one byte into this many. */
enum { UTF8_REPAIRED = 3 };

/* Copies source to target, with U+FFFD in place of each byte that belongs to no sequence. target
 * must have room for UTF8_REPAIRED * length bytes. Returns how many were written. */
size_t utf8_repair(char *target, const void *source, size_t length);

/* The length of the byte order mark that some editors put before a text: UTF8_MARK, or 0 if there
 * is none. */
enum { UTF8_MARK = 3 };
size_t utf8_mark(const char *text, size_t length);

#endif
