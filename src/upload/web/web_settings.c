/* web_settings.c: which values the settings of update pages may have. */
#include "upload/web/web_settings.h"

#include "http/challenge.h"
#include "http/multipart.h"
#include "upload/web/page_table.h"

#include <stdio.h>
#include <string.h>

enum { NAMES_MAX = 256 };

bool web_check_page(const char *value, char why[UPLOAD_OWN_WHY_MAX])
{
    char names[NAMES_MAX];

    if (page_table_find(value) || strcmp(value, "auto") == 0)
        return true;
    snprintf(why, UPLOAD_OWN_WHY_MAX, "is not known; there are auto, %s",
             page_table_list(names, sizeof names));
    return false;
}

bool web_check_field(const char *value, char why[UPLOAD_OWN_WHY_MAX])
{
    if (multipart_is_name(value))
        return true;
    snprintf(why, UPLOAD_OWN_WHY_MAX,
             "is not a name that boards understand: use printable ASCII without quotes, backslash, "
             "'=' and ';', at most %d characters",
             MULTIPART_NAME_MAX);
    return false;
}

bool web_check_user(const char *value, char why[UPLOAD_OWN_WHY_MAX])
{
    if (challenge_is_user(value))
        return true;
    snprintf(why, UPLOAD_OWN_WHY_MAX,
             "is empty or too long, or has a colon, a quote, a backslash or a control character "
             "in it");
    return false;
}
