/* resource.c: see resource.h. */
#include "serve/resource.h"

#include <string.h>

const char RESOURCE_FIRMWARE[] = "/firmware.bin";

static const struct {
    const char *path;
    enum resource_kind kind;
} resource_paths[] = {{"/", RESOURCE_PAGE},
                      {"/page.css", RESOURCE_STYLE},
                      {"/page.js", RESOURCE_SCRIPT},
                      {"/events", RESOURCE_EVENTS},
                      {"/status.json", RESOURCE_STATUS},
                      {"/manifest.json", RESOURCE_MANIFEST}};

/* What may stand behind the name of an image. */
static const struct {
    const char *suffix;
    enum resource_kind kind;
    bool is_packed;
} resource_suffixes[] = {
    {"", RESOURCE_IMAGE, false},           {".gz", RESOURCE_IMAGE, true},
    {".md5", RESOURCE_MD5, false},         {".sha256", RESOURCE_SHA256, false},
    {".sha512", RESOURCE_SHA512, false},   {".gz.md5", RESOURCE_MD5, true},
    {".gz.sha256", RESOURCE_SHA256, true}, {".gz.sha512", RESOURCE_SHA512, true}};

/* Whether path names the image, or something of it. */
static bool match_name(struct resource *resource, const char *path, const char *name, int image)
{
    const size_t length = strlen(name);

    if (length == 0 || strncmp(path, name, length) != 0)
        return false;
    for (size_t i = 0; i < sizeof resource_suffixes / sizeof *resource_suffixes; i++) {
        if (strcmp(path + length, resource_suffixes[i].suffix) != 0)
            continue;
        *resource =
            (struct resource){resource_suffixes[i].kind, image, resource_suffixes[i].is_packed};
        return true;
    }
    return false;
}

void resource_find(struct resource *resource, const char *path, const char *const names[],
                   size_t count)
{
    *resource = (struct resource){.kind = RESOURCE_NONE};

    for (size_t i = 0; i < sizeof resource_paths / sizeof *resource_paths; i++) {
        if (strcmp(path, resource_paths[i].path) == 0) {
            resource->kind = resource_paths[i].kind;
            return;
        }
    }
    if (*path != '/' || match_name(resource, path, RESOURCE_FIRMWARE, RESOURCE_ANY_IMAGE))
        return;
    for (size_t i = 0; i < count; i++)
        if (match_name(resource, path + 1, names[i], (int)i))
            return;
}
