/*
 * mdns_answer.h: whether an answer that has come from the worker process is what it must be. The
 * worker parses what the network sends, and is confined for that reason, so its word is not trusted
 * with the memory of this process. Pure.
 */
#ifndef ESP_OTA_DISCOVERY_MDNS_ANSWER_H
#define ESP_OTA_DISCOVERY_MDNS_ANSWER_H

#include "discovery/mdns_worker.h"

/* Whether every string is terminated, every pair has its "=", every flag and enumerator is one, and
 * the address can be a board's. */
bool mdns_answer_is_sound(const struct mdns_answer *answer);

#endif
