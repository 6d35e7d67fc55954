/*
 * story.h: what happened in a test, as text that is compared with the expected one.
 */
#ifndef ESP_OTA_TESTS_STORY_H
#define ESP_OTA_TESTS_STORY_H

#include <stddef.h>

/* Appends to the string in story, and fails the test if there is no room. */
void story_append(char *story, size_t capacity, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
