/* The configuration that the command line describes. */
#ifndef DEVICE_CONFIG_H
#define DEVICE_CONFIG_H

#include "address.h"
#include "digest.h"
#include "esphome_config.h"
#include "family.h"
#include "fault.h"
#include "fetch_config.h"
#include "telnet.h"
#include "web_config.h"

enum { BOARDS_MAX = 1000 };

struct config {
    struct family family; /* the row of the table, with changes by the command line */
    struct address address;
    unsigned count;
    unsigned uploads;      /* successes after which the program ends; 0: never */
    const char *announced; /* the boards' name, or NULL */
    const char *output;
    bool output_partial;
    long fs_command; /* of invitations for a filesystem image */
    bool atomic_fs;
    bool boots;      /* the board checks whether the installed sketch starts */
    uint16_t chip;   /* the chip of an ESP32, by its number in images */
    struct key *key; /* images must be signed with this key; NULL: not checked */
    bool has_password;
    char secret[HEX_ROOM]; /* the password as the board stores it: a hash */
    struct flash_cost flash;
    int64_t loop_us;
    bool all_per_loop; /* an ESP32 reads all queued datagrams */
    int64_t pbkdf2_us;
    int64_t reboot_us;
    int64_t heard_us; /* time for the last bytes to be acknowledged, before the restart */
    int window;       /* 0: the kernel's */
    int mss;
    bool verbose;
    struct telnet_config telnet;
    struct web_config web;
    struct esphome_config esphome;
    struct fetch_config fetch;
    size_t fault_count;
    struct fault faults[FAULTS_MAX];
};

enum config_result { CONFIG_RUN, CONFIG_DONE, CONFIG_WRONG };

/* Reads the command line; argv is overwritten where it holds the password. CONFIG_WRONG after a
 * message on stderr, CONFIG_DONE after --help. */
enum config_result config_read(struct config *config, int argc, char **argv);

#endif
