/* The text of --help; the faults and the steps of the log are listed from their tables. */
#include "help.h"

#include "esphome_config.h"
#include "fault.h"
#include "fetch_config.h"
#include "fetcher.h"
#include "script.h"
#include "web_page.h"

#include <stdio.h>

static const char help_head[] =
    "Usage: esp-ota-sim [options]\n"
    "Simulates a board with an ArduinoOTA service, or up to 1,000 of them.\n"
    "\n"
    "  -F, --family NAME       esp8266 (default), pico, ch32h4, esp32 (cores before 3.3.1),\n"
    "                          esp32-sha256 (cores from 3.3.1)\n"
    "  -P, --password PW       ask for this password, which may be empty\n"
    "      --password-file F   ask for the password in the first line of F\n"
    "  -H, --stored-hash KIND  hash of it that esp32-sha256 stores: sha256 (default), md5\n"
    "  -a, --address ADDR      listen there, IPv4 or IPv6 (127.0.0.1)\n"
    "  -p, --port N            UDP port (8266, 2040 or 3232, by family); 0: any free one\n"
    "  -c, --count N           N boards (up to 1000) on consecutive addresses from ADDR\n"
    "      --announce NAME     announce the board by mDNS, through avahi-daemon; with --count\n"
    "                          the boards are NAME-1, NAME-2 ...\n"
    "  -o, --output FILE       write a received image to FILE; %a becomes the board's address\n"
    "      --output-partial    also write what was received of a failed upload\n"
    "  -n, --uploads N         end after N successful uploads\n"
    "  -v, --verbose           print more details on stderr\n"
    "  -V, --version           print the version\n"
    "\n"
    "The hardware:\n"
    "      --chip NAME         chip of an ESP32: esp32 (default), esp32s2, esp32s3, esp32c3 ...;\n"
    "                          images for another one are refused\n"
    "      --verify-key FILE   accept only images signed with the key that belongs to this public\n"
    "                          key (PEM)\n"
    "      --capacity BYTES    room for a sketch (esp8266 1 MiB, pico 1020 KiB, ch32h4 480 KiB,\n"
    "                          esp32 1.25 MiB)\n"
    "      --atomic-fs         built with ATOMIC_FS_UPDATE: also unpack filesystem images\n"
    "      --boot              print whether an ESP8266 can start a new sketch; if it cannot, the\n"
    "                          board does not come back\n"
    "      --fs-capacity BYTES size of the filesystem partition; 0: there is none\n"
    "      --fs-command N      command of invitations for it (100; 101: built with the newer\n"
    "                          numbers of arduino-esp32, as a SafeBoot may be)\n"
    "      --loop-ms N         the sketch reads datagrams only every N ms\n"
    "      --all-per-loop      an ESP32 then reads all queued datagrams, as the 8266 family does,\n"
    "                          not one (--one-per-loop)\n"
    "      --pbkdf2-ms N       time to verify a SHA-256 answer (0; a real board takes 1500)\n"
    "      --flash KIND        speed of the flash: none (no delay, default), realistic, slow (a\n"
    "                          third of realistic)\n"
    "      --erase-ms N        time to erase 4 KiB of flash\n"
    "      --write-ms N        time to write 4 KiB of flash\n"
    "      --window BYTES      TCP window of the board: 2144, 5744 ...\n"
    "      --mss BYTES         TCP segment size of the board: 536, 1436 ...\n"
    "      --close-ms N        from the OK to FIN (8266 family 1000, ESP32 0)\n"
    "      --restart-ms N      from FIN to the restart (8266 family 1000, ESP32 110)\n"
    "      --reboot-ms N       time off the network after a success (1500)\n"
    "      --fast              shorten fixed waits (connection, OK, FIN, restart) to 2 ms, but no\n"
    "                          rules such as the ESP32's one second of silence\n"
    "\n"
    "Faults, --fault NAME[:ARG][@BYTE][*TIMES], repeatable. A fault occurs the first TIMES times\n"
    "(0: always); by default those of datagrams once and those of the upload always. TEXT may\n"
    "hold \\n and \\xNN.\n";

static const char help_telnet[] =
    "\n"
    "The log service:\n"
    "      --telnet PORT       the sketch logs on this TCP port; 0: any free one\n"
    "      --telnet-flavour F  behave like stream (default; the library TelnetStream), esptelnet\n"
    "                          (ESPTelnet) or remotedebug (RemoteDebug)\n"
    "      --telnet-leave HOW  clients see a restart as silent (default), reset or close\n"
    "      --telnet-away-silent  during a restart, the port does not answer instead of refusing\n"
    "      --telnet-deaf-ms N  ignore a client's input for N ms (stream 0, esptelnet 50,\n"
    "                          remotedebug 100)\n"
    "      --log-at-boot       log at once instead of waiting for a client\n"
    "      --say STEP          a step of the sketch's log; repeatable, at most 64\n"
    "      --say-after STEP    a step of the uploaded sketch's log (default: those of --say)\n"
    "A STEP is a line to log, or one of these. Text may hold \\n and \\xNN.\n";

static const char help_web[] = "\n"
                               "The web page:\n"
                               "      --web PAGE          take uploads through this page instead "
                               "of ArduinoOTA, on TCP port 80\n"
                               "                          or that of --port\n"
                               "      --web-set SETTING   change the page; repeatable\n"
                               "A PAGE is one of these.\n";

static const char help_web_settings[] = "A SETTING is one of these.\n";

static const char help_esphome[] =
    "\n"
    "ESPHome:\n"
    "      --esphome           take uploads by ESPHome's protocol instead of ArduinoOTA\n"
    "      --esphome-set SETTING  change the device; repeatable. A SETTING is one of these.\n";

static const char help_fetch[] =
    "\n"
    "Boards that fetch:\n"
    "      --fetch URL         ask http://ADDRESS[:PORT]/PATH for an update now and then instead\n"
    "      --fetcher NAME      with one of these libraries (default: that of the family)\n";

static const char help_fetch_settings[] =
    "      --fetch-set SETTING  change that; repeatable. A SETTING is one of these.\n";

static const char help_tail[] =
    "\n"
    "Each event is a line on stdout, `ADDRESS:PORT event key=value ...'; wait for `ready', or "
    "with\n"
    "--announce for `announced'.\n"
    "\n"
    "Examples:\n"
    "  esp-ota-sim -P secret -o got.bin -n 1\n"
    "  esp-ota-sim --announce kitchen\n"
    "  esp-ota-sim -F esp32 --flash realistic --window 5744 --mss 1436\n"
    "  esp-ota-sim -c 100 -o 'got-%a.bin' --fast\n"
    "  esp-ota-sim --fault 'error:ERROR[1]: Flash Write Failed\\n@20000' --fault drop-ok\n"
    "  esp-ota-sim --telnet 2323 --say 'version 1' --say-after 'version 2' \\\n"
    "    --say-after '!tick 500'     # then: esp-ota -i 127.0.0.1 --monitor=2323\n"
    "  esp-ota-sim -F esp32 --web esp32 -p 8080 -P secret    # http://127.0.0.1:8080/update\n"
    "  esp-ota-sim -c 5 --fetch http://127.0.0.1:8080/firmware.bin    # esp-ota --serve -f ...\n";

void help_print(void)
{
    fputs(help_head, stdout);
    fault_help();
    fputs(help_telnet, stdout);
    script_help();
    fputs(help_web, stdout);
    page_help();
    fputs(help_web_settings, stdout);
    web_config_help();
    fputs(help_esphome, stdout);
    esphome_config_help();
    fputs(help_fetch, stdout);
    fetcher_help();
    fputs(help_fetch_settings, stdout);
    fetch_config_help();
    fputs(help_tail, stdout);
}
