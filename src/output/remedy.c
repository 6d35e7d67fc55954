/*
 * remedy.c: the table of remedies. The first row that matches a failure counts, so specific rows
 * stand before general ones.
 */
#include "output/remedy.h"

#include "image/kind.h"

#include <string.h>

#define THE_PORT "this computer's TCP port (choose it with -P and open it in the firewall)"

#define MIRRORED                                                                                   \
    "switch WSL to mirrored networking (networkingMode=mirrored below [wsl2] in .wslconfig, on "   \
    "Windows 11)"
#define HYPERV_RULE                                                                                \
    "New-NetFirewallHyperVRule -Name esp-ota -DisplayName esp-ota -Direction Inbound "             \
    "-VMCreatorId '{40E0AC32-46A5-438A-A0B2-2B479E8F2E90}' "
#define NAMES_IN_CONTAINER                                                                         \
    "start the container with --network host and the host's D-Bus (-v /run/dbus:/run/dbus), "      \
    "where Avahi runs: multicast DNS does not get into a container with a network of its own."
#define NAMES_IN_DESKTOP                                                                           \
    "run esp-ota outside of the container: multicast DNS does not get into one of Docker Desktop " \
    "or WSL, not even with --network host."
#define NAMES_IN_WSL MIRRORED ": multicast DNS does not get into WSL's own network."
#define NAMES_IN_WSL1                                                                              \
    "convert the distribution (\"wsl --set-version NAME 2\") and " MIRRORED                        \
    ": Avahi does not run in WSL 1."
#define BY_ADDRESS "Give the board's IP address with -i, or "
#define ALL_BY_ADDRESS "Name the boards by their IP addresses with -i, or "

/* How a board gets its connection through. */
#define INTO_CONTAINER                                                                             \
    " the container with --network host, or publish a port (\"docker run -p 10000:10000\" with "   \
    "-P "                                                                                          \
    "10000 here): no board can connect into a container with a network of its own."
#define INTO_DESKTOP                                                                               \
    " a port (\"docker run -p 10000:10000\" with -P 10000 and --peer any here) and let the "       \
    "firewall of Windows or macOS pass it: no board can connect into a container with a network "  \
    "of its own."
#define INTO_WSL                                                                                   \
    " a port with -P, let Windows' Hyper-V firewall pass it, and " MIRRORED                        \
    ", or forward it there (\"netsh interface portproxy\", with --peer any here): no board can "   \
    "connect into WSL's own network."
/* Every board is outside of such a network; invitations leave it, so silence is the board's. */
#define CHECK_OUTSIDE "Check the address, and that the board is on, awake and in the network of "

#define FIND_A_ROUTE                                                                               \
    "Connect this computer to the board's network, or check the address (\"ip route get "          \
    "ADDRESS\" shows the way to it)"
#define BEGIN_LISTENING                                                                            \
    "that the sketch now on the board calls ArduinoOTA.begin() once it has joined the Wi-Fi; if "  \
    "it has an update page instead, write http:// before its name"
#define CHECK_LISTENER "Check the port (-p: " KIND_PORTS ") and " BEGIN_LISTENING
/* Another port would only send the wrong image to the board. */
#define CHECK_IMAGE "Check that the image is for this board, as the port comes from the image, and "

#define CHECK_ANNOUNCER                                                                            \
    "Check that the sketch now on the board calls ArduinoOTA.begin() once it has joined the "      \
    "Wi-Fi: the announcement may be that of an earlier sketch"

#define FIT_ESPHOME                                                                                \
    "Make the firmware smaller by leaving out components, or flash it over the cable once with "   \
    "larger app partitions"

#define FIT_FILESYSTEM                                                                             \
    "Delete files on the board, send the sketch compressed (-z), or choose a flash layout with a " \
    "larger filesystem, which keeps a new sketch until the restart"

enum image_kind { ANY_IMAGE, SKETCH, FILESYSTEM };

static const struct remedy {
    enum ota_error error;    /* OTA_OK: any */
    enum ota_cause cause;    /* OTA_CAUSE_NONE: any */
    enum image_kind image;   /* the kind of image to be sent */
    const char *chips;       /* the board has one of these; NULL: any */
    enum surroundings where; /* SURROUNDINGS_PLAIN: any */
    bool is_waited_out;      /* only after --wait; false: any */
    const char *protocol;    /* NULL: any */
    const char *text;
} remedies[] = {
    /* -- A board that a project file names. -- */
    {.error = OTA_E_PASSWORD_NEEDED,
     .cause = OTA_CAUSE_PROJECT_BOARD,
     .text = "Give it on the command line beside the board's name (--auth-file FILE), or name its "
             "file in .esp-ota (auth-file = FILE, in that folder); ESP_OTA_AUTH is not for this "
             "board."},
    {.error = OTA_E_KEY_NEEDED,
     .cause = OTA_CAUSE_PROJECT_BOARD,
     .text = "Give it on the command line beside the board's name (--encryption-key-file FILE), "
             "or name its file in .esp-ota (encryption-key-file = FILE, in that folder); "
             "ESP_OTA_ENCRYPTION_KEY is not for this board."},

    /* -- The board announces another protocol than it was asked by. -- */
    {.cause = OTA_CAUSE_ANNOUNCES_ESPOTA,
     .text = "Write espota:// before the board's name or address (or give --protocol espota)."},
    {.cause = OTA_CAUSE_ANNOUNCES_ESPHOME,
     .text = "Write esphome:// before the board's name or address (or give --protocol esphome)."},
    {.cause = OTA_CAUSE_ANNOUNCES_SKETCH,
     .text = "Write sketch:// before the board's name or address (or give --protocol sketch)."},
    {.cause = OTA_CAUSE_ANNOUNCES_WEB,
     .text = "Write http:// before the board's name or address (or give --protocol web)."},

    {.cause = OTA_CAUSE_OTHER_PORT,
     .text = "Leave the port out (-p, or behind the board's name), or give the one that the board "
             "announces."},

    /* -- This computer's way to the board, whatever the protocol. -- */
    {.cause = OTA_CAUSE_WRONG_SOURCE,
     .text = "Leave out -I, or give it the address or the name of this computer's interface in the "
             "board's network (\"ip address\" lists them)."},
    {.cause = OTA_CAUSE_DETOUR,
     .text = "End the VPN, or exclude the local network from it; or name the interface that is in "
             "the board's network, as with -I wlan0, which counts for more than the route."},
    {.cause = OTA_CAUSE_BROADCAST,
     .text = "Give the address of the board itself (\"esp-ota -l\" and the router list it)."},
    {.cause = OTA_CAUSE_NO_WAY_OUT,
     .text =
         "Remove the route that keeps it in (\"ip route\" lists them; some VPNs set one, so that "
         "nothing gets past them), or check the address."},

    /* -- ESPHome. -- */
    {.cause = OTA_CAUSE_NO_SPACE, .protocol = "esphome", .text = FIT_ESPHOME "."},
    {.cause = OTA_CAUSE_NO_SPACE_COMPRESSED,
     .protocol = "esphome",
     .text = FIT_ESPHOME "; it is compressed already."},
    {.cause = OTA_CAUSE_NOT_ACTIVATED,
     .protocol = "esphome",
     .text = "Build the firmware for this board's chip, and send the file for OTA "
             "(firmware.ota.bin on an ESP32); try again if it was the right one."},
    {.cause = OTA_CAUSE_SIGNATURE,
     .protocol = "esphome",
     .text = "Sign the firmware with the key that the running one was built to verify."},
    {.cause = OTA_CAUSE_NO_PREPARATION,
     .text = "Restart the board and try again: it could not begin the update, mostly because an "
             "earlier one broke off or memory is short."},
    {.cause = OTA_CAUSE_OLDER_VERSION,
     .text = "Send a newer version, or flash this one over the cable: the running firmware "
             "forbids going back."},
    {.error = OTA_E_NO_ANSWER,
     .protocol = "esphome",
     .text =
         "Check that the board is on and in this network, that its configuration has the OTA "
         "platform \"esphome\", and that the port (-p) is right; "
         "it serves one client at a time, and frees a broken connection only after 20 to 90 s."},
    {.cause = OTA_CAUSE_PORT_OF_IMAGE,
     .protocol = "esphome",
     .text = CHECK_IMAGE "that the board's configuration has the OTA platform \"esphome\"; -p is "
                         "for a port that \"port:\" below \"ota:\" sets."},
    {.error = OTA_E_NOT_LISTENING,
     .protocol = "esphome",
     .text = "Check that the board's configuration has the OTA platform \"esphome\", and the port "
             "(-p: " KIND_PORTS ", or as \"port:\" below \"ota:\" sets it)."},
    {.error = OTA_E_WRONG_PASSWORD,
     .protocol = "esphome",
     .text = "Give the password that stands below \"ota:\" in the YAML of the firmware now running "
             "on the board."},
    {.error = OTA_E_WEAK_AUTH,
     .protocol = "esphome",
     .text = "Update the board over the cable to ESPHome 2025.10 or later, which supports SHA-256, "
             "or leave --min-auth out if you trust everybody in its network."},
    {.error = OTA_E_KEY_NEEDED,
     .text = "Put the key that stands below \"api:\" and \"encryption:\" (or \"ota:\" and "
             "\"encryption:\") in the board's YAML into a file, and give it with "
             "--encryption-key-file."},
    {.error = OTA_E_WRONG_KEY,
     .text = "Give the key that stands below \"encryption:\" in the YAML of the firmware now "
             "running on the board; if it is the right one, find out who answers at its address."},
    {.error = OTA_E_NO_ENCRYPTION,
     .text = "Update the board to ESPHome 2026.9 or later, leave the key out for this board if you "
             "trust everybody in its network, or find out who answers at its address."},

    /* -- The board gave the cause. -- */
    {.cause = OTA_CAUSE_NO_SPACE,
     .image = FILESYSTEM,
     .chips = "esp32*",
     .text = "Build the filesystem image for the partition table on the board: its partition is "
             "smaller than the image."},
    {.cause = OTA_CAUSE_NO_SPACE,
     .image = FILESYSTEM,
     .text = "Build the filesystem image for the flash layout of the running sketch."},
    {.cause = OTA_CAUSE_NO_SPACE,
     .chips = "esp32*",
     .text = "Make the sketch smaller, or flash a partition table with larger app partitions over "
             "the cable."},
    {.cause = OTA_CAUSE_NO_SPACE,
     .chips = "ch32h4",
     .text = "Make the sketch smaller: the board has too little room for it in its flash, or in "
             "the memory that holds it until it is complete."},
    {.cause = OTA_CAUSE_NO_SPACE, .chips = "rp*", .text = FIT_FILESYSTEM "."},
    {.cause = OTA_CAUSE_NO_SPACE,
     .chips = "esp8266",
     .text = "Send the sketch compressed (-z), make it smaller, or choose another flash layout: "
             "the running and the new sketch must fit side by side."},
    {.cause = OTA_CAUSE_NO_SPACE,
     .text = "Make the sketch smaller or choose another flash layout, as the running and "
             "the new sketch must fit side by side; an ESP8266 or Pico W also takes it compressed "
             "(-z)."},
    {.cause = OTA_CAUSE_NO_SPACE_COMPRESSED,
     .chips = "rp*",
     .text = "Delete files on the board, make the sketch smaller, or choose a flash layout with a "
             "larger filesystem, which keeps a new sketch until the restart."},
    {.cause = OTA_CAUSE_NO_SPACE_COMPRESSED,
     .text = "Make the sketch smaller, or choose another flash layout: the running and the new "
             "sketch must fit side by side, although the new one is compressed."},
    {.cause = OTA_CAUSE_BAD_SIZE,
     .image = FILESYSTEM,
     .chips = "esp32*",
     .text =
         "Check that the image fits its partition, and that the running sketch mounts a SPIFFS: "
         "some pages take no filesystem image without one."},
    {.cause = OTA_CAUSE_BAD_SIZE,
     .image = FILESYSTEM,
     .text = "First upload a sketch that is built with room for a filesystem: the board has found "
             "none."},
    {.cause = OTA_CAUSE_BAD_SIZE,
     .chips = "esp32*",
     .text = "Make the sketch smaller, or flash a partition table with larger app partitions over "
             "the cable: that is what an ESP32 says of an image which does not fit its partition."},
    {.cause = OTA_CAUSE_BAD_SIZE, .chips = "rp*", .text = FIT_FILESYSTEM "; it has no room left."},
    {.cause = OTA_CAUSE_BAD_SIZE,
     .text = "Choose another flash layout: the running sketch leaves no room for a new one."},
    {.cause = OTA_CAUSE_RUNNING,
     .text = "Wait for the other update to end, or restart the board: one that broke off may run "
             "until then."},
    {.cause = OTA_CAUSE_UNSAID,
     .image = SKETCH,
     .chips = "rp*",
     .text = FIT_FILESYSTEM "; older cores do not say that it is full."},
    {.cause = OTA_CAUSE_UNSAID,
     .text =
         "Restart the board and try again: its updater failed without an error, as it does while "
         "another update runs, or for want of memory."},
    {.cause = OTA_CAUSE_FLASH_CONFIG,
     .text = "Flash a sketch over the cable that is built for the size of the board's flash chip: "
             "the running one was built for another size."},
    {.cause = OTA_CAUSE_NEW_FLASH_CONFIG,
     .chips = "esp32*",
     .text =
         "Make the firmware smaller, or flash a partition table with larger app partitions over "
         "the cable: Tasmota says that of an image which is larger than its partition."},
    {.cause = OTA_CAUSE_NEW_FLASH_CONFIG,
     .text = "Build the sketch for the size of the board's flash chip, which the board reports in "
             "bytes: this one is for a larger chip."},
    {.cause = OTA_CAUSE_MAGIC_BYTE,
     .chips = "ch32h4",
     .text = "Send the file for OTA that was built for this board (firmware_ota.bin), "
             "uncompressed; a filesystem image needs -s."},
    {.cause = OTA_CAUSE_MAGIC_BYTE,
     .text = "Send the .bin that was built for this board: the file does not begin like a sketch "
             "(a filesystem image needs -s, and ESP8266 cores before 2.7 do not unpack a .gz)."},
    {.cause = OTA_CAUSE_BOOTSTRAP,
     .text = "Press the board's reset button once: after an upload over the cable, the board "
             "accepts none over Wi-Fi until it is reset."},
    {.cause = OTA_CAUSE_SIGNATURE,
     .text =
         "Sign the image (--sign KEY) with the private key that belongs to the public key in the "
         "running sketch."},
    {.cause = OTA_CAUSE_NO_DATA,
     .text =
         "Try again: nothing of the image arrived, or less than 4096 bytes, of which an ESP8266 "
         "writes none; if that happens each time, check the board's Wi-Fi signal and power "
         "supply."},
    {.cause = OTA_CAUSE_NO_MEMORY,
     .text = "Restart the board and try again; if that does not help, make the sketches smaller: "
             "the running one leaves too little memory for the update."},
    {.cause = OTA_CAUSE_FLASH,
     .text =
         "Try again, and check the board's power supply if that happens each time; a flash chip "
         "that is worn out, or smaller than the sketch was built for, also fails like this."},
    {.cause = OTA_CAUSE_TOO_SLOW,
     .text = "Try again nearer to the access point: the image came too slowly for the board."},
    {.cause = OTA_CAUSE_MD5,
     .text = "Try again: the image was corrupted in transit or in the flash; check the "
             "board's power supply if that happens each time."},
    {.cause = OTA_CAUSE_NOT_ACTIVATED,
     .text = "Send the application image that was built for this chip: the board has verified the "
             "image, and cannot start it."},
    {.cause = OTA_CAUSE_DECRYPTION,
     .text = "Send the application image (.bin) of this chip: the board mistakes anything else for "
             "an encrypted image (a filesystem image needs -s)."},
    {.cause = OTA_CAUSE_NO_PARTITION,
     .image = FILESYSTEM,
     .text = "Flash a partition table with a partition for the filesystem (spiffs, littlefs or "
             "ffat) over the cable."},
    {.cause = OTA_CAUSE_NO_PARTITION,
     .text = "Flash a partition table with two app partitions over the cable."},
    {.cause = OTA_CAUSE_NO_FILESYSTEM,
     .text = "First upload a sketch that is built with room for a filesystem: the running one has "
             "none."},

    /* -- The whole image was sent. -- */
    {.cause = OTA_CAUSE_RESTARTED,
     .chips = "esp32*",
     .text =
         "Check what the board runs: an ESP32 restarts by itself only after a success or a crash, "
         "so the image is most likely installed; next time --expect or --online can decide it."},
    {.cause = OTA_CAUSE_RESTARTED,
     .text = "Check what the board runs before you send again: it restarts after a success, but "
             "also after a crash; next time --expect can decide it."},
    {.cause = OTA_CAUSE_PART_KEPT,
     .text = "Turn the board off and on before you try again: its page keeps the part that has "
             "arrived, and would start a mixture of it and the next image, or report a success "
             "of nothing."},
    {.cause = OTA_CAUSE_PART_UNSURE,
     .text =
         "Turn the board off and on before you start again: its page may have kept the part that "
         "has arrived, add the next image to it, and start the mixture."},
    {.cause = OTA_CAUSE_GONE,
     .text = "Check what the board runs before you send again: it may be restarting with the new "
             "image, or have lost power or Wi-Fi."},
    {.error = OTA_E_UNKNOWN,
     .text = "Check what the board runs before you send again: it may already have installed the "
             "image and restarted."},

    /* -- This computer. -- */
    {.cause = OTA_CAUSE_TOO_MANY_FILES,
     .text = "Raise the limit of open files (\"ulimit -n\" shows and sets it), or update fewer "
             "boards at a time (-j)."},
    {.cause = OTA_CAUSE_TOO_MANY_LOGS,
     .text =
         "Raise the limit of open files (\"ulimit -n\" shows and sets it), or follow fewer logs "
         "in one run (--monitor): each keeps its connection until the last board is done."},
    {.cause = OTA_CAUSE_OUT_OF_MEMORY,
     .text = "Free memory on this computer, raise its limit (\"ulimit -v\"), or update fewer "
             "boards at a time (-j)."},
    {.cause = OTA_CAUSE_TOO_MANY_PROCESSES,
     .text = "End other programs of this user, or raise its limit of processes (\"ulimit -u\" "
             "shows and sets it; a container may have one of its own)."},
    {.cause = OTA_CAUSE_HELPER_LOST,
     .text = "Start esp-ota again: another program, a person, or the kernel for want of memory has "
             "ended or stopped a process of it."},
    {.error = OTA_E_NO_MDNS,
     .cause = OTA_CAUSE_NO_LIBRARY,
     .text = "Install the library (Debian's package is libavahi-client3), or name the boards by "
             "their IP addresses with -i."},
    {.error = OTA_E_NOT_FOUND,
     .cause = OTA_CAUSE_NO_LIBRARY,
     .text = "Install the library (Debian's package is libavahi-client3), or give the board's IP "
             "address with -i."},
    {.cause = OTA_CAUSE_NO_LIBRARY,
     .text = "Install the library (Debian's packages are libcurl4, not libcurl3-gnutls, and "
             "libmicrohttpd12 for --serve)."},
    {.cause = OTA_CAUSE_OTHER_TLS,
     .text = "Install the libcurl of OpenSSL (Debian's package is libcurl4); plain http works with "
             "this one."},
    {.cause = OTA_CAUSE_NO_CERTIFICATES,
     .text = "Install the certificates that programs trust (Debian's package is ca-certificates), "
             "or give the file of those to trust with --cacert."},
    {.cause = OTA_CAUSE_DISK_FULL,
     .text = "Make room on the disk (\"df\" shows it), raise the quota or the limit for files "
             "(\"ulimit -f\"), or write to another place."},
    {.cause = OTA_CAUSE_NO_FOLDER,
     .text = "Create the directory first, or correct the path: a directory in it does not exist."},
    {.cause = OTA_CAUSE_PATH_IS_ODD, .text = ""},
    {.cause = OTA_CAUSE_NOT_ALLOWED,
     .text = "Choose a place where you may write, or change its permissions."},
    {.cause = OTA_CAUSE_NAME_TOO_LONG,
     .text = "Choose a shorter name: on most disks one has at most 255 bytes, and a whole path at "
             "most 4,095."},
    {.cause = OTA_CAUSE_LINK_LOOP,
     .text = "Correct the symbolic links in the path: they lead to each other and not to a file."},
    {.cause = OTA_CAUSE_READER_GONE,
     .text = "Check the program that reads the output: it has stopped or ended, or not started "
             "yet."},
    {.cause = OTA_CAUSE_CLOSED,
     .text = "Leave it open, or give it /dev/null: a script or the program that starts esp-ota has "
             "closed it."},
    {.cause = OTA_CAUSE_MOUNT_POINT,
     .text =
         "Mount the directory instead of the file (into a container, \"docker -v\"), or give the "
         "option another file: it is replaced whole by a new one."},
    {.cause = OTA_CAUSE_NOT_A_FILE,
     .text = "Give the option the name of a file: a new one, or one that it may replace or "
             "continue."},
    {.error = OTA_E_OUTPUT,
     .text = "Check that the disk is not full, that the directory can be written to, and that the "
             "program reading the output still runs."},
    {.error = OTA_E_INTERNAL,
     .text = "Try once more with --debug, and report its output if the message comes back."},

    /* -- Update pages. -- */
    {.cause = OTA_CAUSE_BUSY,
     .text = "Try again in a minute; if the page stays busy, close it in other browsers, and "
             "restart the board or the proxy in front of it."},
    {.cause = OTA_CAUSE_MOVED,
     .text = "Write the address that the page leads to, with its scheme (-i https://HOST/PATH), if "
             "it is the board's: a redirect is not followed, so that no image or password gets to "
             "another server."},
    {.error = OTA_E_NOT_LISTENING,
     .protocol = "web",
     .text =
         "Check the port in the URL, and that the sketch now on the board starts its web "
         "server: open the page in a browser; if it has ArduinoOTA instead, leave http:// out."},
    {.error = OTA_E_NO_ANSWER,
     .protocol = "web",
     .text = "Check that the board is on and that its page opens in a browser; a server that "
             "serves one client at a time waits until a browser has closed its connection, and -t "
             "waits longer."},
    {.error = OTA_E_NOT_LISTENING,
     .protocol = "sketch",
     .text =
         "Check that the sketch now on the board has a sketch server (JAndrassy's ArduinoOTA or "
         "WiFi101OTA) and begins it once it has joined the Wi-Fi, and the port (-p: 65280 unless "
         "the sketch sets another one)."},
    {.error = OTA_E_NO_ANSWER,
     .protocol = "sketch",
     .text = "Check that the board is on and in this network, and that its sketch calls "
             "ArduinoOTA.poll() or WiFiOTA.poll() often; -t waits longer."},
    {.error = OTA_E_NO_PAGE,
     .protocol = "sketch",
     .text = "Give the address and port of a board whose sketch uses JAndrassy's ArduinoOTA or "
             "WiFi101OTA; http://HOST means an update page, and no scheme ArduinoOTA's own "
             "protocol (espota)."},
    {.error = OTA_E_NO_PAGE,
     .protocol = "fetch",
     .text = "Leave --serve out to upload through the board's page; only Tasmota can be told to "
             "fetch an image."},
    {.error = OTA_E_NO_PAGE,
     .text = "Open the address in a browser, and give the path of the page with the upload form "
             "in the URL (http://HOST/PATH); --page names a page that does not look like one, and "
             "--field a form's field (esp-ota-pages(7))."},
    {.cause = OTA_CAUSE_CERTIFICATE_DATE,
     .text = "Check this computer's clock first (\"date\" shows it); if it is right, renew the "
             "certificate."},
    {.cause = OTA_CAUSE_HANDSHAKE,
     .text =
         "Write http:// if the page has no https at this port; a server that knows only TLS 1.1 "
         "or older cannot be used."},
    {.cause = OTA_CAUSE_OTHER_CERTIFICATE,
     .text = "Find out who answers at the board's address: a second server, somebody else in the "
             "board's place, or the board itself with a new certificate, which --cacert then has "
             "to trust."},
    {.error = OTA_E_TLS,
     .text =
         "Name the host as its certificate does, give the certificate that signed it with "
         "--cacert, or accept any certificate with --insecure; if the board has no https, write "
         "http://."},
    {.cause = OTA_CAUSE_UNKNOWN_WAY,
     .text = "Set the page, or the proxy in front of it, to Basic or Digest with MD5 or SHA-256, "
             "and a realm without quotes."},
    {.cause = OTA_CAUSE_PIN,
     .text = "Give the PIN as this board's password (-a, or auth-file=FILE in its line of "
             "--hosts), or enter it in a browser and send again within a few minutes."},
    {.cause = OTA_CAUSE_PIN_REJECTED,
     .text = "Give the PIN that is set under Config > Security & Updates as this board's password "
             "(-a, or auth-file=FILE in its line of --hosts)."},
    {.cause = OTA_CAUSE_RELEASE,
     .text = "Send an image of the board's release, which is shown with its version; --force sends "
             "this one without that check."},
    {.cause = OTA_CAUSE_NO_RELEASE,
     .text = "Send the uncompressed image of WLED 0.15.2 or later, as no other shows its release; "
             "--force sends this one without that check."},
    {.cause = OTA_CAUSE_STEP,
     .text =
         "First install the version that the board demands; --force sends this one without that "
         "check."},
    {.cause = OTA_CAUSE_LOCKED,
     .text = "Switch the lock off in a browser, under Config > Security & Updates."},
    {.cause = OTA_CAUSE_OUTSIDE,
     .text = "Send from the board's own network, or switch \"Only allow update from same "
             "network/WiFi\" off in a browser, under Config > Security & Updates."},
    {.cause = OTA_CAUSE_DENIED,
     .text = "Open the page in a browser to see whom it lets in; a page that asks for a password "
             "in a form of its own cannot be used."},
    {.error = OTA_E_WRONG_PASSWORD,
     .protocol = "web",
     .text = "Give the user (--user) and the password of the update page, as the sketch now "
             "running on the board sets them."},
    {.error = OTA_E_WEAK_AUTH,
     .protocol = "sketch",
     .text = "Leave --min-auth out for this board if you trust whoever is in its network: its "
             "server knows nothing better."},
    {.error = OTA_E_WRONG_PASSWORD,
     .protocol = "sketch",
     .text = "Give the password of ArduinoOTA.begin() in the sketch that is now running on the "
             "board."},
    {.error = OTA_E_WEAK_AUTH,
     .protocol = "web",
     .text = "Leave --min-auth out for this board if you trust whoever is in its network: most "
             "pages know Basic and Digest with MD5 only."},

    /* -- All other failures. -- */
    {.cause = OTA_CAUSE_PORT_IN_USE,
     .text = "Give another port, such as --serve=8081, or end the program that has this one "
             "(\"ss -ltnp\" shows it)."},
    {.cause = OTA_CAUSE_PORT_PRIVILEGED,
     .text = "Give a port from 1024 on, such as --serve=8080; the lower ones need root or the "
             "capability CAP_NET_BIND_SERVICE."},
    {.cause = OTA_CAUSE_NOT_OUR_ADDRESS,
     .text = "Give an address of this computer (\"ip address\" lists them), or the port alone to "
             "serve at all of them."},
    {.error = OTA_E_NO_PORT,
     .text = "Give -P another port or a range such as 10000-10100, or leave it out to use any free "
             "port."},
    {.cause = OTA_CAUSE_FIREWALL,
     .text = "Let this computer's firewall pass what goes to the board (\"nft list ruleset\" or "
             "\"iptables -L OUTPUT\" shows what it blocks)."},
    {.cause = OTA_CAUSE_NO_ROUTE, .is_waited_out = true, .text = FIND_A_ROUTE "."},
    {.cause = OTA_CAUSE_NO_ROUTE,
     .text = FIND_A_ROUTE "; only --wait SECONDS waits for a connection."},
    {.error = OTA_E_LOCAL,
     .text = "Check this computer's routes and firewall, and -I if it is given."},
    {.error = OTA_E_SIGNATURE,
     .text = "Get the image again from its signer, or sign it again; if it was signed with another "
             "key, give --verify-key that key."},
    {.cause = OTA_CAUSE_NO_SUCH_BOARD,
     .text = "Give a pattern that matches one of them (* stands for anything), and quote it so "
             "that the shell leaves it alone."},
    {.cause = OTA_CAUSE_OTHER_PROTOCOL,
     .text = "Give the --protocol of these boards, if the image is for them."},
    {.cause = OTA_CAUSE_OTHER_NAMES,
     .text = "Check the spelling of the name (\"esp-ota -l\" lists the boards), and that the board "
             "is on and in this network, or give its IP address."},
    {.cause = OTA_CAUSE_OTHER_WAY,
     .text = "Check the spelling of the name, and write the way to that board before it: "
             "esphome:// for ESPHome, http:// for WLED and Tasmota, espota:// for ArduinoOTA."},
    {.cause = OTA_CAUSE_PATTERN,
     .text = "Give a pattern with --match instead of -i, which takes the name of one board."},
    {.cause = OTA_CAUSE_NO_ADDRESS,
     .text = "Restart the board, which may have announced itself before the network gave it an "
             "address, or give its IP address (the router lists it)."},
    {.cause = OTA_CAUSE_SEPARATED,
     .text =
         "Give one name with each -i, and one in each line of a list: a comma or semicolon does "
         "not separate them."},
    {.error = OTA_E_NOT_FOUND,
     .where = SURROUNDINGS_CONTAINER,
     .text = BY_ADDRESS NAMES_IN_CONTAINER},
    {.error = OTA_E_NOT_FOUND, .where = SURROUNDINGS_DESKTOP, .text = BY_ADDRESS NAMES_IN_DESKTOP},
    {.error = OTA_E_NOT_FOUND, .where = SURROUNDINGS_WSL, .text = BY_ADDRESS NAMES_IN_WSL},
    {.error = OTA_E_NOT_FOUND, .where = SURROUNDINGS_WSL1, .text = BY_ADDRESS NAMES_IN_WSL1},
    {.error = OTA_E_NO_MDNS,
     .where = SURROUNDINGS_CONTAINER,
     .text = ALL_BY_ADDRESS NAMES_IN_CONTAINER},
    {.error = OTA_E_NO_MDNS,
     .where = SURROUNDINGS_DESKTOP,
     .text = ALL_BY_ADDRESS NAMES_IN_DESKTOP},
    {.error = OTA_E_NO_MDNS, .where = SURROUNDINGS_WSL, .text = ALL_BY_ADDRESS NAMES_IN_WSL},
    {.error = OTA_E_NO_MDNS, .where = SURROUNDINGS_WSL1, .text = ALL_BY_ADDRESS NAMES_IN_WSL1},
    {.cause = OTA_CAUSE_NO_AVAHI,
     .text = "Start Avahi and D-Bus (\"systemctl restart avahi-daemon\"; Debian's packages are "
             "avahi-daemon and libnss-mdns), or give the board's IP address with -i."},
    {.cause = OTA_CAUSE_NO_NETWORK,
     .text = "Connect this computer to the boards' network (\"ip address\" shows which interfaces "
             "are up, and their addresses)."},
    {.error = OTA_E_NOT_FOUND,
     .where = SURROUNDINGS_MIRRORED,
     .text = "Check that the board is on and in this network, and the spelling of its name; update "
             "WSL (\"wsl --update\"), which passes multicast DNS from 2.3.17 on, and let Windows' "
             "Hyper-V firewall pass it (in PowerShell as administrator: " HYPERV_RULE
             "-Protocol UDP -LocalPorts 5353); or give the board's IP address with -i."},
    {.cause = OTA_CAUSE_NO_BOARDS,
     .text = "Check that boards are on and in this network (multicast DNS does not cross routers, "
             "guest networks and most VPNs), and that this computer's firewall lets UDP port 5353 "
             "in, or give a board's IP address with -i."},
    {.error = OTA_E_NOT_FOUND,
     .text = "Check that the board is on and in this network (multicast DNS does not cross "
             "routers, guest networks and most VPNs), that this computer's firewall lets UDP port "
             "5353 in, and the spelling of its name, or give its IP address."},
    {.error = OTA_E_AMBIGUOUS,
     .cause = OTA_CAUSE_OTHER_ADDRESS,
     .text = "Run esp-ota again for this board, now that its address has changed; if both names "
             "are of one board, leave one of them out."},
    {.cause = OTA_CAUSE_SHARED_ADDRESS,
     .text =
         "If both names are of one board, leave one of them out; if not, give the IP address of "
         "each instead of its name."},
    {.cause = OTA_CAUSE_EARLIER_ADDRESS,
     .text =
         "If both names are of one board, leave one of them out, or give both the same image; if "
         "not, leave out the one that has its image already."},
    {.error = OTA_E_AMBIGUOUS,
     .text = "Update the boards by address, or all of them with --match, and give each a name of "
             "its own (ArduinoOTA.setHostname() in its sketch); --list marks the boards that share "
             "one."},
    {.error = OTA_E_NO_MDNS,
     .text = "Start Avahi and D-Bus (\"systemctl restart avahi-daemon\"; Debian's package is "
             "avahi-daemon), or name the boards by their IP addresses with -i."},
    {.cause = OTA_CAUSE_OTHER_ADDRESS,
     .text =
         "Give --peer the address that the connection came from, if it is the board's: a board "
         "with two interfaces, or behind NAT, connects from another address than the invited one."},
    {.error = OTA_E_NO_CONNECTION, .where = SURROUNDINGS_CONTAINER, .text = "Start" INTO_CONTAINER},
    {.error = OTA_E_NO_CONNECTION, .where = SURROUNDINGS_DESKTOP, .text = "Publish" INTO_DESKTOP},
    {.error = OTA_E_NO_CONNECTION, .where = SURROUNDINGS_WSL, .text = "Choose" INTO_WSL},
    {.error = OTA_E_NO_CONNECTION,
     .where = SURROUNDINGS_MIRRORED,
     .text =
         "Choose a port with -P and let Windows' Hyper-V firewall pass it (in PowerShell as "
         "administrator: " HYPERV_RULE "-Protocol TCP -LocalPorts PORT); if it does, check that "
         "the image fits the board."},
    {.error = OTA_E_NO_CONNECTION,
     .cause = OTA_CAUSE_OTHER_NETWORK,
     .text = "Bring this computer into the board's network, or choose a TCP port with -P, open it "
             "in the firewall, and let the router, virtual machine or container in between pass it "
             "(behind address translation, NAT: forward it)."},
    {.error = OTA_E_NO_ANSWER,
     .cause = OTA_CAUSE_OTHER_NETWORK,
     .where = SURROUNDINGS_CONTAINER,
     .text = CHECK_OUTSIDE "the container's host."},
    {.error = OTA_E_NO_ANSWER,
     .cause = OTA_CAUSE_OTHER_NETWORK,
     .where = SURROUNDINGS_DESKTOP,
     .text = CHECK_OUTSIDE "the computer that runs Docker Desktop or WSL."},
    {.error = OTA_E_NO_ANSWER,
     .cause = OTA_CAUSE_OTHER_NETWORK,
     .where = SURROUNDINGS_WSL,
     .text = CHECK_OUTSIDE "Windows, outside of WSL."},
    {.cause = OTA_CAUSE_OTHER_NETWORK,
     .text = "Bring this computer into the board's network, check the address, or make sure that "
             "the router in between passes UDP there and TCP back."},
    {.cause = OTA_CAUSE_THIS_COMPUTER,
     .text = "Give the address of the board itself (\"esp-ota -l\" and the router list it), or the "
             "port at which a simulated board listens (-p)."},
    {.cause = OTA_CAUSE_NOBODY,
     .text = "Check the address, and that the board is on, awake and in this network, where no "
             "device has the address; an access point that isolates its clients, as guest networks "
             "do, hides a board in the same way."},
    {.cause = OTA_CAUSE_ESPHOME,
     .text =
         "Write esphome:// before the board's name or address if it runs ESPHome, whose updates "
         "have a protocol of their own; if not, check that it is on, that its sketch calls "
         "ArduinoOTA.handle() often, and that the port (-p) is right."},
    {.cause = OTA_CAUSE_THERE,
     .text = "Check that the board is still on, that its sketch calls ArduinoOTA.handle() often, "
             "that no other upload keeps it busy, and that the port (-p) is right; or another "
             "device has the address now."},
    {.error = OTA_E_NO_ANSWER,
     .text = "Check that the board is on, awake and in this network, that its sketch calls "
             "ArduinoOTA.handle() often, that no other upload keeps it busy, and that the port "
             "(-p) is right."},
    {.cause = OTA_CAUSE_ANNOUNCED, .is_waited_out = true, .text = CHECK_ANNOUNCER "."},
    {.cause = OTA_CAUSE_ANNOUNCED,
     .text = CHECK_ANNOUNCER "; only --wait SECONDS keeps asking a board that is still starting."},
    {.cause = OTA_CAUSE_PORT_OF_IMAGE,
     .is_waited_out = true,
     .text = CHECK_IMAGE BEGIN_LISTENING "."},
    {.cause = OTA_CAUSE_PORT_OF_IMAGE,
     .text = CHECK_IMAGE BEGIN_LISTENING
     "; only --wait SECONDS keeps asking a board that is still starting."},
    {.error = OTA_E_NOT_LISTENING, .is_waited_out = true, .text = CHECK_LISTENER "."},
    {.error = OTA_E_NOT_LISTENING,
     .text = CHECK_LISTENER "; only --wait SECONDS keeps asking a board that is still starting."},
    {.error = OTA_E_UNREACHABLE,
     .text = "Check the address, that the board is on, and that this computer is in the board's "
             "network: a VPN, a guest network or the access point's client isolation can be in the "
             "way."},
    {.error = OTA_E_WRONG_PASSWORD,
     .image = FILESYSTEM,
     .text = "Give the password that ArduinoOTA.setPassword() sets in the sketch now running on "
             "the board."},
    {.error = OTA_E_WRONG_PASSWORD,
     .text = "Give the password that ArduinoOTA.setPassword() sets in the sketch now running on "
             "the board, which need not be the one in the image that is being sent."},
    {.error = OTA_E_PASSWORD_NEEDED,
     .cause = OTA_CAUSE_TYPED_REJECTED,
     .text =
         "No right password was typed, so only one board was tried: run this again, or give the "
         "password with --auth-file FILE."},
    {.error = OTA_E_PASSWORD_NEEDED,
     .text =
         "Give it with --auth-file FILE, in the environment variable ESP_OTA_AUTH (an empty one "
         "counts as none), or with -a."},
    {.error = OTA_E_WEAK_AUTH,
     .chips = "esp32*",
     .text = "Flash a sketch built with core 3.3.1 or later over the cable, or leave --min-auth "
             "out if you trust everybody in the board's network."},
    {.error = OTA_E_WEAK_AUTH,
     .text = "Leave --min-auth out for this board if you trust everybody in its network: an "
             "ESP8266 or Pico W supports only MD5."},
    {.error = OTA_E_DOWNGRADE,
     .text = "Find out who answers at the board's address: a board does not change its "
             "authentication by itself, so somebody else may be after the password or the image."},
    {.error = OTA_E_NOT_ASKED,
     .text = "Find out who answers at the board's address, and whether its sketch was replaced by "
             "one without a password; --force sends the image anyway."},
    {.error = OTA_E_NO_VERDICT,
     .text = "Check the board's Wi-Fi signal and the address, and start again: every further "
             "answer would help an attacker to guess the password."},
    {.error = OTA_E_REFUSED,
     .text =
         "Fix the cause that the board names; if it names none, restart the board and try again."},
    {.error = OTA_E_NO_CONNECTION,
     .image = FILESYSTEM,
     .chips = "esp32*",
     .text = "Check that the board has a partition for the filesystem, no smaller than the image, "
             "as an ESP32 says nothing if it lacks one; if it has, let it reach " THE_PORT "."},
    {.error = OTA_E_NO_CONNECTION,
     .chips = "esp32*",
     .text = "Let the board reach " THE_PORT
             ", and check that the image fits its app partition: an ESP32 refuses a larger "
             "one without a message."},
    {.error = OTA_E_NO_CONNECTION,
     .image = SKETCH,
     .chips = "esp8266",
     .text =
         "Let the board reach " THE_PORT
         ", and check that the image fits beside its sketch: a core of 2016 or before refuses a "
         "larger one without a message."},
    {.error = OTA_E_NO_CONNECTION,
     .chips = "esp8266,rp*,ch32h4",
     .text = "Let the board reach " THE_PORT "."},
    {.error = OTA_E_NO_CONNECTION,
     .image = FILESYSTEM,
     .text = "Let the board reach " THE_PORT "; if it is an ESP32, check that it has a partition "
             "for the filesystem, no smaller than the image, as it says nothing if not."},
    {.error = OTA_E_NO_CONNECTION,
     .text = "Let the board reach " THE_PORT
             ", and check that the image fits: an ESP32 refuses a larger one without a "
             "message."},
    {.error = OTA_E_LOST,
     .image = FILESYSTEM,
     .text = "Try again, and check the board's Wi-Fi signal and power supply if that fails too; "
             "until an upload succeeds the board's filesystem may be unusable."},
    {.error = OTA_E_LOST,
     .text = "Try again, and check the board's Wi-Fi signal and power supply if that fails too; an "
             "incomplete sketch is never started."},
    {.error = OTA_E_STALLED,
     .text = "Check the board's Wi-Fi signal and power supply, and try again; press its reset "
             "button if it no longer answers."},
    {.error = OTA_E_DEADLINE,
     .text = "Give --deadline more seconds, or check the board's Wi-Fi signal and power supply."},
    {.error = OTA_E_EARLY_OK,
     .text = "Check that the address is the board's and that nothing in between answers for it, "
             "look at what the board runs, and then send the image again."},
    {.error = OTA_E_BOARD,
     .text = "Fix the cause that the board names; if there is nothing to fix, try again."},
    {.cause = OTA_CAUSE_NOT_RESTARTED,
     .protocol = "espota",
     .text = "Look at what the board runs: a sketch can keep ArduinoOTA from restarting it "
             "(setRebootOnSuccess(false)), and then the new image starts with the next reset."},
    {.cause = OTA_CAUSE_NOT_RESTARTED,
     .text = "Look at what the board runs. If it has not restarted, restart it: an image that was "
             "installed starts then."},
    {.error = OTA_E_NOT_RETURNED,
     .cause = OTA_CAUSE_NOT_BACK,
     .text = "If the board sleeps, serve for longer; if not, look at it: the new firmware may "
             "crash, not join the Wi-Fi, or no longer ask."},
    {.cause = OTA_CAUSE_NOT_BACK,
     .text =
         "Look at the board: the new firmware may crash, or not join the Wi-Fi; --online=SECONDS "
         "waits longer."},
    {.cause = OTA_CAUSE_RESTART_UNKNOWN,
     .text =
         "Look at what the board runs (--monitor shows its log); next time keep this computer in "
         "the network, and esp-ota running, until the proof has come."},
    {.cause = OTA_CAUSE_LOG_REJECTED,
     .text = "Look for the reason in the log: the new firmware runs, but has logged a line that "
             "--reject matches."},
    {.cause = OTA_CAUSE_LOG_UNMATCHED,
     .text =
         "Look for the reason in the log (lines from before the connection are lost): the firmware "
         "runs, but has logged no line that is expected; --expect-timeout=SECONDS waits longer."},
    {.cause = OTA_CAUSE_LOG_SILENT,
     .text = "Let the sketch repeat its lines, or log them with each new connection: those from "
             "before the connection are lost; --expect-timeout=SECONDS waits longer."},
    {.cause = OTA_CAUSE_LOG_REFUSED,
     .text = "Check the port of the log (--monitor=PORT), and that the sketch now on the board "
             "opens it once it has joined the Wi-Fi, as TelnetStream.begin() does."},
    {.cause = OTA_CAUSE_LOG_UNDECIDED,
     .text =
         "Write a simpler expression for --reject: nested repetitions, such as (a+)+, can match a "
         "line in too many ways."},
    {.cause = OTA_CAUSE_RECOVERY,
     .text = "Enter \"Restart 3\" on the console of the board's web page, which starts the image "
             "once more; if the recovery firmware runs again then, the image does not start on "
             "this board: send it one that is known to work."},
    {.error = OTA_E_NOT_RETURNED,
     .cause = OTA_CAUSE_OTHER_VERSION,
     .text = "Check that --serve-version is exactly the version that the sketch in the image "
             "reports; if it is, look on the board's serial port for why it did not start the "
             "image."},
    {.error = OTA_E_NOT_RETURNED,
     .cause = OTA_CAUSE_NO_VERSION,
     .text = "Look at what it runs; a board that reports no MD5 of its sketch, such as a Pico W, "
             "confirms an image only if its sketch reports a version and --serve-version is that "
             "of the image."},
    {.cause = OTA_CAUSE_OTHER_VERSION,
     .text = "Check that --expect-version, if given (the whole version), and the file are the "
             "intended ones; if they are, restart the board, and look on its serial port for why "
             "it did not start the "
             "image."},
    {.cause = OTA_CAUSE_NO_VERSION,
     .text = "Check that the board is back in the network and shows its version again; "
             "--expect-timeout=SECONDS waits longer."},
    {.cause = OTA_CAUSE_PROOF_LATE,
     .text = "Give --deadline more seconds: after the upload, the board needs time to restart."},
    {.error = OTA_E_UNPROVEN,
     .text = "Check what the board does; its sketch must offer a log at that TCP port "
             "(--monitor=PORT), and lines from before the connection are lost."},
    {.cause = OTA_CAUSE_TURNED_AWAY,
     .text = "Change what the warnings say of the boards that asked and got nothing."},
    {.cause = OTA_CAUSE_OTHER_PATH,
     .text = "Let its sketch ask the URL that is printed at the start."},
    {.error = OTA_E_UNAUTHORIZED,
     .text = "Let its sketch send the password of this server (--auth-file, ESP_OTA_AUTH or -a) by "
             "HTTP Basic authentication, and with --user that user."},
    {.cause = OTA_CAUSE_NEVER_ASKED,
     .text = "Check that the boards' sketches ask the URL that is printed at the start, and that "
             "this computer's firewall lets them in; if they sleep, serve for longer."},
    {.cause = OTA_CAUSE_TOO_FEW_ASKED,
     .text = "Check that the sketches of the other boards ask the URL that is printed at the "
             "start; if they sleep, serve for longer."},
    {.cause = OTA_CAUSE_NO_MAC,
     .text = "Let the sketch send its board's MAC, as ESP8266httpUpdate and HTTPUpdate do: a board "
             "without one gets the image, but cannot be confirmed."},
    {.cause = OTA_CAUSE_NO_IMAGE,
     .text = "Serve an image that is for the board, whose line says why it got nothing; --hosts "
             "gives each board an image of its own."},
    {.cause = OTA_CAUSE_UNFINISHED,
     .text = "Serve for longer; if downloads break off, check the board's Wi-Fi signal and power "
             "supply."},
    {.cause = OTA_CAUSE_OTHER_IMAGE,
     .text = "Check that the file is the intended one, and that nobody else updates the board, as "
             "from its own OtaUrl; then serve it again."},
    {.cause = OTA_CAUSE_KEEPS_OLD,
     .text = "Look on the board's serial port for why it does not start the image that it takes."},
    {.cause = OTA_CAUSE_SEVERAL, .text = "See the lines above for what each board lacks."},
    {.cause = OTA_CAUSE_NOT_TOLD,
     .text =
         "Serve the image again, and for longer; if the roll-out has stopped, see above for the "
         "boards that failed, and mend their cause first."},
    {.cause = OTA_CAUSE_ONLY_TOLD,
     .text = "Check that this computer's firewall lets the board in, and look on the board's "
             "console for why it did not fetch the image."},
    {.error = OTA_E_NEVER_ASKED,
     .text = "Check that its sketch asks the URL that is printed at the start, and that this "
             "computer's firewall lets it in."},
    {.error = OTA_E_NOT_RETURNED,
     .text = "If it takes the image again and again, look at what it says on its serial port; if "
             "it sleeps, serve for longer."},
    {.error = OTA_E_MIXED, .text = "See the message for each board."},
    {.cause = OTA_CAUSE_LOG_CUT_SHORT,
     .text = "To follow the log without another upload, leave out -f."},
    {.cause = OTA_CAUSE_PROOF_CUT_SHORT,
     .text = "Look at what the board runs before you send again: it has the image, and only the "
             "proof was not waited for."},
    {.cause = OTA_CAUSE_VERDICT_CUT_SHORT,
     .text = "Look at what the board runs before you send again: it has all of the image, and may "
             "have installed it and restarted."},
    {.error = OTA_E_INTERRUPTED, .text = "Start it again when you are ready."},
};

const size_t remedy_count = sizeof remedies / sizeof *remedies;

static bool matches_row(const struct remedy *row, const struct ota_failure *failure,
                        const char *protocol, enum ota_command command, const char *chips,
                        enum surroundings where)
{
    enum image_kind image = command == OTA_COMMAND_FILESYSTEM ? FILESYSTEM : SKETCH;

    /* A board that is told to fetch is told so by its page. */
    bool is_fetch = protocol && strcmp(protocol, "fetch") == 0;
    if (row->protocol && (!protocol || strcmp(row->protocol, protocol) != 0) &&
        (!is_fetch || strcmp(row->protocol, "web") != 0))
        return false;

    return (row->error == OTA_OK || row->error == failure->error) &&
           (row->cause == OTA_CAUSE_NONE || row->cause == failure->cause) &&
           (row->image == ANY_IMAGE || row->image == image) &&
           (row->where == SURROUNDINGS_PLAIN || row->where == where) &&
           (!row->is_waited_out || failure->is_waited_out) &&
           (!row->chips || (*chips && kind_overlap(row->chips, chips)));
}

const char *remedy_find(const struct ota_failure *failure, const char *protocol,
                        enum ota_command command, const char *chips, enum surroundings where)
{
    if (failure->error == OTA_OK)
        return "";

    for (size_t i = 0; i < remedy_count; i++)
        if (matches_row(&remedies[i], failure, protocol, command, chips, where))
            return remedies[i].text;
    return "";
}

const char *remedy_serving(enum surroundings where)
{
    switch (where) {
    case SURROUNDINGS_CONTAINER:
        return "Start the container with --network host, or publish the port of --serve "
               "(\"docker run -p 8080:8080\") and give boards the address of its host: no board "
               "can connect into a container with a network of its own.";
    case SURROUNDINGS_DESKTOP:
        return "Publish the port of --serve (\"docker run -p 8080:8080\"), let the firewall of "
               "Windows or macOS pass it, and give boards the address of this host: no board can "
               "connect into a container with a network of its own.";
    case SURROUNDINGS_WSL:
        return "Let Windows' Hyper-V firewall pass the port of --serve, and " MIRRORED
               ", or forward it there (\"netsh interface portproxy\") and give boards the address "
               "of Windows: no board can connect into WSL's own network.";
    default:
        return "";
    }
}
