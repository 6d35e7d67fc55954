/* mdns_answer.c: see mdns_answer.h. */
#include "discovery/mdns_answer.h"

#include "base/worker.h"

#include <string.h>

#define IS_TERMINATED(text) (memchr((text), '\0', sizeof(text)) != NULL)

/* The list ends with an empty string. */
static bool are_pairs_sound(const char pairs[MDNS_PAIRS_MAX])
{
    if (pairs[MDNS_PAIRS_MAX - 1] != '\0' || pairs[MDNS_PAIRS_MAX - 2] != '\0')
        return false;
    for (const char *pair = pairs; *pair; pair += strlen(pair) + 1)
        if (!strchr(pair, '='))
            return false;
    return true;
}

static bool are_texts_sound(const struct mdns_answer *answer)
{
    const struct esphome_record *esphome = &answer->esphome;

    return are_pairs_sound(answer->pairs) && IS_TERMINATED(answer->interface) &&
           IS_TERMINATED(answer->instance) && IS_TERMINATED(answer->host) &&
           IS_TERMINATED(answer->type) && IS_TERMINATED(answer->version) &&
           IS_TERMINATED(answer->reason) && IS_TERMINATED(esphome->version) &&
           IS_TERMINATED(esphome->platform) && IS_TERMINATED(esphome->config_hash) &&
           IS_TERMINATED(esphome->project) && IS_TERMINATED(esphome->project_version);
}

static bool is_address_sound(const struct mdns_answer *answer)
{
    const struct address *address = &answer->address;
    const sa_family_t family = address->any.sa_family;

    if (family == AF_INET || family == AF_INET6)
        return !answer->has_address || address_is_unicast(address);
    return family == AF_UNSPEC && !answer->has_address;
}

bool mdns_answer_is_sound(const struct mdns_answer *answer)
{
    return worker_flag_is_sound(&answer->has_address) &&
           worker_flag_is_sound(&answer->is_further) && worker_flag_is_sound(&answer->is_local) &&
           (unsigned)answer->event <= MDNS_UNAVAILABLE &&
           (unsigned)answer->service < SERVICE_COUNT && (unsigned)answer->password <= TXT_YES &&
           (unsigned)answer->lack < OTA_CAUSE_COUNT && are_texts_sound(answer) &&
           is_address_sound(answer);
}
