/*
 * target_promise.c: checks the contract of target.h.
 */
#include "target_promise.h"

#include "base/escape.h"
#include "require.h"

#include <netdb.h>
#include <string.h>
#include <sys/socket.h>

static const struct target_scheme rows[] = {
    {.name = "espota"}, {.name = "http", .takes_user = true, .takes_path = true}};

const struct target_schemes some_schemes = {rows, sizeof rows / sizeof *rows};

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

    require(memchr(target->user, '\0', sizeof target->user) != NULL);
    require(memchr(target->path, '\0', sizeof target->path) != NULL);
    require(!*target->user || (target->scheme && target->scheme->takes_user));
    require(!*target->path || (target->scheme && target->scheme->takes_path));
    require(!strpbrk(target->user, ":@/?#"));
    require(!*target->path || strchr("/?#", *target->path));

    if (target->kind != TARGET_ADDRESS && target->kind != TARGET_INSTANCE)
        require(!is_numeric(target->name));
    if (target->kind == TARGET_ADDRESS)
        require(address_is_unicast(&target->address) && address_port(&target->address) == 0);
}
