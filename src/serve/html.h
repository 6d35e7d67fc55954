/*
 * html.h: text from outside in HTML. Pure.
 */
#ifndef ESP_OTA_SERVE_HTML_H
#define ESP_OTA_SERVE_HTML_H

#include <stdio.h>

/* Writes text as the content of an element, or as the value of an attribute in quotes. */
void html_write(FILE *stream, const char *text);

#endif
