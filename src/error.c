/*
 * error.c: the one table of what can go wrong: its name, exit status, sentence and remedy. The exit
 * statuses are an interface: the man page shows the same table. It touches nothing else.
 */
#include "error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct error_row {
    const char *name;
    int exit_status;
    bool is_transient;
    const char *text;
    const char *remedy;
    const char *filesystem_remedy; /* NULL: the same */
};

static const struct error_row error_rows[OTA_ERROR_COUNT] = {
    [OTA_OK] = {.name = "ok", .text = "the board confirmed the upload", .remedy = ""},
    [OTA_E_INTERNAL] =
        {
            .name = "internal",
            .exit_status = 1,
            .text = "an operation failed on this computer",
            .remedy = "Try once more with --debug, and report its output if the message comes "
                      "back.",
        },
    [OTA_E_OUTPUT] =
        {
            .name = "output",
            .exit_status = 1,
            .text = "the output could not be written",
            .remedy = "Check that the disk is not full, that the directory can be written to, and "
                      "that the program reading the output still runs.",
        },
    [OTA_E_NO_PORT] =
        {
            .name = "no-port",
            .exit_status = 1,
            .text = "this computer has no TCP port for the board to connect to",
            .remedy = "Check that -I, if given, is an address of this computer (\"ip address\" "
                      "lists them), and give -P another port or a range such as 10000-10100, or "
                      "leave it out to use any free port.",
        },
    [OTA_E_USAGE] =
        {
            .name = "usage",
            .exit_status = 2,
            .text = "the command line is wrong",
            .remedy = "", /* the sentence says what to write */
        },
    [OTA_E_IMAGE] =
        {
            .name = "image",
            .exit_status = 3,
            .text = "the image cannot be sent",
            .remedy = "", /* the sentence says what to do */
        },
    [OTA_E_SIGNATURE] =
        {
            .name = "signature",
            .exit_status = 3,
            .text = "the image is not signed by this key",
            .remedy = "Get the image again from whoever signed it, or sign it anew; where it was "
                      "signed with another key, give --verify-key that one.",
        },
    [OTA_E_NOT_FOUND] =
        {
            .name = "not-found",
            .exit_status = 4,
            .text = "the board's name was not found",
            .remedy =
                "Check that the board is on and in this network (multicast DNS does not cross "
                "routers, guest networks and most VPNs), and the spelling of its name, or "
                "give its IP address.",
        },
    [OTA_E_AMBIGUOUS] =
        {
            .name = "ambiguous",
            .exit_status = 4,
            .text = "several boards have this name",
            .remedy = "Update the boards by address, or all of them with --match, and give each a "
                      "name of its own (ArduinoOTA.setHostname() in its sketch); --list shows "
                      "which share one.",
        },
    [OTA_E_NO_MDNS] =
        {
            .name = "no-mdns",
            .exit_status = 4,
            .text = "boards cannot be looked for",
            .remedy = "Start Avahi and D-Bus (\"systemctl restart avahi-daemon\"; Debian's package "
                      "is avahi-daemon), or name the boards by their IP addresses with -i.",
        },
    [OTA_E_NO_ANSWER] =
        {
            .name = "no-answer",
            .exit_status = 5,
            .is_transient = true,
            .text = "the board does not answer",
            .remedy = "Check that the board is on, awake and in this network, that its sketch "
                      "calls ArduinoOTA.handle() often, that no other upload keeps it busy, and "
                      "that the port is right (-p: ESP8266 8266, ESP32 3232, Pico W 2040).",
        },
    [OTA_E_NOT_LISTENING] =
        {
            .name = "not-listening",
            .exit_status = 5,
            .is_transient = true,
            .text = "nothing listens on the board's OTA port",
            .remedy = "Check the port (-p: ESP8266 8266, ESP32 3232, Pico W 2040) and that the "
                      "sketch now on the board calls ArduinoOTA.begin() once it has joined the "
                      "Wi-Fi.",
        },
    [OTA_E_UNREACHABLE] =
        {
            .name = "unreachable",
            .exit_status = 5,
            .is_transient = true,
            .text = "the board cannot be reached",
            .remedy = "Check the address, that the board is on, and that this computer is in the "
                      "board's network: a VPN, a guest network or the access point's client "
                      "isolation can be in the way.",
        },
    [OTA_E_WRONG_PASSWORD] =
        {
            .name = "wrong-password",
            .exit_status = 6,
            .text = "the board rejected the password",
            .remedy = "Give the password that ArduinoOTA.setPassword() sets in the sketch now "
                      "running on the board, which need not be the one in the image that is being "
                      "sent.",
            .filesystem_remedy = "Give the password that ArduinoOTA.setPassword() sets in the "
                                 "sketch now running on the board.",
        },
    [OTA_E_PASSWORD_NEEDED] =
        {
            .name = "password-needed",
            .exit_status = 6,
            .text = "the board asks for a password, and none was given",
            .remedy = "Give it with --auth-file FILE, in the environment variable ESP_OTA_AUTH, "
                      "or with -a.",
        },
    [OTA_E_REFUSED] =
        {
            .name = "refused",
            .exit_status = 7,
            .text = "the board refused the image",
            .remedy = "Go by the board's reason: for \"Not Enough Space\" choose a smaller image, "
                      "another flash layout (the running and the new sketch must fit side by side) "
                      "or, for an ESP8266 or Pico W, -z, for \"Invalid bootstrapping state\" press "
                      "the board's reset button "
                      "once.",
            .filesystem_remedy = "Go by the board's reason: for \"Not Enough Space\" build the "
                                 "filesystem image for the layout of the flash that the sketch "
                                 "now on the board was built with.",
        },
    [OTA_E_NO_CONNECTION] =
        {
            .name = "no-connection",
            .exit_status = 8,
            .is_transient = true,
            .text = "the board accepted but never connected back",
            .remedy = "Let the board reach this computer's TCP port (choose it with -P and open "
                      "it in the firewall; from Docker or WSL forward it, with a VPN give -I this "
                      "computer's Wi-Fi address), and check that the image fits: an ESP32 refuses "
                      "one that does not without a word.",
        },
    [OTA_E_LOST] =
        {
            .name = "lost",
            .exit_status = 9,
            .is_transient = true,
            .text = "the connection was lost before the whole image was sent",
            .remedy = "Try again, and check the board's Wi-Fi signal and power supply if that "
                      "fails too; a sketch that was cut short is never started.",
            .filesystem_remedy = "Try again, and check the board's Wi-Fi signal and power supply "
                                 "if that fails too; until an upload succeeds the board's "
                                 "filesystem may be unusable.",
        },
    [OTA_E_STALLED] =
        {
            .name = "stalled",
            .exit_status = 9,
            .is_transient = true,
            .text = "the transfer stopped making progress",
            .remedy = "Check the board's Wi-Fi signal and power supply, and try again; press its "
                      "reset button if it no longer answers.",
        },
    [OTA_E_DEADLINE] =
        {
            .name = "deadline",
            .exit_status = 9,
            .text = "the upload did not end before the deadline",
            .remedy = "Give --deadline more seconds, or check the board's Wi-Fi signal and power "
                      "supply.",
        },
    [OTA_E_EARLY_OK] =
        {
            .name = "early-ok",
            .exit_status = 9,
            .text = "the board said OK before it had the whole image",
            .remedy = "Check that the address is the board's and that nothing in between answers "
                      "for it, look at what the board runs, and then send the image again.",
        },
    [OTA_E_BOARD] =
        {
            .name = "board",
            .exit_status = 10,
            .text = "the board reported an error",
            .remedy = "Go by the board's reason: a failed MD5 check or flash write is worth "
                      "another try; a wrong magic byte, \"Decryption error\" or \"Could Not "
                      "Activate\" means an image for another chip, or not an application image (a "
                      "filesystem image needs -s; of .bin and .elf the .bin is right), or "
                      "a compressed one for a core that does not unpack it; a failed signature "
                      "check, an image that is not signed with the board's key (--sign).",
            .filesystem_remedy = "Go by the board's reason: a failed MD5 check or flash write is "
                                 "worth another try.",
        },
    [OTA_E_UNKNOWN] =
        {
            .name = "unknown",
            .exit_status = 11,
            .text = "the whole image was sent, but the board gave no verdict",
            .remedy = "Look at the board before you send again: it may have installed the image "
                      "and restarted already.",
        },
    [OTA_E_UNPROVEN] =
        {
            .name = "unproven",
            .exit_status = 12,
            .text = "the proof that the board's firmware does what is expected is missing",
            .remedy =
                "See what the board does. A log comes from sketches that offer one at that TCP "
                "port (--monitor=PORT), and of what they say only what comes after the "
                "connection.",
        },
    [OTA_E_MIXED] =
        {
            .name = "mixed",
            .exit_status = 20,
            .text = "boards failed for different reasons",
            .remedy = "See what was said of each board.",
        },
    [OTA_E_INTERRUPTED] =
        {
            .name = "interrupted",
            .exit_status = 128,
            .text = "the upload was interrupted",
            .remedy = "Start it again when you are ready.",
        },
};

static const char *const phase_names[OTA_PHASE_COUNT] = {
    [OTA_PHASE_RESOLVE] = "resolution",          [OTA_PHASE_INVITE] = "invitation",
    [OTA_PHASE_AUTHENTICATE] = "authentication", [OTA_PHASE_ACCEPT] = "connection",
    [OTA_PHASE_TRANSFER] = "transfer",           [OTA_PHASE_RESULT] = "result",
    [OTA_PHASE_PROOF] = "proof of boot",
};

/* A number that is no code is a defect of ours: it is described as an internal error. */
static const struct error_row *error_row(enum ota_error error)
{
    return &error_rows[(unsigned)error < OTA_ERROR_COUNT ? error : OTA_E_INTERNAL];
}

const char *ota_error_name(enum ota_error error)
{
    return error_row(error)->name;
}

const char *ota_error_text(enum ota_error error)
{
    return error_row(error)->text;
}

const char *ota_error_remedy(enum ota_error error, enum ota_command command)
{
    const struct error_row *row = error_row(error);
    bool is_filesystem = command == OTA_COMMAND_FILESYSTEM && row->filesystem_remedy;

    return is_filesystem ? row->filesystem_remedy : row->remedy;
}

int ota_error_exit_status(enum ota_error error, int signal_number)
{
    int status = error_row(error)->exit_status;

    return error == OTA_E_INTERRUPTED ? status + signal_number : status;
}

bool ota_error_is_transient(enum ota_error error)
{
    return error_row(error)->is_transient;
}

const char *ota_phase_name(enum ota_phase phase)
{
    return (unsigned)phase < OTA_PHASE_COUNT ? phase_names[phase] : "unknown";
}

/* A message that was cut must say so, and may not end within a UTF-8 sequence. */
static void mark_cut(char message[OTA_MESSAGE_MAX])
{
    static const char ellipsis[] = "...";
    size_t end = OTA_MESSAGE_MAX - sizeof ellipsis;

    while (end > 0 && ((unsigned char)message[end] & 0xC0) == 0x80)
        end--;
    memcpy(message + end, ellipsis, sizeof ellipsis);
}

enum ota_error fail(struct ota_failure *failure, enum ota_error error, const char *format, ...)
{
    va_list arguments;
    int length;

    failure->error = error;
    failure->cause = OTA_CAUSE_NONE;
    va_start(arguments, format);
    length = vsnprintf(failure->message, sizeof failure->message, format, arguments);
    va_end(arguments);
    if (length < 0)
        snprintf(failure->message, sizeof failure->message, "%s", ota_error_text(error));
    else if ((size_t)length >= sizeof failure->message)
        mark_cut(failure->message);
    return error;
}
