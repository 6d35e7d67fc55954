/* request_target.h: the path of a request line. Pure. */
#ifndef ESP_OTA_HTTP_REQUEST_TARGET_H
#define ESP_OTA_HTTP_REQUEST_TARGET_H

enum { HTTP_TARGET_MAX = 1024 };

/* Writes a path with its query as it stands in a request line ("/update?size=1234"): it begins with
 * a slash, ends before a '#', and has %XX for each blank and each byte that is not printable ASCII.
 * What does not fit is cut off; a path of 340 bytes always fits. Returns target. */
char *http_request_target(char target[HTTP_TARGET_MAX], const char *path);

#endif
