/* What the command line says about a board that fetches its firmware. */
#ifndef DEVICE_FETCH_CONFIG_H
#define DEVICE_FETCH_CONFIG_H

#include <stdbool.h>
#include <stddef.h>

struct fetcher;

struct fetch_config {
    const char *url; /* --fetch; NULL: it does not fetch */
    const struct fetcher *fetcher;
    unsigned every_ms;   /* from the end of one request to the next one */
    const char *version; /* that the sketch tells, or NULL */
    const char *version_after;
    const char *user;
    unsigned piece;      /* bytes, of idf-pieces */
    bool is_filesystem;  /* asks for the filesystem's image */
    bool has_sidecar;    /* asks for the MD5 first */
    bool rolls_back;     /* the new sketch does not start, and it goes back */
    bool never_restarts; /* the library is told not to restart the board */
    bool is_hasty;       /* its time-outs are a tenth */
};

/* Fills in what a common board has. */
void fetch_config_start(struct fetch_config *config);

/* Applies a setting NAME or NAME=VALUE, which must outlive the config. On failure writes a sentence
 * without full stop into why. */
bool fetch_config_set(struct fetch_config *config, const char *setting, char *why, size_t why_size);

/* The table of settings, for --help. */
void fetch_config_help(void);

#endif
