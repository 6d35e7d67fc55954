/*
 * fuzz-form.c: any HTML gives fields and actions that a request can repeat, and actions that lead
 * to a path of the same server, without dots.
 */
#include "base/text.h"
#include "require.h"
#include "upload/web/form.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const PAGES[] = {"/", "/update", "/a/b/update?x=/y", "update"};

static void check_text(const char text[FORM_TEXT_MAX])
{
    require(memchr(text, '\0', FORM_TEXT_MAX) != NULL);
    for (const char *at = text; *at; at++)
        require((unsigned char)*at >= ' ' && *at != '"' && *at != 0x7f);
}

static void check_path(const char target[FORM_TEXT_MAX])
{
    size_t length = strcspn(target, "?");

    require(memchr(target, '\0', FORM_TEXT_MAX) != NULL);
    require(text_is_url_path(target) && !strchr(target, '#'));
    for (const char *at = target; *target == '/' && at < target + length;) {
        size_t segment = strcspn(++at, "/?");

        require(segment > 0 || at == target + length);
        require(!(segment == 1 && at[0] == '.'));
        require(!(segment == 2 && memcmp(at, "..", 2) == 0));
        at += segment;
    }
}

static void check_input(const struct form_input *input)
{
    check_text(input->name);
    check_text(input->action);
    for (size_t i = 0; i < sizeof PAGES / sizeof *PAGES; i++) {
        char target[FORM_TEXT_MAX];

        if (form_resolve_action(target, PAGES[i], input->action)) {
            check_path(target);
            require(*PAGES[i] != '/' || *target == '/');
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct form_inputs found;

    form_find_inputs(&found, (const char *)data, size);
    for (size_t i = 0; i < found.count && i < FORM_INPUTS_MAX; i++) {
        check_input(&found.inputs[i]);
        require(form_find_input(&found, found.inputs[i].name) != NULL);
    }
    return 0;
}
