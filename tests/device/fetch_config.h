/* The command line's settings for a board that fetches its firmware. */
#ifndef DEVICE_FETCH_CONFIG_H
#define DEVICE_FETCH_CONFIG_H

#include <stdbool.h>
#include <stddef.h>

struct fetcher;

struct fetch_config {
    const char *url; /* --fetch; NULL: it does not fetch */
    const struct fetcher *fetcher;
    unsigned every_ms;   /* from the end of one request to the next one */
    const char *version; /* the version that the sketch tells, or NULL */
    const char *version_after;
    const char *user;
    unsigned piece;      /* bytes per request of idf-pieces */
    bool is_filesystem;  /* asks for the filesystem's image */
    bool has_sidecar;    /* asks for the MD5 first */
    bool rolls_back;     /* the new sketch does not start: the board goes back to the old one */
    bool never_restarts; /* the library is told not to restart the board */
    bool is_hasty;       /* time-outs are a tenth of the library's */
};

/* Fills in the defaults. */
void fetch_config_start(struct fetch_config *config);

/* Applies a setting NAME or NAME=VALUE, which must outlive the config. On failure writes a sentence
 * without full stop into why. */
bool fetch_config_set(struct fetch_config *config, const char *setting, char *why, size_t why_size);

/* The table of settings, for --help. */
void fetch_config_help(void);

#endif
