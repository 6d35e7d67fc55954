/* ESPAsyncHTTPUpdateServer: the kind of image is in the query. */
#include "board.h"
#include "web_page.h"

#include <string.h>

static bool is_upload(const struct web_client *client)
{
    return strcmp(client->request.method, "POST") == 0 &&
           strcmp(client->request.path, "/update") == 0;
}

/* Its handler reads the parameter without asking whether there is one. */
static bool begins(struct web_client *client)
{
    char name[HEAD_FIELD];

    if (!is_upload(client) || http_request_parameter(&client->request, "name", name, sizeof name))
        return true;
    web_restart_after(client->board, 0);
    web_client_close(client, true);
    return false;
}

/* An update that does not begin leaves no error if another one runs: nothing is written, and the
 * answer is that of a success. */
static bool file_begins(struct web_client *client, const struct form_part *part)
{
    char name[HEAD_FIELD] = "";
    (void)part;

    http_request_parameter(&client->request, "name", name, sizeof name);
    client->writes = updater_begin(client->board, 0, strcmp(name, "filesystem") == 0, NULL);
    return false;
}

const struct page_hooks async_updater_hooks = {.begins = begins, .file_begins = file_begins};
