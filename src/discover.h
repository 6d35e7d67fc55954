/*
 * discover.h: multicast DNS. discover.c is the only user of avahi-client.
 */
#ifndef DISCOVER_H
#define DISCOVER_H

#include "address.h"

#include <avahi-common/watch.h>
#include <stddef.h>

/* (the interface of this module is its author's; see resolve.h for what it must serve) */

#endif
