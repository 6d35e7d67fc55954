/*
 * error.c: the one table of errors: name, exit status, sentence. The exit statuses are an
 * interface; the manual shows the same table.
 */
#include "base/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct error_row {
    const char *name;
    int exit_status;
    bool is_transient;
    const char *text;
};

static const struct error_row error_rows[OTA_ERROR_COUNT] = {
    [OTA_OK] = {.name = "ok", .text = "the board confirmed the upload"},
    [OTA_E_INTERNAL] =
        {
            .name = "internal",
            .exit_status = 1,
            .text = "an operation failed on this computer",
        },
    [OTA_E_OUTPUT] =
        {
            .name = "output",
            .exit_status = 1,
            .text = "the output could not be written",
        },
    [OTA_E_NO_PORT] =
        {
            .name = "no-port",
            .exit_status = 1,
            .text = "this computer has no TCP port for the board to connect to",
        },
    [OTA_E_LOCAL] =
        {
            .name = "local",
            .exit_status = 1,
            .text = "this computer cannot send to the board",
        },
    [OTA_E_USAGE] =
        {
            .name = "usage",
            .exit_status = 2,
            .text = "the command line is wrong", /* the message says what to write */
        },
    [OTA_E_IMAGE] =
        {
            .name = "image",
            .exit_status = 3,
            .text = "the image cannot be sent", /* the message says what to do */
        },
    [OTA_E_SIGNATURE] =
        {
            .name = "signature",
            .exit_status = 3,
            .text = "the image is not signed by this key",
        },
    [OTA_E_NOT_FOUND] =
        {
            .name = "not-found",
            .exit_status = 4,
            .text = "the board's name was not found",
        },
    [OTA_E_AMBIGUOUS] =
        {
            .name = "ambiguous",
            .exit_status = 4,
            .text = "several boards have this name or address",
        },
    [OTA_E_NO_MDNS] =
        {
            .name = "no-mdns",
            .exit_status = 4,
            .text = "cannot look for boards",
        },
    [OTA_E_NEVER_ASKED] =
        {
            .name = "never-asked",
            .exit_status = 4,
            .text = "the board did not ask for the image",
        },
    [OTA_E_NO_ANSWER] =
        {
            .name = "no-answer",
            .exit_status = 5,
            .is_transient = true,
            .text = "the board does not answer",
        },
    [OTA_E_NOT_LISTENING] =
        {
            .name = "not-listening",
            .exit_status = 5,
            .is_transient = true,
            .text = "nothing listens on the board's OTA port",
        },
    [OTA_E_UNREACHABLE] =
        {
            .name = "unreachable",
            .exit_status = 5,
            .is_transient = true,
            .text = "the board cannot be reached",
        },
    [OTA_E_NO_PAGE] =
        {
            .name = "no-page",
            .exit_status = 5,
            .text = "the board's web server has no known update page",
        },
    [OTA_E_TLS] =
        {
            .name = "tls",
            .exit_status = 6,
            .text = "there is no secure connection to the board",
        },
    [OTA_E_WRONG_PASSWORD] =
        {
            .name = "wrong-password",
            .exit_status = 6,
            .text = "the board rejected the password",
        },
    [OTA_E_PASSWORD_NEEDED] =
        {
            .name = "password-needed",
            .exit_status = 6,
            .text = "the board asks for a password, and got none",
        },
    [OTA_E_WEAK_AUTH] =
        {
            .name = "weak-auth",
            .exit_status = 6,
            .text = "the board asks for the password in a weaker way than --min-auth allows",
        },
    [OTA_E_DOWNGRADE] =
        {
            .name = "downgrade",
            .exit_status = 6,
            .text = "the board asked for SHA-256 or a password before, and now asks for less",
        },
    [OTA_E_NOT_ASKED] =
        {
            .name = "password-not-asked",
            .exit_status = 6,
            .text = "the board announces a password and did not ask for it",
        },
    [OTA_E_NO_VERDICT] =
        {
            .name = "no-verdict",
            .exit_status = 6,
            .text = "the board sent challenges, but neither accepted nor rejected an answer",
        },
    [OTA_E_KEY_NEEDED] =
        {
            .name = "key-needed",
            .exit_status = 6,
            .text = "the board takes encrypted uploads only, and no key was given",
        },
    [OTA_E_WRONG_KEY] =
        {
            .name = "wrong-key",
            .exit_status = 6,
            .text = "the board has another encryption key",
        },
    [OTA_E_NO_ENCRYPTION] =
        {
            .name = "no-encryption",
            .exit_status = 6,
            .text = "there is no encrypted connection to the board",
        },
    [OTA_E_UNAUTHORIZED] =
        {
            .name = "unauthorized",
            .exit_status = 6,
            .text = "the board asked without the right password",
        },
    [OTA_E_REFUSED] =
        {
            .name = "refused",
            .exit_status = 7,
            .text = "the board refused the image",
        },
    [OTA_E_NO_CONNECTION] =
        {
            .name = "no-connection",
            .exit_status = 8,
            .is_transient = true,
            .text = "the board accepted but never connected back",
        },
    [OTA_E_LOST] =
        {
            .name = "lost",
            .exit_status = 9,
            .is_transient = true,
            .text = "the connection was lost before the whole image was sent",
        },
    [OTA_E_STALLED] =
        {
            .name = "stalled",
            .exit_status = 9,
            .is_transient = true,
            .text = "the transfer stopped making progress",
        },
    [OTA_E_DEADLINE] =
        {
            .name = "deadline",
            .exit_status = 9,
            .text = "the upload did not end before the deadline",
        },
    [OTA_E_EARLY_OK] =
        {
            .name = "early-ok",
            .exit_status = 9,
            .text = "the board said OK before it had the whole image",
        },
    [OTA_E_BOARD] =
        {
            .name = "board",
            .exit_status = 10,
            .text = "the board reported an error",
        },
    [OTA_E_UNKNOWN] =
        {
            .name = "unknown",
            .exit_status = 11,
            .text = "the whole image was sent, but the board gave no verdict",
        },
    [OTA_E_UNPROVEN] =
        {
            .name = "unproven",
            .exit_status = 12,
            .text = "there is no proof that the new firmware works as expected",
        },
    [OTA_E_NOT_RETURNED] =
        {
            .name = "not-returned",
            .exit_status = 12,
            .text = "the board did not come back with the image",
        },
    [OTA_E_MIXED] =
        {
            .name = "mixed",
            .exit_status = 20,
            .text = "boards failed for different reasons",
        },
    [OTA_E_INTERRUPTED] =
        {
            .name = "interrupted",
            .exit_status = 128,
            .text = "the upload was interrupted",
        },
};

static const char *const phase_names[OTA_PHASE_COUNT] = {
    [OTA_PHASE_RESOLVE] = "resolution",
    [OTA_PHASE_INVITE] = "invitation",
    [OTA_PHASE_PAGE] = "update page",
    [OTA_PHASE_AUTHENTICATE] = "authentication",
    [OTA_PHASE_PREPARE] = "preparation",
    [OTA_PHASE_ACCEPT] = "connection",
    [OTA_PHASE_TRANSFER] = "transfer",
    [OTA_PHASE_RESULT] = "result",
    [OTA_PHASE_PROOF] = "proof of boot",
    [OTA_PHASE_IMAGE] = "image",
    [OTA_PHASE_LOG] = "log",
};

/* A number outside the table is a bug of this program and shown as an internal error. */
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

enum ota_cause error_lack_cause(int number)
{
    switch (number) {
    case EMFILE:
    case ENFILE:
        return OTA_CAUSE_TOO_MANY_FILES;
    case ENOMEM:
    case ENOBUFS:
        return OTA_CAUSE_OUT_OF_MEMORY;
    case EAGAIN:
        return OTA_CAUSE_TOO_MANY_PROCESSES;
    case ECHILD:
        return OTA_CAUSE_HELPER_LOST;
    default:
        return OTA_CAUSE_NONE;
    }
}

enum ota_cause error_way_cause(int number)
{
    switch (number) {
    case EPERM:
        return OTA_CAUSE_FIREWALL;
    case EACCES:
        return OTA_CAUSE_NO_WAY_OUT;
    case ENETUNREACH:
    case ENETDOWN:
    case ENODEV:        /* the interface of -I is gone */
    case EADDRNOTAVAIL: /* it has no address of this IP version */
        return OTA_CAUSE_NO_ROUTE;
    default:
        return OTA_CAUSE_NONE;
    }
}

enum ota_cause error_output_cause(int reason)
{
    switch (reason) {
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
        return OTA_CAUSE_DISK_FULL;
    case ENOENT:
    case ENOTDIR:
        return OTA_CAUSE_NO_FOLDER;
    case EACCES:
    case EPERM:
    case EROFS:
        return OTA_CAUSE_NOT_ALLOWED;
    case ENAMETOOLONG:
        return OTA_CAUSE_NAME_TOO_LONG;
    case ELOOP:
        return OTA_CAUSE_LINK_LOOP;
    case EISDIR:
        return OTA_CAUSE_NOT_A_FILE;
    case ENXIO: /* a pipe that nobody has opened to read */
    case EPIPE:
    case ETIMEDOUT:
        return OTA_CAUSE_READER_GONE;
    case EBADF:
        return OTA_CAUSE_CLOSED;
    case EAGAIN: /* of a write, unlike that of fork(), it says nothing of processes */
        return OTA_CAUSE_NONE;
    default:
        return error_lack_cause(reason);
    }
}

const char *error_output_text(int reason)
{
    if (reason == EBADF)
        return "it is closed";
    return reason == ETIMEDOUT ? "its reader has stopped" : strerror(reason);
}

const char *error_process_text(int number)
{
    return number == ECHILD ? "the helper process that starts others was ended or stopped"
                            : strerror(number);
}

const char *error_connection_text(int reason, const char *timed_out)
{
    if (reason == 0)
        return "the board closed the connection";
    if (reason == ECONNRESET || reason == EPIPE)
        return "the board reset the connection";
    return reason == ETIMEDOUT ? timed_out : strerror(reason);
}

/* Ends a cut message in "...", placed between two characters of UTF-8. */
static void mark_cut(char message[OTA_MESSAGE_MAX])
{
    static const char ellipsis[] = "...";
    size_t end = OTA_MESSAGE_MAX - sizeof ellipsis;

    while (end > 0 && ((unsigned char)message[end] & 0xC0) == 0x80)
        end--;
    memcpy(message + end, ellipsis, sizeof ellipsis);
}

static void write_message(struct ota_failure *failure, const char *format, va_list arguments)
{
    int length = vsnprintf(failure->message, sizeof failure->message, format, arguments);

    if (length < 0)
        snprintf(failure->message, sizeof failure->message, "%s", ota_error_text(failure->error));
    else if ((size_t)length >= sizeof failure->message)
        mark_cut(failure->message);
}

enum ota_error ota_vfail(struct ota_failure *failure, enum ota_error error, const char *format,
                         va_list arguments)
{
    failure->error = error;
    failure->cause = OTA_CAUSE_NONE;
    failure->is_waited_out = false;
    write_message(failure, format, arguments);
    return error;
}

enum ota_error ota_fail(struct ota_failure *failure, enum ota_error error, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    ota_vfail(failure, error, format, arguments);
    va_end(arguments);
    return error;
}

void ota_prefix(struct ota_failure *failure, const char *format, ...)
{
    const struct ota_failure bare = *failure;
    char text[OTA_MESSAGE_MAX];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    ota_fail(failure, bare.error, "%s%s", text, bare.message);
    failure->cause = bare.cause;
    failure->is_waited_out = bare.is_waited_out;
}

enum ota_error ota_fail_errno(struct ota_failure *failure, enum ota_error error, int number,
                              const char *format, ...)
{
    va_list arguments;

    failure->error = error_unless_local(error, number);
    failure->cause = error_lack_cause(number);
    failure->is_waited_out = false;
    va_start(arguments, format);
    write_message(failure, format, arguments);
    va_end(arguments);
    return failure->error;
}

enum ota_error ota_fail_call(struct ota_failure *failure, const char *what)
{
    const int reason = errno;

    return ota_fail_errno(failure, OTA_E_INTERNAL, reason, "%s: %s", what, strerror(reason));
}

enum ota_error ota_fail_stdout(struct ota_failure *failure, int reason)
{
    ota_fail(failure, OTA_E_OUTPUT, "cannot write to standard output: %s",
             error_output_text(reason));
    failure->cause = error_output_cause(reason);
    return failure->error;
}

enum ota_error ota_fail_no_memory(struct ota_failure *failure)
{
    return ota_fail_errno(failure, OTA_E_INTERNAL, ENOMEM, "out of memory");
}

bool error_is_local(int number)
{
    return number == ENOMEM || number == EMFILE || number == ENFILE || number == EAGAIN ||
           number == ENOBUFS || number == ECHILD;
}

bool error_is_of_this_computer(int number)
{
    return error_is_local(number) || error_way_cause(number) != OTA_CAUSE_NONE ||
           number == EINVAL; /* a route discards it, or -I does not lead there */
}

void ota_blame_this_computer(struct ota_failure *failure, int number)
{
    if (!error_is_of_this_computer(number))
        return;
    failure->error = error_unless_local(OTA_E_LOCAL, number);
    failure->cause = error_is_local(number) ? error_lack_cause(number) : error_way_cause(number);
}

enum ota_error error_unless_local(enum ota_error error, int number)
{
    return error_is_local(number) ? OTA_E_INTERNAL : error;
}
