/*
 * test-remedy.c: a case for each row of the table of remedies, and rules for all of them.
 */
#include "output/remedy.h"

#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "fleet/hosts.h"

#define SKETCH OTA_COMMAND_SKETCH
#define FILESYSTEM OTA_COMMAND_FILESYSTEM
#define CONTAINER SURROUNDINGS_CONTAINER
#define DESKTOP SURROUNDINGS_DESKTOP
#define WSL SURROUNDINGS_WSL
#define MIRRORED SURROUNDINGS_MIRRORED
#define WSL1 SURROUNDINGS_WSL1

enum { ROWS_MAX = 256, REMEDY_MAX = OTA_MESSAGE_MAX / 2 };

static const struct row {
    enum ota_error error;
    enum ota_cause cause;
    enum ota_command command;
    const char *chips;
    const char *phrase;
} cases[] = {
    {OTA_E_REFUSED, OTA_CAUSE_NO_SPACE, FILESYSTEM, "esp32*", "partition table on the board"},
    {OTA_E_BOARD, OTA_CAUSE_NO_SPACE, FILESYSTEM, "esp8266", "flash layout"},
    {OTA_E_BOARD, OTA_CAUSE_NO_SPACE, SKETCH, "esp32*", "larger app partitions"},
    {OTA_E_REFUSED, OTA_CAUSE_NO_SPACE, SKETCH, "esp8266", "Send the sketch compressed (-z)"},
    {OTA_E_BOARD, OTA_CAUSE_NO_SPACE, SKETCH, "rp*", "Delete files on the board"},
    {OTA_E_REFUSED, OTA_CAUSE_NO_SPACE, SKETCH, "ch32h4", "memory that holds it"},
    {OTA_E_REFUSED, OTA_CAUSE_NO_SPACE, SKETCH, "", "also takes it compressed"},
    {OTA_E_REFUSED, OTA_CAUSE_NO_SPACE_COMPRESSED, SKETCH, "esp8266",
     "Make the sketch smaller, or"},
    {OTA_E_BOARD, OTA_CAUSE_NO_SPACE_COMPRESSED, SKETCH, "rp*", "make the sketch smaller, or"},
    {OTA_E_BOARD, OTA_CAUSE_BAD_SIZE, FILESYSTEM, "esp32*", "mounts a SPIFFS"},
    {OTA_E_BOARD, OTA_CAUSE_BAD_SIZE, FILESYSTEM, "esp8266", "room for a filesystem"},
    {OTA_E_BOARD, OTA_CAUSE_BAD_SIZE, SKETCH, "esp32*", "larger app partitions"},
    {OTA_E_BOARD, OTA_CAUSE_BAD_SIZE, SKETCH, "rp*", "Delete files on the board"},
    {OTA_E_BOARD, OTA_CAUSE_BAD_SIZE, SKETCH, "", "leaves no room"},
    {OTA_E_BOARD, OTA_CAUSE_RUNNING, SKETCH, "esp8266", "may run until then"},
    {OTA_E_REFUSED, OTA_CAUSE_UNSAID, SKETCH, "rp*", "older cores do not say"},
    {OTA_E_BOARD, OTA_CAUSE_UNSAID, FILESYSTEM, "rp*", "failed without an error"},
    {OTA_E_BOARD, OTA_CAUSE_NEW_FLASH_CONFIG, SKETCH, "esp32*", "larger app partitions"},
    {OTA_E_REFUSED, OTA_CAUSE_FLASH_CONFIG, SKETCH, "", "the running one"},
    {OTA_E_BOARD, OTA_CAUSE_NEW_FLASH_CONFIG, SKETCH, "esp8266", "this one is for a larger chip"},
    {OTA_E_BOARD, OTA_CAUSE_MAGIC_BYTE, SKETCH, "ch32h4", "firmware_ota.bin"},
    {OTA_E_BOARD, OTA_CAUSE_MAGIC_BYTE, SKETCH, "esp8266", "needs -s"},
    {OTA_E_REFUSED, OTA_CAUSE_BOOTSTRAP, SKETCH, "", "reset button once"},
    {OTA_E_BOARD, OTA_CAUSE_SIGNATURE, FILESYSTEM, "esp32*", "--sign KEY"},
    {OTA_E_BOARD, OTA_CAUSE_NO_DATA, SKETCH, "", "nothing of the image arrived"},
    {OTA_E_BOARD, OTA_CAUSE_NO_MEMORY, SKETCH, "", "too little memory"},
    {OTA_E_BOARD, OTA_CAUSE_FLASH, FILESYSTEM, "", "worn out"},
    {OTA_E_BOARD, OTA_CAUSE_TOO_SLOW, SKETCH, "", "too slowly"},
    {OTA_E_BOARD, OTA_CAUSE_MD5, SKETCH, "esp32*", "corrupted in transit"},
    {OTA_E_BOARD, OTA_CAUSE_NOT_ACTIVATED, SKETCH, "esp32*", "built for this chip"},
    {OTA_E_BOARD, OTA_CAUSE_DECRYPTION, SKETCH, "esp32*", "encrypted image"},
    {OTA_E_BOARD, OTA_CAUSE_NO_PARTITION, FILESYSTEM, "", "a partition for the filesystem"},
    {OTA_E_BOARD, OTA_CAUSE_NO_PARTITION, SKETCH, "", "two app partitions"},
    {OTA_E_REFUSED, OTA_CAUSE_NO_FILESYSTEM, FILESYSTEM, "rp*", "room for a filesystem"},
    {OTA_E_UNKNOWN, OTA_CAUSE_RESTARTED, SKETCH, "esp32*", "an ESP32 restarts by itself only"},
    {OTA_E_UNKNOWN, OTA_CAUSE_RESTARTED, SKETCH, "esp8266", "but also after a crash"},
    {OTA_E_UNKNOWN, OTA_CAUSE_RESTARTED, FILESYSTEM, "", "but also after a crash"},
    {OTA_E_LOST, OTA_CAUSE_PART_KEPT, SKETCH, "esp8266", "off and on before you try again"},
    {OTA_E_LOST, OTA_CAUSE_PART_UNSURE, SKETCH, "esp8266", "off and on before you start again"},
    {OTA_E_UNKNOWN, OTA_CAUSE_GONE, SKETCH, "esp32*", "lost power"},
    {OTA_E_UNKNOWN, OTA_CAUSE_NONE, SKETCH, "esp32*", "may already have installed"},
    {OTA_E_INTERNAL, OTA_CAUSE_TOO_MANY_FILES, SKETCH, "", "limit of open files"},
    {OTA_E_OUTPUT, OTA_CAUSE_TOO_MANY_FILES, SKETCH, "", "limit of open files"},
    {OTA_E_INTERNAL, OTA_CAUSE_TOO_MANY_LOGS, SKETCH, "", "or follow fewer logs"},
    {OTA_E_INTERNAL, OTA_CAUSE_OUT_OF_MEMORY, SKETCH, "", "Free memory on this computer"},
    {OTA_E_NO_MDNS, OTA_CAUSE_NO_LIBRARY, SKETCH, "", "libavahi-client3), or name"},
    {OTA_E_NOT_FOUND, OTA_CAUSE_NO_LIBRARY, SKETCH, "", "libavahi-client3), or give"},
    {OTA_E_INTERNAL, OTA_CAUSE_NO_LIBRARY, SKETCH, "", "libcurl4"},
    {OTA_E_INTERNAL, OTA_CAUSE_OTHER_TLS, SKETCH, "", "the libcurl of OpenSSL (Debian's"},
    {OTA_E_INTERNAL, OTA_CAUSE_NO_CERTIFICATES, SKETCH, "", "package is ca-certificates"},
    {OTA_E_INTERNAL, OTA_CAUSE_TOO_MANY_PROCESSES, SKETCH, "", "ulimit -u"},
    {OTA_E_INTERNAL, OTA_CAUSE_HELPER_LOST, SKETCH, "", "Start esp-ota again"},
    {OTA_E_INTERNAL, OTA_CAUSE_DISK_FULL, SKETCH, "", "Make room"},
    {OTA_E_INTERNAL, OTA_CAUSE_NONE, SKETCH, "", "--debug"},
    {OTA_E_OUTPUT, OTA_CAUSE_DISK_FULL, SKETCH, "", "Make room"},
    {OTA_E_OUTPUT, OTA_CAUSE_NO_FOLDER, SKETCH, "", "Create the directory"},
    {OTA_E_OUTPUT, OTA_CAUSE_PATH_IS_ODD, SKETCH, "", ""},
    {OTA_E_OUTPUT, OTA_CAUSE_NOT_ALLOWED, SKETCH, "", "where you may write"},
    {OTA_E_OUTPUT, OTA_CAUSE_NOT_A_FILE, SKETCH, "", "the name of a file"},
    {OTA_E_OUTPUT, OTA_CAUSE_MOUNT_POINT, SKETCH, "", "Mount the directory"},
    {OTA_E_OUTPUT, OTA_CAUSE_NAME_TOO_LONG, SKETCH, "", "a shorter name"},
    {OTA_E_OUTPUT, OTA_CAUSE_LINK_LOOP, SKETCH, "", "Correct the symbolic links"},
    {OTA_E_OUTPUT, OTA_CAUSE_READER_GONE, SKETCH, "", "it has stopped or ended"},
    {OTA_E_OUTPUT, OTA_CAUSE_CLOSED, SKETCH, "", "Leave it open"},
    {OTA_E_INTERNAL, OTA_CAUSE_CLOSED, SKETCH, "", "Leave it open"},
    {OTA_E_NOT_FOUND, OTA_CAUSE_NO_AVAHI, SKETCH, "", "Start Avahi and D-Bus"},
    {OTA_E_NOT_FOUND, OTA_CAUSE_NO_NETWORK, SKETCH, "", "Connect this computer to the boards'"},
    {OTA_E_NOT_FOUND, OTA_CAUSE_NO_BOARDS, SKETCH, "", "UDP port 5353"},
    {OTA_E_NOT_FOUND, OTA_CAUSE_NO_SUCH_BOARD, SKETCH, "", "pattern that matches one"},
    {OTA_E_NOT_FOUND, OTA_CAUSE_OTHER_PROTOCOL, SKETCH, "", "Give the --protocol of"},
    {OTA_E_NOT_FOUND, OTA_CAUSE_OTHER_NAMES, SKETCH, "", "Check the spelling of the name"},
    {OTA_E_NOT_FOUND, OTA_CAUSE_OTHER_WAY, SKETCH, "",
     "Check the spelling of the name, and write the way"},
    {OTA_E_NOT_FOUND, OTA_CAUSE_SEPARATED, SKETCH, "", "one name with each -i"},
    {OTA_E_NOT_FOUND, OTA_CAUSE_PATTERN, SKETCH, "", "Give a pattern with --match"},
    {OTA_E_NOT_FOUND, OTA_CAUSE_NO_ADDRESS, SKETCH, "", "Restart the board"},
    {OTA_E_NO_CONNECTION, OTA_CAUSE_OTHER_ADDRESS, SKETCH, "esp32*", "Give --peer"},
    {OTA_E_UNPROVEN, OTA_CAUSE_NOT_RESTARTED, SKETCH, "", "the next reset"},
    {OTA_E_UNPROVEN, OTA_CAUSE_NOT_BACK, SKETCH, "esp32*", "--online=SECONDS"},
    {OTA_E_UNPROVEN, OTA_CAUSE_RESTART_UNKNOWN, SKETCH, "", "keep this computer in the network"},
    {OTA_E_UNPROVEN, OTA_CAUSE_LOG_REJECTED, SKETCH, "", "that --reject matches"},
    {OTA_E_UNPROVEN, OTA_CAUSE_LOG_UNMATCHED, SKETCH, "", "has logged no line that is expected"},
    {OTA_E_UNPROVEN, OTA_CAUSE_LOG_SILENT, SKETCH, "", "with each new connection"},
    {OTA_E_UNPROVEN, OTA_CAUSE_LOG_REFUSED, SKETCH, "", "Check the port of the log"},
    {OTA_E_UNPROVEN, OTA_CAUSE_LOG_UNDECIDED, SKETCH, "", "simpler expression for --reject"},
    {OTA_E_UNPROVEN, OTA_CAUSE_OTHER_VERSION, SKETCH, "", "--expect-version"},
    {OTA_E_UNPROVEN, OTA_CAUSE_NO_VERSION, SKETCH, "", "--expect-timeout"},
    {OTA_E_UNPROVEN, OTA_CAUSE_RECOVERY, SKETCH, "", "Restart 3"},
    {OTA_E_NOT_RETURNED, OTA_CAUSE_RECOVERY, SKETCH, "", "Restart 3"},
    {OTA_E_UNPROVEN, OTA_CAUSE_PROOF_LATE, SKETCH, "", "Give --deadline more seconds: after"},
    {OTA_E_INTERRUPTED, OTA_CAUSE_PROOF_CUT_SHORT, SKETCH, "", "only the proof was not waited"},
    {OTA_E_INTERRUPTED, OTA_CAUSE_VERDICT_CUT_SHORT, SKETCH, "", "may have installed it and"},
    {OTA_E_INTERRUPTED, OTA_CAUSE_LOG_CUT_SHORT, SKETCH, "", "leave out -f"},
    {OTA_E_NOT_RETURNED, OTA_CAUSE_OTHER_VERSION, SKETCH, "", "exactly the version"},
    {OTA_E_NOT_RETURNED, OTA_CAUSE_NO_VERSION, SKETCH, "", "only if its sketch reports a version"},
    {OTA_E_NOT_RETURNED, OTA_CAUSE_NEVER_ASKED, SKETCH, "", "sketches ask the URL"},
    {OTA_E_NOT_RETURNED, OTA_CAUSE_TOO_FEW_ASKED, SKETCH, "", "of the other boards ask the URL"},
    {OTA_E_NOT_RETURNED, OTA_CAUSE_NO_MAC, SKETCH, "", "its board's MAC"},
    {OTA_E_NOT_RETURNED, OTA_CAUSE_NO_IMAGE, SKETCH, "", "an image that is for the board"},
    {OTA_E_NOT_RETURNED, OTA_CAUSE_UNFINISHED, SKETCH, "", "if downloads break off"},
    {OTA_E_NOT_RETURNED, OTA_CAUSE_KEEPS_OLD, SKETCH, "", "start the image that it takes"},
    {OTA_E_NOT_RETURNED, OTA_CAUSE_OTHER_IMAGE, SKETCH, "", "nobody else updates the board"},
    {OTA_E_NOT_RETURNED, OTA_CAUSE_NOT_BACK, SKETCH, "", "If the board sleeps"},
    {OTA_E_NOT_RETURNED, OTA_CAUSE_SEVERAL, SKETCH, "", "See the lines above"},
    {OTA_E_NOT_RETURNED, OTA_CAUSE_TURNED_AWAY, SKETCH, "", "what the warnings say"},
    {OTA_E_NEVER_ASKED, OTA_CAUSE_NOT_TOLD, SKETCH, "", "Serve the image again, and for longer"},
    {OTA_E_NEVER_ASKED, OTA_CAUSE_ONLY_TOLD, SKETCH, "", "look on the board's console"},
    {OTA_E_NEVER_ASKED, OTA_CAUSE_OTHER_PATH, SKETCH, "", "Let its sketch ask the URL"},
    {OTA_E_UNAUTHORIZED, OTA_CAUSE_NO_PASSWORD, SKETCH, "", "HTTP Basic"},
    {OTA_E_NO_PORT, OTA_CAUSE_WRONG_SOURCE, SKETCH, "", "Leave out -I"},
    {OTA_E_OUTPUT, OTA_CAUSE_NONE, SKETCH, "", "disk is not full"},
    {OTA_E_NO_PORT, OTA_CAUSE_PORT_IN_USE, SKETCH, "", "--serve=8081"},
    {OTA_E_NO_PORT, OTA_CAUSE_PORT_PRIVILEGED, SKETCH, "", "CAP_NET_BIND_SERVICE"},
    {OTA_E_NO_PORT, OTA_CAUSE_NOT_OUR_ADDRESS, SKETCH, "", "an address of this computer"},
    {OTA_E_NO_PORT, OTA_CAUSE_NONE, SKETCH, "", "another port or a range"},
    {OTA_E_LOCAL, OTA_CAUSE_FIREWALL, SKETCH, "", "nft list ruleset"},
    {OTA_E_UNREACHABLE, OTA_CAUSE_NO_ROUTE, SKETCH, "esp32*", "to the board's network, or check"},
    {OTA_E_LOCAL, OTA_CAUSE_WRONG_SOURCE, SKETCH, "", "Leave out -I"},
    {OTA_E_LOCAL, OTA_CAUSE_NO_WAY_OUT, FILESYSTEM, "", "the route that keeps it in"},
    {OTA_E_LOCAL, OTA_CAUSE_BROADCAST, SKETCH, "", "of the board itself"},
    {OTA_E_LOCAL, OTA_CAUSE_NONE, SKETCH, "", "routes and firewall"},
    {OTA_E_SIGNATURE, OTA_CAUSE_NONE, SKETCH, "", "--verify-key that key"},
    {OTA_E_NOT_FOUND, OTA_CAUSE_NONE, SKETCH, "", "UDP port 5353 in, and the spelling of its name"},
    {OTA_E_AMBIGUOUS, OTA_CAUSE_OTHER_ADDRESS, SKETCH, "", "Run esp-ota again for this board"},
    {OTA_E_AMBIGUOUS, OTA_CAUSE_SHARED_ADDRESS, SKETCH, "", "if not, give the IP address of each"},
    {OTA_E_AMBIGUOUS, OTA_CAUSE_EARLIER_ADDRESS, SKETCH, "", "that has its image already"},
    {OTA_E_AMBIGUOUS, OTA_CAUSE_NONE, SKETCH, "", "name of its own"},
    {OTA_E_NO_MDNS, OTA_CAUSE_NONE, SKETCH, "", "Start Avahi"},
    {OTA_E_NO_CONNECTION, OTA_CAUSE_OTHER_NETWORK, SKETCH, "esp32*", "NAT: forward it"},
    {OTA_E_NO_ANSWER, OTA_CAUSE_DETOUR, SKETCH, "", "-I wlan0"},
    {OTA_E_NO_ANSWER, OTA_CAUSE_OTHER_NETWORK, SKETCH, "", "into the board's network"},
    {OTA_E_NOT_LISTENING, OTA_CAUSE_OTHER_PORT, SKETCH, "", "Leave the port out"},
    {OTA_E_NOT_LISTENING, OTA_CAUSE_THIS_COMPUTER, SKETCH, "", "address of the board itself"},
    {OTA_E_UNREACHABLE, OTA_CAUSE_NOBODY, SKETCH, "", "no device has the address"},
    {OTA_E_NO_ANSWER, OTA_CAUSE_THERE, SKETCH, "", "another device has the address now"},
    {OTA_E_NO_ANSWER, OTA_CAUSE_ESPHOME, SKETCH, "", "Write esphome:// before"},
    {OTA_E_NOT_LISTENING, OTA_CAUSE_ANNOUNCES_ESPOTA, SKETCH, "", "(or give --protocol espota)."},
    {OTA_E_NO_ANSWER, OTA_CAUSE_ANNOUNCES_ESPHOME, SKETCH, "", "or give --protocol esphome)."},
    {OTA_E_NOT_LISTENING, OTA_CAUSE_ANNOUNCES_SKETCH, SKETCH, "", "(or give --protocol sketch)."},
    {OTA_E_NO_ANSWER, OTA_CAUSE_ANNOUNCES_WEB, SKETCH, "", "(or give --protocol web)."},
    {OTA_E_NO_ANSWER, OTA_CAUSE_NONE, SKETCH, "", "ArduinoOTA.handle() often"},
    {OTA_E_NOT_LISTENING, OTA_CAUSE_ANNOUNCED, SKETCH, "", "that of an earlier sketch"},
    {OTA_E_NOT_LISTENING, OTA_CAUSE_NONE, SKETCH, "", "Check the port"},
    {OTA_E_NOT_LISTENING, OTA_CAUSE_PORT_OF_IMAGE, SKETCH, "", "Check that the image is for this"},
    {OTA_E_UNREACHABLE, OTA_CAUSE_NONE, SKETCH, "", "client isolation"},
    {OTA_E_WRONG_PASSWORD, OTA_CAUSE_NONE, FILESYSTEM, "", "now running on the board."},
    {OTA_E_WRONG_PASSWORD, OTA_CAUSE_NONE, SKETCH, "", "the image that is being sent"},
    {OTA_E_PASSWORD_NEEDED, OTA_CAUSE_NONE, SKETCH, "", "--auth-file"},
    {OTA_E_PASSWORD_NEEDED, OTA_CAUSE_TYPED_REJECTED, SKETCH, "", "No right password was typed"},
    {OTA_E_WEAK_AUTH, OTA_CAUSE_NONE, SKETCH, "esp32*", "core 3.3.1"},
    {OTA_E_WEAK_AUTH, OTA_CAUSE_NONE, SKETCH, "", "supports only MD5"},
    {OTA_E_DOWNGRADE, OTA_CAUSE_NONE, SKETCH, "", "who answers at the board's address"},
    {OTA_E_NOT_ASKED, OTA_CAUSE_NONE, SKETCH, "", "without a password; --force"},
    {OTA_E_NO_VERDICT, OTA_CAUSE_NONE, SKETCH, "", "help an attacker to guess"},
    {OTA_E_REFUSED, OTA_CAUSE_NONE, SKETCH, "", "if it names none"},
    {OTA_E_NO_CONNECTION, OTA_CAUSE_NONE, FILESYSTEM, "esp32*", "says nothing if it lacks one"},
    {OTA_E_NO_CONNECTION, OTA_CAUSE_NONE, SKETCH, "esp32*", "fits its app partition"},
    {OTA_E_NO_CONNECTION, OTA_CAUSE_NONE, FILESYSTEM, "esp8266", "in the firewall)."},
    {OTA_E_NO_CONNECTION, OTA_CAUSE_NONE, SKETCH, "esp8266", "a core of 2016 or before"},
    {OTA_E_NO_CONNECTION, OTA_CAUSE_NONE, SKETCH, "rp*", "in the firewall)."},
    {OTA_E_NO_CONNECTION, OTA_CAUSE_NONE, FILESYSTEM, "", "if it is an ESP32"},
    {OTA_E_NO_CONNECTION, OTA_CAUSE_NONE, SKETCH, "", "an ESP32 refuses a larger one"},
    {OTA_E_LOST, OTA_CAUSE_NONE, FILESYSTEM, "", "unusable"},
    {OTA_E_LOST, OTA_CAUSE_NONE, SKETCH, "", "never started"},
    {OTA_E_STALLED, OTA_CAUSE_NONE, SKETCH, "", "reset button if it no longer answers"},
    {OTA_E_DEADLINE, OTA_CAUSE_NONE, SKETCH, "", "--deadline more seconds"},
    {OTA_E_EARLY_OK, OTA_CAUSE_NONE, SKETCH, "", "nothing in between answers"},
    {OTA_E_BOARD, OTA_CAUSE_NONE, SKETCH, "", "Fix the cause that the board names; if there"},
    {OTA_E_UNPROVEN, OTA_CAUSE_NONE, SKETCH, "", "Check what the board does"},
    {OTA_E_NEVER_ASKED, OTA_CAUSE_NONE, SKETCH, "", "firewall lets it in"},
    {OTA_E_NOT_RETURNED, OTA_CAUSE_NONE, SKETCH, "", "serve for longer"},
    {OTA_E_MIXED, OTA_CAUSE_NONE, SKETCH, "", "for each board"},
    {OTA_E_INTERRUPTED, OTA_CAUSE_NONE, SKETCH, "", "when you are ready"},
};

/* Remedies after --wait, which do not advise it. */
static const struct row after_wait[] = {
    {OTA_E_UNREACHABLE, OTA_CAUSE_NO_ROUTE, SKETCH, "esp32*", "shows the way to it)."},
    {OTA_E_NOT_LISTENING, OTA_CAUSE_NONE, SKETCH, "",
     "joined the Wi-Fi; if it has an update page instead, write http:// before its name."},
    {OTA_E_NOT_LISTENING, OTA_CAUSE_PORT_OF_IMAGE, SKETCH, "", "http:// before its name."},
    {OTA_E_NOT_LISTENING, OTA_CAUSE_ANNOUNCED, SKETCH, "", "that of an earlier sketch."},
    {OTA_E_NO_ANSWER, OTA_CAUSE_NOBODY, SKETCH, "", "no device has the address"},
};

/* Remedies for ESPHome. */
static const struct row on_esphome[] = {
    {OTA_E_REFUSED, OTA_CAUSE_NO_SPACE, SKETCH, "", "leaving out components"},
    {OTA_E_REFUSED, OTA_CAUSE_NO_SPACE_COMPRESSED, SKETCH, "", "leaving out components"},
    {OTA_E_BOARD, OTA_CAUSE_NOT_ACTIVATED, SKETCH, "", "firmware.ota.bin"},
    {OTA_E_BOARD, OTA_CAUSE_SIGNATURE, SKETCH, "", "built to verify"},
    {OTA_E_REFUSED, OTA_CAUSE_NO_PREPARATION, SKETCH, "", "could not begin"},
    {OTA_E_REFUSED, OTA_CAUSE_OLDER_VERSION, SKETCH, "", "forbids going back"},
    {OTA_E_NO_ANSWER, OTA_CAUSE_NONE, SKETCH, "", "one client at a time"},
    {OTA_E_NO_ANSWER, OTA_CAUSE_DETOUR, SKETCH, "", "-I wlan0"},
    {OTA_E_NO_ANSWER, OTA_CAUSE_WRONG_SOURCE, SKETCH, "", "Leave out -I"},
    {OTA_E_NOT_LISTENING, OTA_CAUSE_NONE, SKETCH, "", "below \"ota:\" sets it"},
    {OTA_E_NOT_LISTENING, OTA_CAUSE_PORT_OF_IMAGE, SKETCH, "", "for a port that \"port:\" below"},
    {OTA_E_WRONG_PASSWORD, OTA_CAUSE_NONE, SKETCH, "", "stands below \"ota:\""},
    {OTA_E_WEAK_AUTH, OTA_CAUSE_NONE, SKETCH, "", "2025.10 or later"},
    {OTA_E_PASSWORD_NEEDED, OTA_CAUSE_PROJECT_BOARD, SKETCH, "",
     "(auth-file = FILE, in that folder)"},
    {OTA_E_KEY_NEEDED, OTA_CAUSE_PROJECT_BOARD, SKETCH, "", "(encryption-key-file = FILE, in that"},
    {OTA_E_KEY_NEEDED, OTA_CAUSE_NONE, SKETCH, "", "--encryption-key-file"},
    {OTA_E_WRONG_KEY, OTA_CAUSE_NONE, SKETCH, "", "below \"encryption:\""},
    {OTA_E_NO_ENCRYPTION, OTA_CAUSE_NONE, SKETCH, "", "2026.9 or later"},
};

/* Remedies in a container or in WSL. */
static const struct {
    enum surroundings where;
    struct row row;
} elsewhere[] = {
    {CONTAINER, {OTA_E_NO_CONNECTION, OTA_CAUSE_OTHER_NETWORK, SKETCH, "", "docker run -p 10000"}},
    {CONTAINER, {OTA_E_NO_CONNECTION, OTA_CAUSE_NONE, SKETCH, "rp*", "docker run -p 10000"}},
    {CONTAINER,
     {OTA_E_NO_ANSWER, OTA_CAUSE_OTHER_NETWORK, SKETCH, "",
      "awake and in the network of the container's host."}},
    {DESKTOP,
     {OTA_E_NO_ANSWER, OTA_CAUSE_OTHER_NETWORK, SKETCH, "",
      "the computer that runs Docker Desktop"}},
    {WSL, {OTA_E_NO_ANSWER, OTA_CAUSE_OTHER_NETWORK, SKETCH, "", "in the network of Windows"}},
    {WSL1, {OTA_E_NO_ANSWER, OTA_CAUSE_OTHER_NETWORK, SKETCH, "", "into the board's network"}},
    {CONTAINER, {OTA_E_NO_CONNECTION, OTA_CAUSE_OTHER_ADDRESS, SKETCH, "", "Give --peer"}},
    {DESKTOP, {OTA_E_NO_CONNECTION, OTA_CAUSE_NONE, SKETCH, "esp32*", "Publish a port"}},
    {DESKTOP, {OTA_E_NOT_FOUND, OTA_CAUSE_NO_AVAHI, SKETCH, "", "not even with --network host"}},
    {DESKTOP, {OTA_E_NO_MDNS, OTA_CAUSE_NONE, SKETCH, "", "run esp-ota outside of the container"}},
    {WSL, {OTA_E_NO_CONNECTION, OTA_CAUSE_OTHER_NETWORK, SKETCH, "", "interface portproxy"}},
    {MIRRORED, {OTA_E_NO_CONNECTION, OTA_CAUSE_NONE, SKETCH, "", "-Protocol TCP -LocalPorts"}},
    {MIRRORED,
     {OTA_E_NOT_FOUND, OTA_CAUSE_NO_BOARDS, SKETCH, "", "-Protocol UDP -LocalPorts 5353"}},
    {MIRRORED, {OTA_E_NOT_FOUND, OTA_CAUSE_NO_AVAHI, SKETCH, "", "Start Avahi and D-Bus"}},
    {WSL1, {OTA_E_NOT_FOUND, OTA_CAUSE_NO_AVAHI, SKETCH, "", "does not run in WSL 1"}},
    {WSL1, {OTA_E_NO_MDNS, OTA_CAUSE_NONE, SKETCH, "", "does not run in WSL 1"}},
    {CONTAINER, {OTA_E_NOT_FOUND, OTA_CAUSE_NO_AVAHI, SKETCH, "", "/run/dbus"}},
    {WSL, {OTA_E_NOT_FOUND, OTA_CAUSE_NO_BOARDS, SKETCH, "", "networkingMode=mirrored"}},
    {CONTAINER, {OTA_E_NOT_FOUND, OTA_CAUSE_NO_SUCH_BOARD, SKETCH, "", "pattern that matches"}},
    {CONTAINER, {OTA_E_NOT_FOUND, OTA_CAUSE_OTHER_NAMES, SKETCH, "", "Check the spelling"}},
    {CONTAINER, {OTA_E_NO_MDNS, OTA_CAUSE_NONE, SKETCH, "", "/run/dbus"}},
    {CONTAINER, {OTA_E_NOT_FOUND, OTA_CAUSE_NONE, SKETCH, "", "Give the board's IP address"}},
    {WSL, {OTA_E_NO_MDNS, OTA_CAUSE_NONE, SKETCH, "", "networkingMode=mirrored"}},
};

/* Remedies for update pages. */
static const struct row on_pages[] = {
    {OTA_E_PASSWORD_NEEDED, OTA_CAUSE_UNKNOWN_WAY, SKETCH, "", "Basic or Digest"},
    {OTA_E_PASSWORD_NEEDED, OTA_CAUSE_PIN, SKETCH, "", "Give the PIN"},
    {OTA_E_WRONG_PASSWORD, OTA_CAUSE_PIN_REJECTED, SKETCH, "", "the PIN that is set"},
    {OTA_E_NO_VERDICT, OTA_CAUSE_DENIED, SKETCH, "", "whom it lets in"},
    {OTA_E_BOARD, OTA_CAUSE_RELEASE, SKETCH, "", "the board's release"},
    {OTA_E_BOARD, OTA_CAUSE_NO_RELEASE, SKETCH, "", "no other shows its release"},
    {OTA_E_BOARD, OTA_CAUSE_STEP, SKETCH, "", "version that the board demands"},
    {OTA_E_PASSWORD_NEEDED, OTA_CAUSE_LOCKED, SKETCH, "", "Switch the lock off"},
    {OTA_E_PASSWORD_NEEDED, OTA_CAUSE_DENIED, SKETCH, "", "whom it lets in"},
    {OTA_E_WRONG_PASSWORD, OTA_CAUSE_DENIED, SKETCH, "", "whom it lets in"},
    {OTA_E_WRONG_PASSWORD, OTA_CAUSE_OUTSIDE, SKETCH, "", "from the board's own network"},
    {OTA_E_NOT_LISTENING, OTA_CAUSE_NONE, SKETCH, "", "leave http:// out"},
    {OTA_E_NO_ANSWER, OTA_CAUSE_NONE, SKETCH, "", "one client at a time"},
    {OTA_E_NO_PAGE, OTA_CAUSE_NONE, SKETCH, "", "page with the upload form"},
    {OTA_E_NO_ANSWER, OTA_CAUSE_BUSY, SKETCH, "", "Try again in a minute"},
    {OTA_E_NO_PAGE, OTA_CAUSE_MOVED, SKETCH, "", "a redirect is not followed"},
    {OTA_E_TLS, OTA_CAUSE_NONE, SKETCH, "", "--cacert"},
    {OTA_E_TLS, OTA_CAUSE_CERTIFICATE_DATE, SKETCH, "", "clock first"},
    {OTA_E_TLS, OTA_CAUSE_HANDSHAKE, SKETCH, "", "Write http://"},
    {OTA_E_TLS, OTA_CAUSE_OTHER_CERTIFICATE, SKETCH, "", "somebody else in the board's place"},
    {OTA_E_WRONG_PASSWORD, OTA_CAUSE_PASSWORD_REJECTED, SKETCH, "", "--user"},
    {OTA_E_WEAK_AUTH, OTA_CAUSE_NONE, SKETCH, "esp32*", "Basic and Digest"},
    {OTA_E_UNPROVEN, OTA_CAUSE_NOT_RESTARTED, SKETCH, "", "restart it"},
};

/* Remedies for boards that are told to fetch; the others are those of their pages. */
static const struct row on_told[] = {
    {OTA_E_NO_PAGE, OTA_CAUSE_NONE, SKETCH, "", "Leave --serve out"},
    {OTA_E_WRONG_PASSWORD, OTA_CAUSE_PASSWORD_REJECTED, SKETCH, "", "--user"},
};

/* Remedies for sketch servers. */
static const struct row on_sketch_servers[] = {
    {OTA_E_NOT_LISTENING, OTA_CAUSE_NONE, SKETCH, "", "65280"},
    {OTA_E_NO_ANSWER, OTA_CAUSE_NONE, SKETCH, "", "ArduinoOTA.poll()"},
    {OTA_E_NO_PAGE, OTA_CAUSE_NONE, SKETCH, "", "http://HOST means an update page"},
    {OTA_E_WRONG_PASSWORD, OTA_CAUSE_PASSWORD_REJECTED, SKETCH, "", "ArduinoOTA.begin()"},
    {OTA_E_WEAK_AUTH, OTA_CAUSE_NONE, SKETCH, "", "knows nothing better"},
};

struct seen {
    const char *texts[ROWS_MAX];
    size_t count;
};

/* What a remedy would have the user write in a list of boards can be written there. */
static void check_keys(const char *remedy)
{
    const char *word = strstr(remedy, " in its line of --hosts");

    if (!word)
        return;
    while (word > remedy && word[-1] != ' ')
        word--;
    if (!hosts_find_key(word, strcspn(word, "= ")))
        fail_msg("--hosts has no such key: %s", remedy);
}

static void look_up_failure(struct seen *seen, const struct ota_failure *failure,
                            const char *protocol, const struct row *row, enum surroundings where)
{
    const char *remedy = remedy_find(failure, protocol, row->command, row->chips, where);
    size_t known = 0;

    if (!strstr(remedy, row->phrase))
        fail_msg("no \"%s\" in: %s", row->phrase, remedy);
    check_keys(remedy);
    while (known < seen->count && seen->texts[known] != remedy)
        known++;
    assert_true(known < ROWS_MAX);
    if (known == seen->count)
        seen->texts[seen->count++] = remedy;
}

static void look_up(struct seen *seen, const char *protocol, const struct row *row,
                    enum surroundings where)
{
    const struct ota_failure failure = {.error = row->error, .cause = row->cause};

    look_up_failure(seen, &failure, protocol, row, where);
}

static void look_up_waited(struct seen *seen, const struct row *row)
{
    const struct ota_failure failure = {
        .error = row->error, .cause = row->cause, .is_waited_out = true};

    look_up_failure(seen, &failure, "espota", row, SURROUNDINGS_PLAIN);
}

/* Every row of the table matches a case, with the expected text. */
static void test_each_row(void **state)
{
    (void)state;
    struct seen seen = {.count = 0};

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        look_up(&seen, "espota", &cases[i], SURROUNDINGS_PLAIN);
    for (size_t i = 0; i < sizeof after_wait / sizeof *after_wait; i++)
        look_up_waited(&seen, &after_wait[i]);
    for (size_t i = 0; i < sizeof elsewhere / sizeof *elsewhere; i++)
        look_up(&seen, NULL, &elsewhere[i].row, elsewhere[i].where);
    for (size_t i = 0; i < sizeof on_pages / sizeof *on_pages; i++)
        look_up(&seen, "web", &on_pages[i], SURROUNDINGS_PLAIN);
    for (size_t i = 0; i < sizeof on_told / sizeof *on_told; i++)
        look_up(&seen, "fetch", &on_told[i], SURROUNDINGS_PLAIN);
    for (size_t i = 0; i < sizeof on_esphome / sizeof *on_esphome; i++)
        look_up(&seen, "esphome", &on_esphome[i], SURROUNDINGS_PLAIN);
    for (size_t i = 0; i < sizeof on_sketch_servers / sizeof *on_sketch_servers; i++)
        look_up(&seen, "sketch", &on_sketch_servers[i], SURROUNDINGS_PLAIN);
    assert_int_equal(seen.count, remedy_count);
}

/* Every failure has a remedy that fits the image, unless its message contains the remedy. */
static void test_all(void **state)
{
    (void)state;
    static const char *const chips[] = {"", "esp8266", "esp32*", "rp*"};

    for (enum ota_error error = OTA_OK; error < OTA_ERROR_COUNT; error++) {
        for (size_t i = 0; i < 2 * sizeof chips / sizeof *chips; i++) {
            const struct ota_failure failure = {.error = error};
            bool is_filesystem = i % 2;
            bool is_silent = error == OTA_OK || error == OTA_E_USAGE || error == OTA_E_IMAGE;
            const char *remedy = remedy_find(&failure, NULL, is_filesystem ? FILESYSTEM : SKETCH,
                                             chips[i / 2], SURROUNDINGS_PLAIN);

            assert_int_equal(*remedy == '\0', is_silent);
            if (is_silent)
                continue;
            assert_true(isupper((unsigned char)remedy[0]));
            assert_int_equal(remedy[strlen(remedy) - 1], '.');
            assert_true(strlen(remedy) < REMEDY_MAX);
            assert_null(strstr(remedy, is_filesystem ? "new sketch" : "filesystem may"));
        }
    }
}

/* What only some surroundings have is named there only. */
static void test_plain(void **state)
{
    (void)state;
    for (enum ota_error error = OTA_OK; error < OTA_ERROR_COUNT; error++) {
        for (enum ota_cause cause = OTA_CAUSE_NONE; cause < OTA_CAUSE_COUNT; cause++) {
            const struct ota_failure failure = {.error = error, .cause = cause};
            const char *remedy = remedy_find(&failure, "espota", SKETCH, "", SURROUNDINGS_PLAIN);

            assert_null(strstr(remedy, "Docker"));
            assert_null(strstr(remedy, "WSL"));
        }
    }
}

/* A connection that does not come has no known cause, or the other network: what is said can be
 * read at a glance, and does not list what this computer may have besides. */
static void test_no_connection(void **state)
{
    static const char *const chips[] = {"", "esp8266", "esp32*", "rp*"};
    enum { GLANCE_MAX = 240 };
    (void)state;

    for (size_t i = 0; i < 4 * sizeof chips / sizeof *chips; i++) {
        const bool is_elsewhere = i / 2 % 2;
        const struct ota_failure failure = {.error = OTA_E_NO_CONNECTION,
                                            .cause = is_elsewhere ? OTA_CAUSE_OTHER_NETWORK
                                                                  : OTA_CAUSE_NONE};
        const char *remedy = remedy_find(&failure, "espota", i % 2 ? FILESYSTEM : SKETCH,
                                         chips[i / 4], SURROUNDINGS_PLAIN);

        assert_true(strlen(remedy) <= GLANCE_MAX);
        assert_null(strstr(remedy, "VPN"));
        assert_int_equal(strstr(remedy, "NAT") != NULL, is_elsewhere);
    }
}

/* Remedies about the ESP32 are given for an ESP32 only, and none advises --wait after it. */
static void test_fitting(void **state)
{
    (void)state;
    for (enum ota_error error = OTA_OK; error < OTA_ERROR_COUNT; error++) {
        for (enum ota_cause cause = OTA_CAUSE_NONE; cause < OTA_CAUSE_COUNT; cause++) {
            struct ota_failure failure = {.error = error, .cause = cause};
            const char *remedy = remedy_find(&failure, NULL, SKETCH, "esp8266", SURROUNDINGS_PLAIN);
            bool names_ports = strstr(remedy, "ESP32 3232") != NULL;

            assert_true(names_ports || !strstr(remedy, "ESP32"));
            failure.is_waited_out = true;
            assert_null(
                strstr(remedy_find(&failure, NULL, SKETCH, "", SURROUNDINGS_PLAIN), "--wait"));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_row), cmocka_unit_test(test_all), cmocka_unit_test(test_plain),
        cmocka_unit_test(test_no_connection), cmocka_unit_test(test_fitting)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
