/*
 * hosts.h: the list of boards behind --hosts, as text. It opens only the list, not the files named
 * in it.
 *
 * Each line is TARGET [port=N] [auth-file=PATH] [file=PATH] [min-auth=SCHEME]
 * [encryption-key-file=PATH] [page=NAME] [field=NAME] [user=NAME] [protocol=NAME] [expect=REGEX],
 * separated by white space. A word with spaces is put in double quotes; in these, \" is a quote and
 * \\ a backslash. A "#" at the beginning of a word makes the rest of the line a comment. Relative
 * paths begin at the current directory, not at the list's.
 */
#ifndef ESP_OTA_FLEET_HOSTS_H
#define ESP_OTA_FLEET_HOSTS_H

#include "base/string_list.h"
#include "base/units.h"
#include "crypto/auth.h"
#include "discovery/target.h"
#include "esp-ota/error.h"
#include "upload/upload_settings.h"

struct expect;
struct upload_protocol;

enum {
    HOSTS_SIZE_MAX = 4 * MIB,  /* bytes of a list */
    HOSTS_LINE_MAX = 16 * KIB, /* bytes of a line, without its end */
    HOSTS_COUNT_MAX = 10000,
};

struct host_line {
    size_t number;        /* of the line, from 1; 0: it is from no list */
    struct target target; /* with port=N merged into its port */
    char *label;          /* the name of its section in the configuration; NULL: it has none */
    char *similar;        /* similar names of the configuration, printable; NULL: none */
    bool is_rest;         /* "*": all boards without a line; the target has that name */
    unsigned keys;        /* a bit for each key that the list gives it; see hosts_find_unserved() */
    char *auth_file;      /* NULL: not given; never "" or "-" */
    char *key_file;       /* NULL: not given; never "" or "-" */
    /* Where the part of each that was written begins, behind the folder of the configuration. */
    size_t auth_file_written_at;
    size_t key_file_written_at;
    char *file; /* NULL: not given; never "" */
    bool has_min_auth;
    enum auth_scheme min_auth;              /* AUTH_MD5 or AUTH_SHA256 */
    struct upload_own own;                  /* page=, field= and user= */
    const struct upload_protocol *protocol; /* NULL: not given; its target may have a scheme */
    struct strings expected;                /* what expect was compiled from */
    struct expect *expect;                  /* NULL: not given */
    /* Set if a project file, perhaps somebody else's, has named the board. It then gets no common
     * password or key, and its min-auth can only be stricter than the common one. */
    bool lacks_password;
    bool lacks_key;
    bool is_from_project;
};

struct hosts {
    struct host_line *lines; /* in the order of the list, those that are equal included */
    size_t count, capacity;
};

/* Parses a list; name is for messages and is escaped in them. Fails with OTA_E_USAGE for a
 * malformed line, and for a list without any board or beyond a bound; with OTA_E_INTERNAL when
 * memory ran out. Afterwards, *hosts is to be freed with hosts_free() in any case. */
enum ota_error hosts_parse(struct hosts *hosts, const char *name, const char *text, size_t length,
                           struct ota_failure *failure);

/* Parses a file ("-": standard input, to its end). Fails with OTA_E_USAGE also if it cannot be
 * read.
 */
enum ota_error hosts_read(struct hosts *hosts, const char *path, struct ota_failure *failure);

void hosts_free(struct hosts *hosts);

/* Which boards --serve has a use for a setting of. Any other setting is an error, as somebody would
 * rely on it. */
enum hosts_served {
    HOSTS_SERVED_NONE,
    HOSTS_SERVED_TOLD, /* boards that are told to fetch */
    HOSTS_SERVED_ALL,  /* and boards that ask by themselves */
};

/* A setting of a board. set() fails with OTA_E_USAGE and the end of a sentence that the value
 * begins ("is not a port from 1 to 65535"), or with OTA_E_INTERNAL. */
struct host_key {
    const char *name;
    bool is_path;
    enum hosts_served served;
    enum ota_error (*set)(struct host_line *line, const char *value, struct ota_failure *failure);
};

/* NULL if there is none of this name (length bytes). */
const struct host_key *hosts_find_key(const char *name, size_t length);

/* The first key of a line of a list that --serve has no use for; NULL: it has one for all of them.
 * is_told: the board is told to fetch. */
const char *hosts_find_unserved(const struct host_line *line, bool is_told);

/* Appends a line, all zero; NULL: out of memory. */
struct host_line *hosts_add(struct hosts *hosts);
void hosts_free_line(struct host_line *line);

#endif
