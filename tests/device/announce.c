/* Registers each board with avahi-daemon: an entry group of an address and a service.
 *
 * A taken name is noticed in two ways: at once, where this computer has it, or by a collision that
 * other hosts report while Avahi probes. Either way the next number is tried. */
#include "announce.h"

#include "avahi_poll.h"
#include "esp_image.h"
#include "web_page.h"

#include <avahi-client/client.h>
#include <avahi-client/publish.h>
#include <avahi-common/defs.h>
#include <avahi-common/error.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LABEL_ROOM = 96, NUMBERS_MAX = 99, ESPHOME_API_PORT = 6053 };

static const char ESPHOME_TYPE[] = "_esphomelib._tcp";

struct entry {
    struct announcer *announcer;
    struct board *board;
    AvahiEntryGroup *group;
    unsigned number; /* is appended to a name that is taken; 1 is not written */
};

struct announcer {
    struct sim *sim;
    AvahiPoll poll;
    AvahiClient *client;
    bool failed;
    struct entry entries[];
};

bool announce_takes(const char *name)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-";
    size_t length = strlen(name);
    return length > 0 && length <= ANNOUNCED_MAX && strspn(name, letters) == length &&
           name[0] != '-' && name[length - 1] != '-';
}

static const char *entry_name(const struct entry *entry, char name[LABEL_ROOM])
{
    const struct config *config = entry->announcer->sim->config;
    char index[12] = "", number[12] = "";

    if (config->count > 1)
        snprintf(index, sizeof index, "-%u", (unsigned)(entry - entry->announcer->entries) + 1);
    if (entry->number > 1)
        snprintf(number, sizeof number, "-%u", entry->number);
    snprintf(name, LABEL_ROOM, "%.*s%s%s", ANNOUNCED_MAX, config->announced, index, number);
    return name;
}

static void fail(struct announcer *announcer, const char *what, int error)
{
    fprintf(stderr, "esp-ota-sim: %s: %s\n", what, avahi_strerror(error));
    announcer->failed = true;
}

static bool same_host(const struct sockaddr *one, const struct sockaddr *other)
{
    if (one->sa_family != other->sa_family)
        return false;

    if (one->sa_family == AF_INET)
        return memcmp(&((const struct sockaddr_in *)(const void *)one)->sin_addr,
                      &((const struct sockaddr_in *)(const void *)other)->sin_addr,
                      sizeof(struct in_addr)) == 0;
    return memcmp(&((const struct sockaddr_in6 *)(const void *)one)->sin6_addr,
                  &((const struct sockaddr_in6 *)(const void *)other)->sin6_addr,
                  sizeof(struct in6_addr)) == 0;
}

/* All of 127.0.0.0/8 is on the loopback interface, though only 127.0.0.1 is listed. */
static bool is_loopback_v4(const struct sockaddr *address)
{
    enum { LOOPBACK_NET = 127 };
    const struct sockaddr_in *v4 = (const struct sockaddr_in *)(const void *)address;
    return address->sa_family == AF_INET && ntohl(v4->sin_addr.s_addr) >> 24 == LOOPBACK_NET;
}

/* Returns the interface that has the address, as only its network can reach the address. 0:
 * none. */
static unsigned interface_of(const struct address *address)
{
    const struct sockaddr *wanted = (const struct sockaddr *)&address->storage;
    struct ifaddrs *all = NULL;
    unsigned index = 0;

    if (getifaddrs(&all) < 0)
        return 0;

    for (const struct ifaddrs *one = all; one && index == 0; one = one->ifa_next) {
        bool loopback = (one->ifa_flags & IFF_LOOPBACK) != 0 && is_loopback_v4(wanted);
        if (one->ifa_addr && (loopback || same_host(one->ifa_addr, wanted)))
            index = if_nametoindex(one->ifa_name);
    }
    freeifaddrs(all);
    return index;
}

/* Adds the address of the host name, which must be unique in the network. With
 * avahi_entry_group_add_address(), two boards could share a name. */
static int add_address(struct entry *entry, AvahiIfIndex interface, const char *host)
{
    const struct sockaddr_storage *address = &entry->board->address.storage;
    const void *bytes = &((const struct sockaddr_in6 *)address)->sin6_addr;
    size_t size = sizeof(struct in6_addr);
    uint16_t type = AVAHI_DNS_TYPE_AAAA;

    if (address->ss_family == AF_INET) {
        bytes = &((const struct sockaddr_in *)address)->sin_addr;
        size = sizeof(struct in_addr);
        type = AVAHI_DNS_TYPE_A;
    }
    return avahi_entry_group_add_record(entry->group, interface, AVAHI_PROTO_UNSPEC,
                                        AVAHI_PUBLISH_UNIQUE, host, AVAHI_DNS_CLASS_IN, type,
                                        AVAHI_DEFAULT_TTL_HOST_NAME, bytes, size);
}

/* Returns the TXT record as the cores announce it. NULL if memory runs out. */
static AvahiStringList *board_records(const struct config *config)
{
    char board[64];
    snprintf(board, sizeof board, "board=%s",
             config->family.board ? config->family.board : esp_chip_name(config->chip));
    return avahi_string_list_new("tcp_check=no", "ssh_upload=no", board,
                                 config->has_password ? "auth_upload=yes" : "auth_upload=no", NULL);
}

/* What stands for %v, %m and %b. */
static const char *record_value(const struct board *board, char letter, char mac[HEX_ROOM])
{
    const struct config *config = board->sim->config;

    if (letter == 'v')
        return page_version(board);
    if (letter == 'm')
        return page_mac(board, mac);
    return config->family.board ? config->family.board : esp_chip_name(config->chip);
}

/* The first record comes first. NULL without any. */
static AvahiStringList *page_record(const struct board *board, const char *record)
{
    AvahiStringList *records = NULL;

    while (record && *record) {
        char text[256], mac[HEX_ROOM];
        int length = (int)strcspn(record, " "), before = (int)strcspn(record, " %");

        snprintf(text, sizeof text, "%.*s%s", before, record,
                 before < length ? record_value(board, record[before + 1], mac) : "");
        records = avahi_string_list_add(records, text);
        record += length + (record[length] == ' ');
    }
    return records;
}

/* Adds NAME=VALUE to the list, unless there is no value. */
static AvahiStringList *add_pair(AvahiStringList *list, const char *name, const char *value)
{
    return value ? avahi_string_list_add_pair(list, name, value) : list;
}

/* The platform as ESPHome spells it. */
static const char *esphome_platform(const struct config *config)
{
    if (config->family.lineage == LINEAGE_ESP32)
        return "ESP32";
    return strcmp(config->family.name, "pico") == 0 ? "RP2040" : "ESP8266";
}

/* Returns the TXT record of ESPHome's API, which tells what runs on the board. */
static AvahiStringList *esphome_records(const struct board *board)
{
    const struct config *config = board->sim->config;
    const struct esphome_config *esphome = &config->esphome;
    const bool is_new = board->telnet.is_new;
    AvahiStringList *list = NULL;

    list = add_pair(list, "version",
                    config->web.page                   ? page_version(board)
                    : is_new && esphome->release_after ? esphome->release_after
                                                       : esphome->release);
    list = add_pair(list, "config_hash",
                    is_new && esphome->hash_after ? esphome->hash_after : esphome->hash);
    list = add_pair(list, "platform", esphome_platform(config));
    list = add_pair(list, "board",
                    config->family.board ? config->family.board : esp_chip_name(config->chip));
    list = add_pair(list, "network", "wifi");
    list = add_pair(list, "project_name", esphome->project);
    list = add_pair(list, "project_version",
                    is_new && esphome->project_version_after ? esphome->project_version_after
                                                             : esphome->project_version);
    return add_pair(list, "api_encryption",
                    esphome->has_key ? "Noise_NNpsk0_25519_ChaChaPoly_SHA256" : NULL);
}

/* Returns the record of a service of a board with a web page. */
static AvahiStringList *service_record(const struct board *board, const struct page_service *row)
{
    return strcmp(row->type, ESPHOME_TYPE) == 0 ? esphome_records(board)
                                                : page_record(board, row->record);
}

/* ESPHome announces the port of its API, not that of what takes uploads. */
static uint16_t service_port(const struct board *board, const char *type)
{
    return strcmp(type, ESPHOME_TYPE) == 0 ? ESPHOME_API_PORT : address_port(&board->address);
}

/* Adds the services of a board with a web page. */
static int add_page_services(struct entry *entry, AvahiIfIndex interface, const char *name,
                             const char *host)
{
    const struct board *board = entry->board;
    const struct page_service *row = board->sim->config->web.page->services;
    int error = 0;

    for (; error >= 0 && row->type; row++) {
        AvahiStringList *records = service_record(board, row);
        error = avahi_entry_group_add_service_strlst(entry->group, interface, AVAHI_PROTO_UNSPEC, 0,
                                                     name, row->type, NULL, host,
                                                     service_port(board, row->type), records);
        avahi_string_list_free(records);
    }
    return error < 0 ? error : avahi_entry_group_commit(entry->group);
}

static int add_esphome_service(struct entry *entry, AvahiIfIndex interface, const char *name,
                               const char *host)
{
    AvahiStringList *records = esphome_records(entry->board);
    int error = avahi_entry_group_add_service_strlst(
        entry->group, interface, AVAHI_PROTO_UNSPEC, 0, name, ESPHOME_TYPE, NULL, host,
        service_port(entry->board, ESPHOME_TYPE), records);

    avahi_string_list_free(records);
    return error < 0 ? error : avahi_entry_group_commit(entry->group);
}

/* Adds the records to an empty group. Returns an error of Avahi, AVAHI_ERR_COLLISION among them. */
static int add_records(struct entry *entry, const char *name)
{
    const struct board *board = entry->board;
    AvahiIfIndex interface = (AvahiIfIndex)interface_of(&board->address);
    char host[LABEL_ROOM + sizeof ".local"];

    snprintf(host, sizeof host, "%s.local", name);

    int error = add_address(entry, interface, host);
    if (error < 0)
        return error;

    if (board->sim->config->esphome.wanted)
        return add_esphome_service(entry, interface, name, host);
    if (board->sim->config->web.page)
        return add_page_services(entry, interface, name, host);

    AvahiStringList *records = board_records(board->sim->config);
    if (!records)
        return AVAHI_ERR_NO_MEMORY;

    error = avahi_entry_group_add_service_strlst(entry->group, interface, AVAHI_PROTO_UNSPEC, 0,
                                                 name, "_arduino._tcp", NULL, host,
                                                 address_port(&board->address), records);
    avahi_string_list_free(records);
    return error < 0 ? error : avahi_entry_group_commit(entry->group);
}

/* Registers the board under its name. If this computer already has that name, tries numbers. */
static void publish(struct entry *entry)
{
    int error = AVAHI_ERR_COLLISION;

    for (; entry->number <= NUMBERS_MAX; entry->number++) {
        char name[LABEL_ROOM];
        avahi_entry_group_reset(entry->group);
        error = add_records(entry, entry_name(entry, name));
        if (error != AVAHI_ERR_COLLISION)
            break;
    }
    if (error < 0)
        fail(entry->announcer, "cannot announce the board", error);
}

static void say_announced(const struct entry *entry)
{
    char name[LABEL_ROOM];
    board_event(entry->board, "announced name=%s", entry_name(entry, name));
    if (entry->number > 1)
        fprintf(stderr, "esp-ota-sim: the name is taken, so this board is announced as %s\n", name);
}

static void group_changed(AvahiEntryGroup *group, AvahiEntryGroupState state, void *userdata)
{
    struct entry *entry = userdata;

    entry->group = group; /* may be called before avahi_entry_group_new() has returned it */
    switch (state) {
    case AVAHI_ENTRY_GROUP_ESTABLISHED:
        say_announced(entry);
        break;
    case AVAHI_ENTRY_GROUP_COLLISION:
        entry->number++;
        publish(entry);
        break;
    case AVAHI_ENTRY_GROUP_FAILURE:
        fail(entry->announcer, "cannot announce the board",
             avahi_client_errno(entry->announcer->client));
        break;
    case AVAHI_ENTRY_GROUP_UNCOMMITED:
    case AVAHI_ENTRY_GROUP_REGISTERING:
        break;
    }
}

static void publish_all(struct announcer *announcer)
{
    for (unsigned i = 0; i < announcer->sim->config->count && !announcer->failed; i++) {
        struct entry *entry = &announcer->entries[i];
        if (!entry->group)
            entry->group = avahi_entry_group_new(announcer->client, group_changed, entry);

        if (entry->group)
            publish(entry);
        else
            fail(announcer, "cannot announce the board", avahi_client_errno(announcer->client));
    }
}

static void client_changed(AvahiClient *client, AvahiClientState state, void *userdata)
{
    struct announcer *announcer = userdata;

    announcer->client = client; /* is called before avahi_client_new() has returned it */
    switch (state) {
    case AVAHI_CLIENT_S_RUNNING:
        publish_all(announcer);
        break;
    case AVAHI_CLIENT_FAILURE:
        fail(announcer, "the boards are no longer announced", avahi_client_errno(client));
        break;
    case AVAHI_CLIENT_S_REGISTERING: /* it starts, or its own name changes; S_RUNNING follows */
    case AVAHI_CLIENT_S_COLLISION:
    case AVAHI_CLIENT_CONNECTING:
        break;
    }
}

struct announcer *announce_start(struct sim *sim)
{
    unsigned count = sim->config->count;
    struct announcer *announcer = calloc(1, sizeof *announcer + count * sizeof(struct entry));
    if (!announcer) {
        perror("esp-ota-sim");
        return NULL;
    }

    announcer->sim = sim;
    for (unsigned i = 0; i < count; i++)
        announcer->entries[i] =
            (struct entry){.announcer = announcer, .board = &sim->boards[i], .number = 1};
    avahi_poll_set_up(&announcer->poll, sim->loop);

    int error = 0;
    announcer->client = avahi_client_new(&announcer->poll, 0, client_changed, announcer, &error);
    if (!announcer->client)
        fail(announcer, "--announce needs a running avahi-daemon", error);
    if (announcer->failed) {
        announce_stop(announcer);
        return NULL;
    }
    return announcer;
}

/* Replaces the TXT record of a service, and frees the list. */
static void update_records(struct entry *entry, const char *type, AvahiStringList *records)
{
    char name[LABEL_ROOM];

    avahi_entry_group_update_service_txt_strlst(
        entry->group, (AvahiIfIndex)interface_of(&entry->board->address), AVAHI_PROTO_UNSPEC, 0,
        entry_name(entry, name), type, NULL, records);
    avahi_string_list_free(records);
}

void announce_again(struct board *board)
{
    struct announcer *announcer = board->sim->announcer;
    const struct page *page = board->sim->config->web.page;

    if (!announcer || announcer->failed)
        return;
    struct entry *entry = &announcer->entries[board - board->sim->boards];
    if (board->sim->config->esphome.wanted)
        update_records(entry, ESPHOME_TYPE, esphome_records(board));
    for (const struct page_service *row = page ? page->services : NULL; row && row->type; row++)
        update_records(entry, row->type, service_record(board, row));
}

void announce_stop(struct announcer *announcer)
{
    if (!announcer)
        return;
    if (announcer->client)
        avahi_client_free(announcer->client); /* with its groups, whose names go with them */
    free(announcer);
}
