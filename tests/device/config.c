/* Parses the command line with getopt_long(). Each mistake has its message. */
#include "config.h"

#include "announce.h"
#include "esp_image.h"
#include "fetch.h"
#include "fetcher.h"
#include "help.h"
#include "signature.h"
#include "updater.h"
#include "web_page.h"

#include <errno.h>
#include <getopt.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    OPT_PASSWORD_FILE = 256,
    OPT_ANNOUNCE,
    OPT_OUTPUT_PARTIAL,
    OPT_ATOMIC_FS,
    OPT_BOOT,
    OPT_CHIP,
    OPT_VERIFY_KEY,
    OPT_CAPACITY,
    OPT_FS_CAPACITY,
    OPT_FS_COMMAND,
    OPT_LOOP_MS,
    OPT_ONE_PER_LOOP,
    OPT_ALL_PER_LOOP,
    OPT_PBKDF2_MS,
    OPT_FLASH,
    OPT_ERASE_MS,
    OPT_WRITE_MS,
    OPT_WINDOW,
    OPT_MSS,
    OPT_CLOSE_MS,
    OPT_RESTART_MS,
    OPT_REBOOT_MS,
    OPT_FAST,
    OPT_FAULT,
    OPT_TELNET,
    OPT_TELNET_FLAVOUR,
    OPT_TELNET_LEAVE,
    OPT_TELNET_AWAY_SILENT,
    OPT_TELNET_DEAF_MS,
    OPT_LOG_AT_BOOT,
    OPT_SAY,
    OPT_SAY_AFTER,
    OPT_WEB,
    OPT_WEB_SET,
    OPT_ESPHOME,
    OPT_ESPHOME_SET,
    OPT_FETCH,
    OPT_FETCHER,
    OPT_FETCH_SET,
};

static const struct option long_options[] = {
    {"family", required_argument, NULL, 'F'},
    {"stored-hash", required_argument, NULL, 'H'},
    {"password", required_argument, NULL, 'P'},
    {"password-file", required_argument, NULL, OPT_PASSWORD_FILE},
    {"address", required_argument, NULL, 'a'},
    {"port", required_argument, NULL, 'p'},
    {"count", required_argument, NULL, 'c'},
    {"announce", required_argument, NULL, OPT_ANNOUNCE},
    {"output", required_argument, NULL, 'o'},
    {"output-partial", no_argument, NULL, OPT_OUTPUT_PARTIAL},
    {"atomic-fs", no_argument, NULL, OPT_ATOMIC_FS},
    {"boot", no_argument, NULL, OPT_BOOT},
    {"uploads", required_argument, NULL, 'n'},
    {"chip", required_argument, NULL, OPT_CHIP},
    {"verify-key", required_argument, NULL, OPT_VERIFY_KEY},
    {"capacity", required_argument, NULL, OPT_CAPACITY},
    {"fs-capacity", required_argument, NULL, OPT_FS_CAPACITY},
    {"fs-command", required_argument, NULL, OPT_FS_COMMAND},
    {"loop-ms", required_argument, NULL, OPT_LOOP_MS},
    {"one-per-loop", no_argument, NULL, OPT_ONE_PER_LOOP},
    {"all-per-loop", no_argument, NULL, OPT_ALL_PER_LOOP},
    {"pbkdf2-ms", required_argument, NULL, OPT_PBKDF2_MS},
    {"flash", required_argument, NULL, OPT_FLASH},
    {"erase-ms", required_argument, NULL, OPT_ERASE_MS},
    {"write-ms", required_argument, NULL, OPT_WRITE_MS},
    {"window", required_argument, NULL, OPT_WINDOW},
    {"mss", required_argument, NULL, OPT_MSS},
    {"close-ms", required_argument, NULL, OPT_CLOSE_MS},
    {"restart-ms", required_argument, NULL, OPT_RESTART_MS},
    {"reboot-ms", required_argument, NULL, OPT_REBOOT_MS},
    {"fast", no_argument, NULL, OPT_FAST},
    {"fault", required_argument, NULL, OPT_FAULT},
    {"telnet", required_argument, NULL, OPT_TELNET},
    {"telnet-flavour", required_argument, NULL, OPT_TELNET_FLAVOUR},
    {"telnet-leave", required_argument, NULL, OPT_TELNET_LEAVE},
    {"telnet-away-silent", no_argument, NULL, OPT_TELNET_AWAY_SILENT},
    {"telnet-deaf-ms", required_argument, NULL, OPT_TELNET_DEAF_MS},
    {"log-at-boot", no_argument, NULL, OPT_LOG_AT_BOOT},
    {"say", required_argument, NULL, OPT_SAY},
    {"say-after", required_argument, NULL, OPT_SAY_AFTER},
    {"web", required_argument, NULL, OPT_WEB},
    {"web-set", required_argument, NULL, OPT_WEB_SET},
    {"esphome", no_argument, NULL, OPT_ESPHOME},
    {"esphome-set", required_argument, NULL, OPT_ESPHOME_SET},
    {"fetch", required_argument, NULL, OPT_FETCH},
    {"fetcher", required_argument, NULL, OPT_FETCHER},
    {"fetch-set", required_argument, NULL, OPT_FETCH_SET},
    {"verbose", no_argument, NULL, 'v'},
    {"help", no_argument, NULL, 'h'},
    {"version", no_argument, NULL, 'V'},
    {NULL, 0, NULL, 0},
};

/* Values that are checked after all options are known. -1: not given. */
struct given {
    const char *family, *stored_hash, *flash, *key;
    char *password;
    const char *password_file;
    long port, capacity, fs_capacity, erase_ms, write_ms;
    long close_ms, restart_ms, reboot_ms;
    bool fast;
};

static bool wrong(const char *what, const char *value)
{
    fprintf(stderr, "esp-ota-sim: %s: %s\n", value, what);
    return false;
}

static bool read_option_number(const char *text, long max, long *number)
{
    char *end = NULL;
    errno = 0;
    *number = strtol(text, &end, 10);
    if (errno || end == text || *end || *number < 0 || *number > max) {
        fprintf(stderr, "esp-ota-sim: %s: not a number from 0 to %ld\n", text, max);
        return false;
    }
    return true;
}

static bool read_unsigned(const char *text, long max, unsigned *number)
{
    long value = 0;
    if (!read_option_number(text, max, &value))
        return false;
    *number = (unsigned)value;
    return true;
}

static bool read_int(const char *text, long max, int *number)
{
    long value = 0;
    if (!read_option_number(text, max, &value))
        return false;
    *number = (int)value;
    return true;
}

static bool read_ms(const char *text, int64_t *us)
{
    long ms = 0;
    if (!read_option_number(text, 86400000, &ms))
        return false;
    *us = (int64_t)ms * 1000;
    return true;
}

static bool read_fault(struct config *config, const char *order)
{
    char why[200];
    if (config->fault_count == FAULTS_MAX)
        return wrong("too many faults: at most 32", order);
    if (!fault_parse(&config->faults[config->fault_count], order, why, sizeof why))
        return wrong(why, "--fault");
    config->fault_count++;
    return true;
}

static bool read_step(struct script *script, const char *line)
{
    char why[200];
    return script_add(script, line, why, sizeof why) || wrong(why, "--say");
}

static bool read_telnet_option(struct telnet_config *telnet, int option)
{
    unsigned port = 0;

    switch (option) {
    case OPT_TELNET:
        telnet->wanted = true;
        if (!read_unsigned(optarg, UINT16_MAX, &port))
            return false;
        telnet->port = (uint16_t)port;
        return true;
    case OPT_TELNET_FLAVOUR:
        return telnet_find_flavour(optarg, &telnet->flavour) ||
               wrong("a flavour is stream, esptelnet or remotedebug", optarg);
    case OPT_TELNET_LEAVE:
        return telnet_find_leave(optarg, &telnet->leave) ||
               wrong("a board leaves silent, reset or close", optarg);
    case OPT_TELNET_DEAF_MS:
        return read_ms(optarg, &telnet->deaf_us);
    case OPT_TELNET_AWAY_SILENT:
        telnet->away_silent = true;
        return true;
    case OPT_LOG_AT_BOOT:
        telnet->at_boot = true;
        return true;
    case OPT_SAY:
        return read_step(&telnet->before, optarg);
    case OPT_SAY_AFTER:
        return read_step(&telnet->after, optarg);
    default:
        fputs("Try `esp-ota-sim --help'.\n", stderr);
        return false;
    }
}

static bool read_web_option(struct config *config, int option)
{
    char why[200];

    if (option != OPT_WEB)
        return web_config_set(&config->web, optarg, why, sizeof why) || wrong(why, "--web-set");
    config->web.page = page_find(optarg);
    return config->web.page || wrong("no such page; --help lists them", optarg);
}

static bool read_esphome_option(struct config *config, int option)
{
    char why[200];

    if (option == OPT_ESPHOME_SET)
        return esphome_config_set(&config->esphome, optarg, why, sizeof why) ||
               wrong(why, "--esphome-set");
    config->esphome.wanted = true;
    return true;
}

static bool read_fetch_option(struct fetch_config *fetch, int option)
{
    char why[200];

    switch (option) {
    case OPT_FETCH:
        fetch->url = optarg;
        return fetch_url_is_good(optarg) ||
               wrong("a board fetches from http://ADDRESS[:PORT]/PATH, ADDRESS in digits", optarg);
    case OPT_FETCHER:
        fetch->fetcher = fetcher_find(optarg);
        return fetch->fetcher || wrong("no such fetcher; --help lists them", optarg);
    default:
        return fetch_config_set(fetch, optarg, why, sizeof why) || wrong(why, "--fetch-set");
    }
}

static bool read_wait_option(struct config *config, struct given *given, int option)
{
    switch (option) {
    case OPT_CLOSE_MS:
        return read_option_number(optarg, 86400000, &given->close_ms);
    case OPT_RESTART_MS:
        return read_option_number(optarg, 86400000, &given->restart_ms);
    case OPT_REBOOT_MS:
        return read_option_number(optarg, 86400000, &given->reboot_ms);
    case OPT_FAST:
        given->fast = true;
        return true;
    case OPT_WEB:
    case OPT_WEB_SET:
        return read_web_option(config, option);
    case OPT_ESPHOME:
    case OPT_ESPHOME_SET:
        return read_esphome_option(config, option);
    case OPT_FETCH:
    case OPT_FETCHER:
    case OPT_FETCH_SET:
        return read_fetch_option(&config->fetch, option);
    default:
        return read_telnet_option(&config->telnet, option);
    }
}

static bool read_hardware_option(struct config *config, struct given *given, int option)
{
    switch (option) {
    case OPT_CHIP:
        return esp_chip_find(optarg, &config->chip) || wrong(esp_chip_names(), optarg);
    case OPT_VERIFY_KEY:
        given->key = optarg;
        return true;
    case OPT_CAPACITY:
        return read_option_number(optarg, INT32_MAX, &given->capacity);
    case OPT_FS_CAPACITY:
        return read_option_number(optarg, INT32_MAX, &given->fs_capacity);
    case OPT_FS_COMMAND:
        return read_option_number(optarg, 199, &config->fs_command);
    case OPT_ATOMIC_FS:
        config->atomic_fs = true;
        return true;
    case OPT_BOOT:
        config->boots = true;
        return true;
    case OPT_LOOP_MS:
        return read_ms(optarg, &config->loop_us);
    case OPT_ONE_PER_LOOP:
    case OPT_ALL_PER_LOOP:
        config->all_per_loop = option == OPT_ALL_PER_LOOP;
        return true;
    case OPT_PBKDF2_MS:
        return read_ms(optarg, &config->pbkdf2_us);
    case OPT_FLASH:
        given->flash = optarg;
        return true;
    case OPT_ERASE_MS:
        return read_option_number(optarg, 60000, &given->erase_ms);
    case OPT_WRITE_MS:
        return read_option_number(optarg, 60000, &given->write_ms);
    case OPT_WINDOW:
        return read_int(optarg, 1 << 24, &config->window);
    case OPT_MSS:
        return read_int(optarg, 32767, &config->mss);
    case OPT_FAULT:
        return read_fault(config, optarg);
    default:
        return read_wait_option(config, given, option);
    }
}

static bool read_option(struct config *config, struct given *given, int option)
{
    switch (option) {
    case 'F':
        given->family = optarg;
        return true;
    case 'H':
        given->stored_hash = optarg;
        return true;
    case 'P':
        given->password = optarg;
        return true;
    case OPT_PASSWORD_FILE:
        given->password_file = optarg;
        return true;
    case 'a':
        return address_parse(&config->address, optarg) ||
               wrong("not a numeric IPv4 or IPv6 address", optarg);
    case 'p':
        return read_option_number(optarg, UINT16_MAX, &given->port);
    case 'c':
        return read_unsigned(optarg, BOARDS_MAX, &config->count);
    case OPT_ANNOUNCE:
        config->announced = optarg;
        return announce_takes(optarg) ||
               wrong("a name has 1 to 54 letters, digits and hyphens", optarg);
    case 'o':
        config->output = optarg;
        return true;
    case OPT_OUTPUT_PARTIAL:
        config->output_partial = true;
        return true;
    case 'n':
        return read_unsigned(optarg, INT32_MAX, &config->uploads);
    case 'v':
        config->verbose = true;
        return true;
    default:
        return read_hardware_option(config, given, option);
    }
}

static bool set_secret(struct config *config, const char *kind, const char *password)
{
    bool sha256 = config->family.challenge_length == SHA256_HEX;

    if (kind && strcmp(kind, "md5") == 0)
        sha256 = false;
    else if (kind && strcmp(kind, "sha256") != 0)
        return wrong("a stored hash is sha256 or md5", kind);
    config->has_password = true;
    snprintf(config->web.password, sizeof config->web.password, "%s", password);
    if (!(sha256 ? sha256_hex : md5_hex)(password, strlen(password), config->secret))
        return wrong("libcrypto refuses this hash", sha256 ? "SHA-256" : "MD5");
    return true;
}

static bool read_password_file(struct config *config, const struct given *given)
{
    char line[1024];
    FILE *file = fopen(given->password_file, "r");
    if (!file)
        return wrong(strerror(errno), given->password_file);

    bool done = fgets(line, sizeof line, file) != NULL;
    fclose(file);
    if (!done)
        return wrong("has no first line", given->password_file);
    line[strcspn(line, "\r\n")] = '\0';
    done = set_secret(config, given->stored_hash, line);
    OPENSSL_cleanse(line, sizeof line);
    return done;
}

static bool read_password(struct config *config, struct given *given)
{
    if (given->password_file)
        return read_password_file(config, given);
    if (!given->password)
        return true;
    bool done = set_secret(config, given->stored_hash, given->password);
    OPENSSL_cleanse(given->password, strlen(given->password)); /* `ps' shows it otherwise */
    return done;
}

static bool read_key(struct config *config, const struct given *given)
{
    if (!given->key)
        return true;
    config->key = key_read(given->key);
    if (!config->key)
        return wrong("not a public key in PEM", given->key);
    return signature_fits(config->key, config->family.lineage) ||
           wrong("its signatures are too long", given->key);
}

/* Sets the cost of flashing from --flash, --erase-ms and --write-ms. */
static bool set_flash(struct config *config, const struct given *given)
{
    int factor = 0;

    if (given->flash && strcmp(given->flash, "realistic") == 0)
        factor = 1;
    else if (given->flash && strcmp(given->flash, "slow") == 0)
        factor = 3;
    else if (given->flash && strcmp(given->flash, "none") != 0)
        return wrong("flash is none, realistic or slow", given->flash);

    const struct flash_cost *real = &config->family.flash;
    config->flash =
        (struct flash_cost){real->sector_erase_us * factor, real->block_erase_us * factor,
                            real->write_us * factor, factor ? real->read_pause_us : 0};

    if (given->erase_ms >= 0) {
        config->flash.sector_erase_us = given->erase_ms * INT64_C(1000);
        config->flash.block_erase_us = 0;
    }
    if (given->write_ms >= 0)
        config->flash.write_us = given->write_ms * INT64_C(1000);
    return true;
}

static void shrink(int64_t *us)
{
    enum { FAST_US = 2000 };
    if (*us > FAST_US)
        *us = FAST_US;
}

static void set_waits(struct config *config, const struct given *given)
{
    config->reboot_us = 1500000;
    config->heard_us = config->family.close_us + config->family.restart_us;

    if (given->fast) {
        shrink(&config->family.prepare_us);
        shrink(&config->family.connect_us);
        shrink(&config->family.verdict_us);
        shrink(&config->family.close_us);
        shrink(&config->family.restart_us);
        shrink(&config->family.idle_us);
        shrink(&config->reboot_us);
        shrink(&config->web.restart_us);
    }

    if (given->close_ms >= 0)
        config->family.close_us = given->close_ms * INT64_C(1000);
    if (given->restart_ms >= 0)
        config->family.restart_us = config->web.restart_us = given->restart_ms * INT64_C(1000);
    if (given->reboot_ms >= 0)
        config->reboot_us = given->reboot_ms * INT64_C(1000);
}

/* The library that most boards of the family fetch with. */
static bool choose_fetcher(struct config *config)
{
    const struct family *family = &config->family;

    if (config->fetch.fetcher || !config->fetch.url)
        return config->fetch.url || wrong("needs --fetch URL", "--fetcher");
    config->fetch.fetcher = fetcher_find(family->lineage == LINEAGE_ESP32 ? "esp32" : family->name);
    return config->fetch.fetcher || wrong("does not fetch", family->name);
}

/* These exclude each other. */
static bool has_one_service(const struct config *config)
{
    const int count =
        (config->fetch.url != NULL) + (config->web.page != NULL) + config->esphome.wanted;

    return count <= 1 || wrong("a board has only one of --fetch, --web and --esphome", "--fetch");
}

static bool complete(struct config *config, struct given *given)
{
    const struct family *family = family_find(given->family ? given->family : "esp8266");
    if (!family) {
        fprintf(stderr, "esp-ota-sim: no family `%s'; the families are %s\n", given->family,
                family_names());
        return false;
    }

    config->family = *family;
    if (config->web.page) {
        web_config_complete(&config->web);
        config->family.port = config->web.page->port ? config->web.page->port : WEB_PORT;
    }
    if (!has_one_service(config) ||
        ((config->fetch.url || config->fetch.fetcher) && !choose_fetcher(config)))
        return false;
    if (config->fetch.url)
        config->family.port = 0;
    if (given->port >= 0)
        config->family.port = (uint16_t)given->port;
    address_set_port(&config->address, config->family.port);
    if (given->capacity >= 0)
        config->family.capacity = (size_t)given->capacity;
    if (given->fs_capacity >= 0)
        config->family.fs_capacity = (size_t)given->fs_capacity;
    set_waits(config, given);

    if (config->count == 0)
        return wrong("at least one board is needed", "--count");
    if (config->announced && address_is_any(&config->address))
        return wrong("needs the address of one interface: see --address", "--announce");
    return set_flash(config, given) && read_password(config, given) && read_key(config, given);
}

enum config_result config_read(struct config *config, int argc, char **argv)
{
    struct given given = {.port = -1,
                          .capacity = -1,
                          .fs_capacity = -1,
                          .erase_ms = -1,
                          .write_ms = -1,
                          .close_ms = -1,
                          .restart_ms = -1,
                          .reboot_ms = -1};
    int option;

    memset(config, 0, sizeof *config);
    config->count = 1;
    config->fs_command = FILESYSTEM_COMMAND;
    config->telnet.deaf_us = -1;
    esphome_config_start(&config->esphome);
    fetch_config_start(&config->fetch);
    address_parse(&config->address, "127.0.0.1");

    while ((option = getopt_long(argc, argv, "F:H:P:a:p:c:o:n:vhV", long_options, NULL)) != -1) {
        if (option == 'h') {
            help_print();
            return CONFIG_DONE;
        }
        if (option == 'V') {
            puts("esp-ota-sim " SIM_VERSION);
            return CONFIG_DONE;
        }
        if (!read_option(config, &given, option))
            return CONFIG_WRONG;
    }

    if (optind < argc) {
        wrong("unexpected argument: there are only options", argv[optind]);
        return CONFIG_WRONG;
    }
    return complete(config, &given) ? CONFIG_RUN : CONFIG_WRONG;
}
