/*
 * target_name.c: parses an address, a host name or the name of a service instance, perhaps with a
 * port.
 *
 * No numeric text may end up as a host name: the C library's resolver would take "1.2.3" or
 * "0x7f.1" for an unusual form of an address, and the image would go to some other host.
 */
#include "discovery/target_internal.h"

#include "base/error.h"
#include "base/escape.h"
#include "base/hex.h"
#include "base/text.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* Sizes of DNS: a label, a host name as text, a service instance's name (RFC 6763, 4.1.1). */
enum { LABEL_MAX = 63, HOST_MAX = 253, INSTANCE_MAX = 63, WHY_MAX = 128 };

enum ota_error target_reject(struct ota_failure *failure, const char *text, const char *why)
{
    char shown[TARGET_SHOWN_MAX];

    return ota_fail(failure, OTA_E_USAGE, "\"%s\" %s", escape_board(shown, sizeof shown, text),
                    why);
}

bool target_parse_port(uint16_t *port, const char *text, bool allow_zero)
{
    const char *end;
    uint64_t value;

    /* A leading zero is rejected: some programs read the rest as octal. */
    if (text[0] == '0' && text[1] != '\0')
        return false;
    if (!parse_decimal(text, UINT16_MAX, &value, &end) || *end != '\0')
        return false;
    if (value == 0 && !allow_zero)
        return false;

    *port = (uint16_t)value;
    return true;
}

bool target_consists_of(const char *text, const char *characters)
{
    return text[strspn(text, characters)] == '\0';
}

/* Whether text must be meant as an IPv4 address. */
static bool is_v4_attempt(const char *text)
{
    size_t length = strspn(text, TARGET_DIGITS ".");

    return memchr(text, '.', length) && (text[length] == '\0' || text[length] == '%');
}

static enum ota_error reject_v4(struct ota_failure *failure, const char *text)
{
    return target_reject(failure, text,
                         "is not an IPv4 address: that is four numbers from 0 to 255");
}

/* Whether text must be meant as an IPv6 address. Hexadecimal digits with fewer colons may also be
 * the name of an instance, such as a MAC address. */
static bool is_v6_attempt(const char *text)
{
    size_t length = strspn(text, HEX_DIGITS ":.");
    size_t colons = 0;

    if (text[length] != '\0' && text[length] != '%')
        return false;
    for (size_t i = 0; i < length; i++)
        colons += text[i] == ':';

    return colons >= 7 || (colons >= 2 && (text[length] == '%' || strstr(text, "::")));
}

/* Rejects a malformed IPv6 address, with the likely reason. */
static enum ota_error reject_v6(struct ota_failure *failure, const char *text)
{
    const char *percent = strchr(text, '%');

    if (percent && strchr(percent, ':'))
        return target_reject(
            failure, text,
            "is not an IPv6 address: with a port it is written [ADDRESS%INTERFACE]:PORT");
    if (percent)
        return target_reject(
            failure, text, "is not an IPv6 address with the name of an interface of this computer");
    return target_reject(failure, text, "is not an IPv6 address");
}

/* Rejects addresses that cannot belong to a single board. text is for the message. */
static enum ota_error check_address(const struct address *address, const char *text,
                                    struct ota_failure *failure)
{
    if (!address_is_unicast(address))
        return target_reject(failure, text, "is not the address of one board");
    if (address_lacks_interface(address))
        return target_reject(failure, text, ADDRESS_LACKS_INTERFACE);
    return OTA_OK;
}

/* Parses "[V6]" and "[V6]:PORT". name has the text, and afterwards the address alone. */
static enum ota_error parse_bracketed(struct target *target, const char *text,
                                      struct ota_failure *failure)
{
    char *close = strchr(target->name, ']');

    if (!close)
        return target_reject(failure, text, "has no closing bracket");
    if (close[1] != '\0' &&
        (close[1] != ':' || !target_parse_port(&target->port, close + 2, false)))
        return target_reject(failure, text, "does not end in \"]\" or in a port from 1 to 65535");

    *close = '\0';
    memmove(target->name, target->name + 1, strlen(target->name));
    if (!address_parse(&target->address, target->name) || !strchr(target->name, ':'))
        return reject_v6(failure, target->name);
    return check_address(&target->address, target->name, failure);
}

/* Instance names may begin with a bracket, too. */
static bool is_bracketed_attempt(const char *text)
{
    size_t length = text[0] == '[' ? strspn(text + 1, HEX_DIGITS ":.") : 0;

    return length > 0 && strcspn(text + 1, ":.") < length && strchr("]%", text[1 + length]);
}

/* Moves a port behind the only colon of name to port. Other names keep their colons. */
static enum ota_error split_port(struct target *target, const char *text,
                                 struct ota_failure *failure)
{
    char *colon = strchr(target->name, ':');

    if (!colon || strchr(colon + 1, ':'))
        return OTA_OK;

    *colon = '\0';
    bool is_host = target_consists_of(target->name, TARGET_HOST_CHARACTERS);
    if (target_parse_port(&target->port, colon + 1, false)) {
        if (colon == target->name)
            return target_reject(failure, text, "has no name or address before the port");
        return OTA_OK;
    }

    /* "kitchen:lamp" is an instance's name, "10.0.0.7:http", "kitchen:" and "kitchen:0" are not. */
    if (is_host && (target_consists_of(colon + 1, TARGET_DIGITS) || strchr(target->name, '.')))
        return target_reject(failure, text, "has no port from 1 to 65535 after the colon");
    *colon = ':';
    return OTA_OK;
}

/* The labels of a host name. */
struct labels {
    const char *last;
    size_t count;
    size_t longest;
    bool any_empty;
    bool any_edge_hyphen; /* a label begins or ends with one, as no host name may */
};

static struct labels examine_labels(const char *name)
{
    struct labels labels = {.last = name};

    for (const char *start = name;; start = labels.last + strcspn(labels.last, ".") + 1) {
        size_t length = strcspn(start, ".");

        labels.last = start;
        labels.count++;
        labels.any_empty |= length == 0;
        labels.any_edge_hyphen |= start[0] == '-' || (length > 0 && start[length - 1] == '-');
        if (length > labels.longest)
            labels.longest = length;
        if (start[length] == '\0')
            return labels;
    }
}

static enum ota_error set_instance(struct target *target, const char *text,
                                   struct ota_failure *failure)
{
    char why[WHY_MAX];

    if (strlen(target->name) > INSTANCE_MAX) {
        snprintf(why, sizeof why, "is longer than the %d bytes that a board's name can have",
                 INSTANCE_MAX);
        return target_reject(failure, text, why);
    }
    target->kind = TARGET_INSTANCE;
    return OTA_OK;
}

/* Handles a name under .local, or one that consists only of letters, digits, "-", "_" and dots. */
static enum ota_error set_host(struct target *target, const char *text, bool is_ascii,
                               struct ota_failure *failure)
{
    char *name = target->name, why[WHY_MAX];
    size_t length = strlen(name);
    struct in_addr ignored;

    if (length > 1 && name[length - 1] == '.')
        name[--length] = '\0';

    struct labels labels = examine_labels(name);
    bool is_local = labels.count > 1 && strcasecmp(labels.last, "local") == 0;
    if (labels.any_empty)
        return target_reject(failure, text,
                             "is not a host name: there is nothing between two dots");

    /* inet_aton() would also accept "1 lamp.local". */
    if (labels.count > 1 && target_consists_of(name, TARGET_HOST_CHARACTERS) &&
        inet_aton(name, &ignored) != 0)
        return reject_v4(failure, text);

    if (labels.any_edge_hyphen)
        return set_instance(target, text, failure);
    /* Only multicast DNS has names beyond ASCII, and no domain ends in a number. */
    if (!is_local && (!is_ascii || inet_aton(labels.last, &ignored) != 0))
        return set_instance(target, text, failure);
    if (labels.longest > LABEL_MAX || length > HOST_MAX) {
        snprintf(why, sizeof why,
                 "is not a host name: it is longer than %d characters, or %d between dots",
                 HOST_MAX, LABEL_MAX);
        return target_reject(failure, text, why);
    }

    if (is_local)
        target->kind = TARGET_LOCAL;
    else
        target->kind = labels.count > 1 ? TARGET_HOST : TARGET_LABEL;
    return OTA_OK;
}

static bool ends_in_local(const char *name)
{
    size_t length = strlen(name);

    if (length > 0 && name[length - 1] == '.')
        length--;
    return length > strlen(".local") &&
           strncasecmp(name + length - strlen(".local"), ".local", strlen(".local")) == 0;
}

size_t target_service_suffix(char suffix[TARGET_SUFFIX_MAX], enum service service)
{
    return (size_t)snprintf(suffix, TARGET_SUFFIX_MAX, ".%s.local", service_type(service));
}

/* Moves the service from "NAME._arduino._tcp.local" to target->service. */
static bool strip_service(struct target *target)
{
    size_t length = strlen(target->name);

    if (length > 0 && target->name[length - 1] == '.')
        length--;
    for (int service = 0; service < SERVICE_COUNT; service++) {
        char suffix[TARGET_SUFFIX_MAX];
        const size_t size = target_service_suffix(suffix, (enum service)service);

        if (length > size && strncasecmp(target->name + length - size, suffix, size) == 0) {
            target->name[length - size] = '\0';
            target->service = (enum service)service;
            return true;
        }
    }
    return false;
}

/* Whatever stands before the service is an instance's name, even if it reads as an address. */
bool target_split_full_name(struct target *target)
{
    char *colon = strrchr(target->name, ':');
    uint16_t port = 0;

    if (strip_service(target))
        return true;
    if (!colon || !target_parse_port(&port, colon + 1, false))
        return false;

    *colon = '\0';
    if (strip_service(target)) {
        target->port = port;
        return true;
    }
    *colon = ':';
    return false;
}

/* is_full: the name of an instance, from its full name. */
static enum ota_error parse_name(struct target *target, const char *text, bool is_full,
                                 struct ota_failure *failure)
{
    const char *name = target->name;
    bool is_ascii = true;
    bool is_host = !is_full;

    if (name[0] == ' ' || name[strlen(name) - 1] == ' ')
        return target_reject(failure, text, "begins or ends with a space");

    for (const char *c = name; *c != '\0'; c++) {
        is_ascii &= (*c & 0x80) == 0;
        is_host &= (*c & 0x80) != 0 || strchr(TARGET_HOST_CHARACTERS, *c);
    }

    /* Boards accept any text as their host name. */
    return is_host || (!is_full && ends_in_local(name)) ? set_host(target, text, is_ascii, failure)
                                                        : set_instance(target, text, failure);
}

enum ota_error target_parse_board(struct target *target, const char *text,
                                  struct ota_failure *failure)
{
    memset(target, 0, sizeof *target);
    memcpy(target->name, text, strlen(text));

    if (target_split_full_name(target))
        return parse_name(target, text, true, failure);
    if (is_bracketed_attempt(text))
        return parse_bracketed(target, text, failure);
    if (!address_parse(&target->address, text)) {
        if (is_v6_attempt(text))
            return reject_v6(failure, text);
        if (split_port(target, text, failure) != OTA_OK)
            return failure->error;
    }

    if (address_parse(&target->address, target->name))
        return check_address(&target->address, text, failure);
    if (is_v4_attempt(target->name))
        return reject_v4(failure, text);
    return parse_name(target, text, false, failure);
}
