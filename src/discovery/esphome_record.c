/* esphome_record.c: the keys of ESPHome's TXT record (its component mdns). */
#include "discovery/esphome_record.h"

#include "discovery/txt_record.h"

void esphome_record_read(struct esphome_record *esphome, const AvahiStringList *record)
{
    char encryption[ESPHOME_PROJECT_MAX];

    txt_record_value(esphome->version, sizeof esphome->version, record, "version");
    txt_record_value(esphome->platform, sizeof esphome->platform, record, "platform");
    txt_record_value(esphome->config_hash, sizeof esphome->config_hash, record, "config_hash");
    txt_record_value(esphome->project, sizeof esphome->project, record, "project_name");
    txt_record_value(esphome->project_version, sizeof esphome->project_version, record,
                     "project_version");
    /* A board without a key has api_encryption_supported at most. */
    txt_record_value(encryption, sizeof encryption, record, "api_encryption");
    esphome->is_encrypted = *encryption;
}
