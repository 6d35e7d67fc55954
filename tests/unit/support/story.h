/*
 * story.h: what happened in a test, as text that is compared with the expected one.
 */
#ifndef ESP_OTA_TESTS_STORY_H
#define ESP_OTA_TESTS_STORY_H

#include "base/text.h"

/* Appends to the string in story, and fails the test if there is no room. */
#define story_append(story, capacity, ...) assert_true(text_append(story, capacity, __VA_ARGS__))

#endif
