/*
 * plain_query.h: one question to multicast DNS in the only form that some boards answer.
 *
 * The responders of JAndrassy's ArduinoOTA and of WiFi101OTA compare the whole packet with a query
 * for _arduino._tcp that has a single question and no known answer. Their SRV and A records are
 * valid for two minutes, the PTR record for 75. After two minutes, Avahi's queries name the PTR
 * record as known, and get no answer. The answer to a plain query is multicast, so Avahi hears it,
 * too. Other responders answer the query as usual, which refreshes their records.
 */
#ifndef ESP_OTA_DISCOVERY_PLAIN_QUERY_H
#define ESP_OTA_DISCOVERY_PLAIN_QUERY_H

#include "discovery/service.h"

/* Sends the query for the instances of a service on each IPv4 interface with multicast. Nothing
 * depends on its arrival: failures are ignored. */
void plain_query_send(enum service service);

#endif
