/* What the command line asks for. */
#ifndef DEVICE_CONFIG_H
#define DEVICE_CONFIG_H

#include "address.h"
#include "digest.h"
#include "family.h"
#include "fault.h"
#include "telnet.h"

enum { BOARDS_MAX = 1000 };

struct config {
    struct family family; /* the row, with what the command line changed */
    struct address address;
    unsigned count;
    unsigned uploads;      /* successes after which the program ends; 0: never */
    const char *announced; /* the boards' name, or NULL */
    const char *output;
    bool output_partial;
    bool atomic_fs;
    bool boots;      /* what was installed must start */
    uint16_t chip;   /* an ESP32's, as images number it */
    struct key *key; /* by which images must be signed, or NULL */
    bool has_password;
    char secret[HEX_ROOM]; /* the password as the board stores it: a hash */
    struct flash_cost flash;
    int64_t loop_us;
    bool all_per_loop; /* an ESP32 reads all datagrams that wait */
    int64_t pbkdf2_us;
    int64_t reboot_us;
    int64_t heard_us; /* the last words have so long to arrive, before the restart */
    int window;       /* 0: the kernel's */
    int mss;
    bool verbose;
    struct telnet_config telnet;
    size_t fault_count;
    struct fault faults[FAULTS_MAX];
};

enum config_result { CONFIG_RUN, CONFIG_DONE, CONFIG_WRONG };

/* Reads the command line; argv is overwritten where it holds the password. CONFIG_WRONG after a
 * message on stderr, CONFIG_DONE after --help. */
enum config_result config_read(struct config *config, int argc, char **argv);

#endif
