/*
 * options.h: the command line as one plain, validated struct. options.c is the only user of popt.
 */
#ifndef ESP_OTA_CLI_OPTIONS_H
#define ESP_OTA_CLI_OPTIONS_H

#include "base/string_list.h"
#include "boardlog/expect.h"
#include "crypto/auth.h"
#include "discovery/target.h"
#include "image/sign.h"
#include "net/source.h"

enum timestamps { TIMESTAMPS_NONE, TIMESTAMPS_SINCE_START, TIMESTAMPS_WALL };

/* Everything that the command line, ESP_OTA_AUTH and --auth-file say. Owned strings. */
struct options {
    bool list;                /* -l; then no board and no file is named */
    bool check;               /* --check */
    char *sign;               /* --sign: a path */
    enum sign_hash sign_hash; /* --sign-hash */
    char *verify_key;         /* --verify-key: a path */
    struct target *targets;   /* each -i, with -p merged into its port */
    size_t target_count;
    uint16_t port;        /* -p; 0: not given */
    char *hosts;          /* --hosts: a path, or "-" */
    char *resume;         /* --resume: a path */
    bool discovers;       /* boards that announce themselves are to be updated: */
    char *match;          /* --match: those whose name fits; NULL: any */
    char *board;          /* --board: those of this kind; NULL: any */
    bool chooses;         /* those that somebody chooses, as no board is named */
    bool has_source;      /* -I was given */
    struct source source; /* -I/--host_ip */
    uint16_t port_first;  /* -P/--host_port: a port or a range; 0, 0: any free port */
    uint16_t port_last;
    bool peer_any; /* --peer any */
    bool has_peer; /* --peer ADDRESS */
    struct address peer;
    char *password;            /* NULL: none was given; "": explicitly none; see secret.h */
    bool md5_target;           /* -m */
    enum auth_scheme min_auth; /* --min-auth: AUTH_MD5 or AUTH_SHA256 */
    char *file;               /* -f; NULL: --hosts names one for each board, or logs are followed */
    bool compress;            /* -z */
    char *output;             /* --output: a path, and nothing is uploaded; NULL: not given */
    size_t size_limit;        /* --max-size, bytes */
    bool force;               /* --force: an unsuitable image is sent all the same */
    enum ota_command command; /* -s/--spiffs/--filesystem */
    int64_t timeout_us;       /* -t, seconds on the command line */
    unsigned retries;         /* attempts after the first */
    int64_t deadline_us;      /* --deadline, for each board's upload; 0: none */
    int64_t wait_us;          /* --wait; 0: a board that is not there has failed */
    unsigned jobs;            /* -j: boards at a time, at least 1 */
    unsigned canaries;        /* --canary; 0: all boards are alike */
    unsigned failures_max;    /* --max-failures; 0: no limit */
    bool lockstep;            /* from the first attempt on */
    size_t block;             /* --block; 0: what suits the image */
    bool monitor;             /* --monitor: follow the log of each board */
    uint16_t monitor_port;    /* TCP */
    int64_t monitor_for_us;   /* --monitor-for; 0: until a signal comes */
    enum timestamps timestamps;
    bool raw;                /* --raw: what the board writes goes to the terminal as it is */
    char *log;               /* --log: a path; NULL: none */
    struct expect *expect;   /* --expect and --reject; NULL: nothing is expected */
    struct strings expected; /* what it was made from */
    struct strings rejected;
    int64_t expect_timeout_us; /* --expect-timeout */
    int64_t online_us;         /* --online; 0: nobody waits for the board to come back */
    bool debug;                /* -d */
    bool quiet;                /* -q */
    bool verbose;              /* -v */
    bool force_bar;            /* -r */
    bool json;                 /* --json */
};

enum options_outcome {
    OPTIONS_RUN,   /* *options is complete */
    OPTIONS_DONE,  /* --help, --usage or --version were printed: exit 0 */
    OPTIONS_ERROR, /* failure says why: OTA_E_USAGE, OTA_E_OUTPUT or OTA_E_INTERNAL */
};

/* Parses the command line and the environment (popt aliases from /etc/popt and ~/.popt included).
 * The password is wiped from argv, and ESP_OTA_AUTH from the environment, at once, also when
 * something else is wrong. Reads --auth-file. Prints only what --help, --usage and --version ask
 * for. The flags (json, quiet, ...) are set even when something else is wrong. In every outcome the
 * caller frees what was allocated with options_free(). */
enum options_outcome options_parse(struct options *options, int argc, char **argv,
                                   struct ota_failure *failure);
void options_free(struct options *options); /* cleanses the password */

#endif
