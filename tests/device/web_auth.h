/* Who may use a board's page: HTTP's Basic and Digest (RFC 2617), as the servers of the cores check
 * them. */
#ifndef DEVICE_WEB_AUTH_H
#define DEVICE_WEB_AUTH_H

#include <stdbool.h>
#include <stddef.h>

struct web_client;

enum auth_scheme {
    AUTH_BASIC,
    AUTH_DIGEST, /* asks for Digest, and takes Basic as well */
    AUTH_ONLY_DIGEST,
};

/* By name, or false. */
bool auth_find_scheme(const char *name, enum auth_scheme *scheme);

/* Checks the request's credentials: true if they are right, or none are needed. *scheme is set to
 * the name of what the request has: none, basic, digest. */
bool auth_check(struct web_client *client, const char **scheme);

/* Writes the header WWW-Authenticate with its end of line, and remembers what it asks for. */
void auth_challenge(struct web_client *client, char *header, size_t room);

#endif
