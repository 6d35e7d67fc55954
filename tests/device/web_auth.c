/* The server of the cores remembers one nonce, that of its last 401, and takes no other; the
 * asynchronous server remembers none. */
#include "web_auth.h"

#include "board.h"
#include "digest.h"
#include "web_page.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { FIELD_ROOM = 256, TEXT_ROOM = 2048, ASYNC_LONGEST = 54 };

static const char *const scheme_names[] = {
    [AUTH_BASIC] = "basic", [AUTH_DIGEST] = "digest", [AUTH_ONLY_DIGEST] = "only-digest"};

bool auth_find_scheme(const char *name, enum auth_scheme *scheme)
{
    for (unsigned i = 0; i < sizeof scheme_names / sizeof scheme_names[0]; i++) {
        if (strcmp(scheme_names[i], name) == 0) {
            *scheme = (enum auth_scheme)i;
            return true;
        }
    }
    return false;
}

/* The asynchronous server's base64 text of long credentials has a line end, and matches none. */
static bool basic_is_right(const struct web_client *client, const char *given)
{
    const struct web_config *web = &client->board->sim->config->web;
    char plain[2 * FIELD_ROOM], wanted[FIELD_ROOM * 3];

    int length = snprintf(plain, sizeof plain, "%s:%s", web->user, web->password);
    if (client_server(client)->is_async && length > ASYNC_LONGEST)
        return false;
    base64_text(plain, (size_t)length, wanted);
    return strcmp(given, wanted) == 0;
}

/* Reads NAME="VALUE" or NAME=VALUE from a list with commas. */
static void read_field(const char *list, const char *name, char value[FIELD_ROOM])
{
    size_t length = strlen(name);

    value[0] = '\0';
    for (const char *at = list; at; at = strchr(at, ',')) {
        at += strspn(at, ", ");
        if (strncmp(at, name, length) != 0 || at[length] != '=')
            continue;
        at += length + 1;
        if (*at == '"')
            snprintf(value, FIELD_ROOM, "%.*s", (int)strcspn(at + 1, "\""), at + 1);
        else
            snprintf(value, FIELD_ROOM, "%.*s", (int)strcspn(at, ", "), at);
        return;
    }
}

static void hash_of(char hex[HEX_ROOM], const char *one, const char *two, const char *three)
{
    char text[TEXT_ROOM];
    int length =
        snprintf(text, sizeof text, "%s:%s%s%s", one, two, three ? ":" : "", three ? three : "");
    md5_hex(text, (size_t)length, hex);
}

/* True if the fields name what the last challenge asked for, as far as the server remembers it. */
static bool fits_challenge(const struct web_client *client, const char *fields)
{
    const struct web *web = &client->board->web;
    char nonce[FIELD_ROOM], opaque[FIELD_ROOM];

    if (client_server(client)->is_async)
        return true;
    read_field(fields, "nonce", nonce);
    read_field(fields, "opaque", opaque);
    return *web->nonce && strcmp(nonce, web->nonce) == 0 && strcmp(opaque, web->opaque) == 0;
}

static bool digest_is_right(const struct web_client *client, const char *fields)
{
    const struct web_config *web = &client->board->sim->config->web;
    char user[FIELD_ROOM], realm[FIELD_ROOM], nonce[FIELD_ROOM], uri[FIELD_ROOM];
    char count[FIELD_ROOM], cnonce[FIELD_ROOM], qop[FIELD_ROOM], response[FIELD_ROOM];
    char secret[HEX_ROOM], action[HEX_ROOM], wanted[HEX_ROOM], middle[TEXT_ROOM];

    read_field(fields, "username", user);
    read_field(fields, "realm", realm);
    read_field(fields, "nonce", nonce);
    read_field(fields, "uri", uri);
    read_field(fields, "nc", count);
    read_field(fields, "cnonce", cnonce);
    read_field(fields, "qop", qop);
    read_field(fields, "response", response);
    if (strcmp(user, web->user) != 0 || !fits_challenge(client, fields))
        return false;

    hash_of(secret, user, realm, web->password);
    hash_of(action, client->request.method, uri, NULL);
    if (*qop)
        snprintf(middle, sizeof middle, "%s:%s:%s:%s", nonce, count, cnonce, qop);
    else
        snprintf(middle, sizeof middle, "%s", nonce);
    hash_of(wanted, secret, middle, action);
    return strcmp(response, wanted) == 0;
}

bool auth_check(struct web_client *client, const char **scheme)
{
    const struct config *config = client->board->sim->config;
    const char *given = client->request.authorization;
    bool basic = strncmp(given, "Basic ", 6) == 0, digest = strncmp(given, "Digest ", 7) == 0;

    *scheme = "none";
    if (basic)
        *scheme = "basic";
    if (digest)
        *scheme = "digest";
    if (!config->has_password || config->web.page->ignores_password)
        return true;
    if (config->web.shows_all && strcmp(client->request.method, "GET") == 0)
        return true;
    if (basic && config->web.scheme != AUTH_ONLY_DIGEST)
        return basic_is_right(client, given + 6);
    return digest && digest_is_right(client, given + 7);
}

void auth_challenge(struct web_client *client, char *header, size_t room)
{
    const struct web_config *config = &client->board->sim->config->web;
    struct web *web = &client->board->web;

    if (config->scheme == AUTH_BASIC) {
        snprintf(header, room, "WWW-Authenticate: Basic realm=\"%s\"\r\n", config->realm);
        return;
    }

    random_hex(web->nonce, MD5_HEX);
    random_hex(web->opaque, MD5_HEX);
    snprintf(header, room,
             "WWW-Authenticate: Digest realm=\"%s\", qop=\"auth\", nonce=\"%s\", opaque=\"%s\"\r\n",
             config->realm, web->nonce, web->opaque);
}
