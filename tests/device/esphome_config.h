/* What the command line says about a board with ESPHome. */
#ifndef DEVICE_ESPHOME_CONFIG_H
#define DEVICE_ESPHOME_CONFIG_H

#include "noise.h"

#include <stdint.h>

enum { ESPHOME_KEY_TEXT = 44 };

/* The steps at which an error can be ordered: each is one that the board has just read. */
enum esphome_step {
    ESPHOME_MAGIC,
    ESPHOME_FEATURES,
    ESPHOME_ANSWER,
    ESPHOME_SIZE,
    ESPHOME_MD5,
    ESPHOME_STEPS,
};

struct esphome_config {
    bool wanted; /* --esphome */
    unsigned version;
    bool is_extended;
    bool asks_md5;       /* an older device, which knows no SHA-256 */
    bool wants_packed;   /* asks for gzip from whoever can send it */
    bool has_key;        /* offers encryption */
    bool needs_key;      /* and takes nothing else */
    bool stays_in_clear; /* is asked for encryption, and offers none */
    bool asks_encrypted; /* asks for the password within the encryption, too */
    uint8_t key[NOISE_KEY];
    unsigned read_ms, data_ms;    /* time-outs */
    uint8_t error[ESPHOME_STEPS]; /* the byte to send instead of a reply; 0: none */
    uint8_t wrong_byte;           /* instead of the first byte; 0: none */
    /* What it announces, and after an upload. */
    const char *release, *release_after, *hash, *hash_after;
    const char *project, *project_version, *project_version_after;
};

/* Fills in what a common board has. */
void esphome_config_start(struct esphome_config *config);

/* Applies a setting NAME or NAME=VALUE, which must outlive the config. On failure writes a sentence
 * without full stop into why. */
bool esphome_config_set(struct esphome_config *config, const char *setting, char *why,
                        size_t why_size);

/* The table of settings, for --help. */
void esphome_config_help(void);

#endif
