/*
 * etc_hosts.h: the addresses that /etc/hosts gives a name.
 */
#ifndef ESP_OTA_DISCOVERY_ETC_HOSTS_H
#define ESP_OTA_DISCOVERY_ETC_HOSTS_H

#include "base/address.h"

#include <stddef.h>
#include <sys/types.h>

/* Writes the addresses of name, at most capacity, in the order of the file, each once, with port 0.
 * Returns their number; 0 also if the file cannot be read. Names compare without regard to case.
 * Malformed lines are skipped, and so are addresses of no single host, such as the 0.0.0.0 of ad
 * blockers. Only the first 16 MiB of a file count. -1 and errno when this computer has run out of
 * memory or the like; other sources must not be asked then, as they might lead to another host. */
ssize_t etc_hosts_find(struct address *addresses, size_t capacity, const char *name);

/* The same for the content of such a file, as in hosts(5). Pure. */
size_t etc_hosts_search(struct address *addresses, size_t capacity, const char *name,
                        const char *text, size_t length);

#endif
