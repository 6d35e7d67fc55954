/*
 * utf8.h: text that may or may not be UTF-8.
 */
#ifndef ESP_OTA_BASE_UTF8_H
#define ESP_OTA_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Decodes the well-formed sequence at source, of which length bytes are there (RFC 3629: no
 * overlong forms, no surrogates). Returns its length, or 0 when there is none. */
size_t utf8_decode(uint32_t *character, const void *source, size_t length);

/* Whether the number is a character, which UTF-8 can encode: at most U+10FFFF and no surrogate. */
bool utf8_is_character(uint32_t number);

/* Writes the sequence of a character, and returns its length, at most 4. */
size_t utf8_encode(char *target, uint32_t character);

/* How many bytes each of source can become in utf8_repair(). */
enum { UTF8_REPAIRED = 3 };

/* Copies source to target, with U+FFFD in place of each byte that belongs to no sequence. target
 * must have room for UTF8_REPAIRED * length bytes. Returns how many it has got. */
size_t utf8_repair(char *target, const void *source, size_t length);

/* How many bytes at the beginning of a text file are a byte order mark, which some editors put
 * there and which is no part of the text: UTF8_MARK or 0. */
enum { UTF8_MARK = 3 };
size_t utf8_mark(const char *text, size_t length);

#endif
