/*
 * target_promise.c: checks the contract of target.h.
 */
#include "target_promise.h"

#include "base/escape.h"

#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

static void require(bool condition)
{
    if (!condition)
        abort();
}

/* Whether name is an address for the C library's resolver, with the hints of host_lookup.c. */
static bool is_numeric(const char *name)
{
    const struct addrinfo hints = {
        .ai_family = AF_UNSPEC, .ai_socktype = SOCK_DGRAM, .ai_flags = AI_NUMERICHOST};
    struct addrinfo *list = NULL;
    int error = getaddrinfo(name, NULL, &hints, &list);

    if (error == 0)
        freeaddrinfo(list);
    return error == 0;
}

void require_target(const struct target *target)
{
    require(memchr(target->name, '\0', sizeof target->name) != NULL);
    require(target->name[0] != '\0' && escape_is_harmless(target->name));

    if (target->kind != TARGET_ADDRESS && target->kind != TARGET_INSTANCE)
        require(!is_numeric(target->name));
    if (target->kind == TARGET_ADDRESS)
        require(address_is_unicast(&target->address) && address_port(&target->address) == 0);
}
