/*
 * etc_hosts.h: the addresses that /etc/hosts gives a name.
 */
#ifndef ESP_OTA_DISCOVERY_ETC_HOSTS_H
#define ESP_OTA_DISCOVERY_ETC_HOSTS_H

#include "base/address.h"

#include <stddef.h>
#include <sys/types.h>

/* Writes the addresses of name, at most capacity, in the order of the file, each once; returns
 * their number. Port 0. Names compare without regard to case; lines that are not understood and
 * addresses that can be no single host's (ad blockers' 0.0.0.0) are passed over. A file that cannot
 * be read has no names in it; of a huge one the first 16 MiB count. -1 and errno when this computer
 * has run out of something: then others, if they were asked, might lead to another host. */
ssize_t etc_hosts_find(struct address *addresses, size_t capacity, const char *name);

/* The same in a text instead of the file: the lines of hosts(5). Pure. */
size_t etc_hosts_search(struct address *addresses, size_t capacity, const char *name,
                        const char *text, size_t length);

#endif
