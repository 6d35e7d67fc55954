/*
 * error.h: the failures, and the known facts of each. One table in base/error.c gives each code its
 * name, exit status, sentence and whether another attempt can cure it.
 */
#ifndef ESP_OTA_ERROR_H
#define ESP_OTA_ERROR_H

#include <stdbool.h>

/* What went wrong. */
enum ota_error {
    OTA_OK,                /* the board confirmed */
    OTA_E_INTERNAL,        /* a system call failed, or memory ran out */
    OTA_E_OUTPUT,          /* standard output, or a file, could not be written */
    OTA_E_NO_PORT,         /* the host has no port for the back-channel */
    OTA_E_LOCAL,           /* this computer does not send to the board */
    OTA_E_USAGE,           /* the command line is wrong */
    OTA_E_IMAGE,           /* the image cannot be read or cannot be sent */
    OTA_E_SIGNATURE,       /* the image is not signed by the key that it should be signed by */
    OTA_E_NOT_FOUND,       /* the name does not resolve */
    OTA_E_AMBIGUOUS,       /* several boards have this name */
    OTA_E_NO_MDNS,         /* multicast DNS cannot be asked which boards there are */
    OTA_E_NEVER_ASKED,     /* --serve: a listed board did not ask for the image */
    OTA_E_NO_ANSWER,       /* silence after the invitation or the authentication answer */
    OTA_E_NOT_LISTENING,   /* the host answers, but nothing listens on that UDP port (ICMP) */
    OTA_E_UNREACHABLE,     /* no route, or the network says that the host is not there */
    OTA_E_NO_PAGE,         /* no update page that is known at the board's web server */
    OTA_E_TLS,             /* no secure connection, or a certificate that is not trusted */
    OTA_E_WRONG_PASSWORD,  /* the board rejected the answer to its challenge */
    OTA_E_PASSWORD_NEEDED, /* the board asks for a password and none was given */
    OTA_E_WEAK_AUTH,       /* the board asks for an answer with MD5, and --min-auth forbids it */
    OTA_E_DOWNGRADE,       /* a board that has asked for SHA-256 now asks for MD5; or it has asked
                            * for a password, and does not any more */
    OTA_E_NOT_ASKED,       /* no challenge from a board that announces a password */
    OTA_E_NO_VERDICT,      /* it did not judge its answers, or not all that it may have */
    OTA_E_KEY_NEEDED,      /* the board takes encrypted uploads only, and no key was given */
    OTA_E_WRONG_KEY,       /* the board has another encryption key */
    OTA_E_NO_ENCRYPTION,   /* a key was given, and there is no encrypted connection */
    OTA_E_UNAUTHORIZED,    /* --serve: a listed board asked without the right password */
    OTA_E_REFUSED,         /* `ERR: ...` instead of OK */
    OTA_E_NO_CONNECTION,   /* accepted, but no back-channel connection came */
    OTA_E_LOST,            /* the connection ended before the last byte was sent */
    OTA_E_STALLED,         /* no progress, before the last byte was sent */
    OTA_E_DEADLINE,        /* --deadline was over before the last byte was sent */
    OTA_E_EARLY_OK,        /* the board said OK before it had the whole image */
    OTA_E_BOARD,           /* the board reported an error over the back-channel */
    OTA_E_UNKNOWN,         /* everything was sent, and no verdict came */
    OTA_E_UNPROVEN,        /* --expect, --reject, --online: the proof of boot is missing */
    OTA_E_NOT_RETURNED,    /* --serve: a board took the image and has not come back with it */
    OTA_E_INTERRUPTED,     /* by a signal such as SIGINT */
    OTA_E_MIXED,           /* boards of a fleet failed with different exit statuses */
    OTA_ERROR_COUNT
};

/* Where an upload stands; a failure names the phase it happened in. */
enum ota_phase {
    OTA_PHASE_RESOLVE,
    OTA_PHASE_INVITE,
    OTA_PHASE_PAGE, /* the board's update page is looked for and prepared */
    OTA_PHASE_AUTHENTICATE,
    OTA_PHASE_PREPARE, /* the board erases its flash for the image */
    OTA_PHASE_ACCEPT,
    OTA_PHASE_TRANSFER,
    OTA_PHASE_RESULT,
    OTA_PHASE_PROOF, /* after the board's confirmation: its log, its return */
    OTA_PHASE_IMAGE, /* at any time: the image is not for this board */
    OTA_PHASE_LOG,   /* nothing is uploaded: only the board's log is followed */
    OTA_PHASE_COUNT
};

/* What is known of a failure besides its code; remedy.c goes by it. */
enum ota_cause {
    OTA_CAUSE_NONE,
    /* What this computer lacks. */
    OTA_CAUSE_TOO_MANY_FILES,
    OTA_CAUSE_TOO_MANY_LOGS, /* the same, and each followed log keeps its connection */
    OTA_CAUSE_OUT_OF_MEMORY,
    OTA_CAUSE_NO_LIBRARY, /* one that is loaded when it is needed */
    OTA_CAUSE_TOO_MANY_PROCESSES,
    OTA_CAUSE_HELPER_LOST,      /* the process that starts the workers */
    OTA_CAUSE_NO_CERTIFICATES,  /* none to trust, or they cannot be read */
    OTA_CAUSE_CERTIFICATE_DATE, /* by its clock, a certificate is not valid yet or any more */
    OTA_CAUSE_OTHER_TLS,        /* libcurl's TLS is not an OpenSSL that is loaded with it */
    /* Why output cannot be written. */
    OTA_CAUSE_DISK_FULL,
    OTA_CAUSE_NO_FOLDER,
    OTA_CAUSE_PATH_IS_ODD, /* the same, and the message says what to write instead */
    OTA_CAUSE_NOT_ALLOWED,
    OTA_CAUSE_NAME_TOO_LONG,
    OTA_CAUSE_LINK_LOOP,
    OTA_CAUSE_READER_GONE,
    OTA_CAUSE_CLOSED,      /* a standard stream, before the program started */
    OTA_CAUSE_MOUNT_POINT, /* of a file, which a new one cannot replace */
    OTA_CAUSE_NOT_A_FILE,  /* a directory, a device, a terminal, a file with other content */
    /* Who is there. */
    OTA_CAUSE_NO_AVAHI,       /* multicast DNS cannot be asked */
    OTA_CAUSE_NO_NETWORK,     /* this computer is in none, so it hears of nobody */
    OTA_CAUSE_NO_BOARDS,      /* none announces itself */
    OTA_CAUSE_NO_SUCH_BOARD,  /* others do */
    OTA_CAUSE_OTHER_PROTOCOL, /* such boards do, but they take uploads by another protocol */
    OTA_CAUSE_OTHER_NAMES,    /* others do, and one board was looked for */
    OTA_CAUSE_OTHER_WAY,      /* the same, and the most similar name needs another protocol */
    OTA_CAUSE_PATTERN,        /* others do, and they match the board's name as a pattern */
    OTA_CAUSE_NO_ADDRESS,     /* it is announced with one that no board can have */
    OTA_CAUSE_SEPARATED,      /* its name has commas between or beside names of boards */
    /* The way to a board that does not answer, or does not connect. */
    OTA_CAUSE_DETOUR,        /* datagrams leave through another interface than the board's */
    OTA_CAUSE_OTHER_NETWORK, /* no interface of this computer is in the board's local network */
    OTA_CAUSE_NOBODY,        /* nobody in its network has the address */
    OTA_CAUSE_THERE,         /* somebody has, and is silent */
    OTA_CAUSE_ANNOUNCED,     /* nothing listens at the port that the board announces */
    OTA_CAUSE_PORT_OF_IMAGE, /* nor at the one that the image's chip has by default */
    OTA_CAUSE_OTHER_PORT,    /* the board announces another port than the one that was given */
    OTA_CAUSE_THIS_COMPUTER, /* the address is one of this computer */
    /* It does not answer ArduinoOTA, and the image is ESPHome: the board may run that. */
    OTA_CAUSE_ESPHOME,
    /* It answers nothing by the protocol that it was asked by, and announces another one. */
    OTA_CAUSE_ANNOUNCES_ESPOTA,
    OTA_CAUSE_ANNOUNCES_ESPHOME,
    OTA_CAUSE_ANNOUNCES_SKETCH,
    OTA_CAUSE_ANNOUNCES_WEB,
    /* A connection came, but from an address that nobody expected. */
    OTA_CAUSE_OTHER_ADDRESS,
    /* The address was another board's in an earlier run, and may still be. */
    OTA_CAUSE_EARLIER_ADDRESS,
    /* All of its addresses are those of other boards, or all at which it may be found. */
    OTA_CAUSE_SHARED_ADDRESS,
    /* The board said that the password is wrong. */
    OTA_CAUSE_PASSWORD_REJECTED,
    /* The password that was typed is not tried on this board, as another one has rejected it. */
    OTA_CAUSE_TYPED_REJECTED,
    /* A project file has named the board, so it does not get the user's password or key. */
    OTA_CAUSE_PROJECT_BOARD,
    OTA_CAUSE_HANDSHAKE,         /* of TLS: it failed before there was a certificate to judge */
    OTA_CAUSE_OTHER_CERTIFICATE, /* that for an earlier request was trusted, this one is not */
    /* No password helps: the page asks in another way, or does not let anybody in. */
    OTA_CAUSE_UNKNOWN_WAY,
    OTA_CAUSE_PIN,
    OTA_CAUSE_PIN_REJECTED,
    OTA_CAUSE_LOCKED,
    OTA_CAUSE_DENIED,
    OTA_CAUSE_OUTSIDE,    /* WLED: the upload comes from another network than its own */
    OTA_CAUSE_RELEASE,    /* WLED: the image is not of the release that runs */
    OTA_CAUSE_NO_RELEASE, /* WLED: the image does not show its release */
    OTA_CAUSE_STEP,       /* WLED: the image follows a later version than the one that runs */
    /* A web server shows no update page. */
    OTA_CAUSE_BUSY,  /* now: it says to come back later */
    OTA_CAUSE_MOVED, /* but leads to another scheme, host or port */
    /* The proof of boot. */
    OTA_CAUSE_NOT_RESTARTED,
    OTA_CAUSE_NOT_BACK,
    OTA_CAUSE_RESTART_UNKNOWN, /* this computer was off the network meanwhile */
    OTA_CAUSE_LOG_REJECTED,
    OTA_CAUSE_LOG_UNMATCHED, /* lines came, but not the expected ones */
    OTA_CAUSE_LOG_SILENT,    /* connected, but no line came since the restart */
    OTA_CAUSE_LOG_REFUSED,   /* nothing listens at its port */
    OTA_CAUSE_LOG_UNDECIDED, /* a pattern can match a line in too many ways */
    OTA_CAUSE_OTHER_VERSION, /* than that of the image, --expect-version or --serve-version */
    OTA_CAUSE_NO_VERSION,    /* the board did not report one in time, or none that is known */
    OTA_CAUSE_RECOVERY,      /* the board runs its recovery firmware, and not the image */
    OTA_CAUSE_PROOF_LATE,    /* --deadline was over before it came */
    /* --serve: why too few boards have confirmed (lack.c). */
    OTA_CAUSE_NEVER_ASKED,   /* no board asked */
    OTA_CAUSE_NOT_TOLD,      /* to fetch: its turn has not come */
    OTA_CAUSE_ONLY_TOLD,     /* to fetch, and it has not asked */
    OTA_CAUSE_TURNED_AWAY,   /* none got an answer, and warnings say why */
    OTA_CAUSE_NO_PASSWORD,   /* they give none, or a wrong one */
    OTA_CAUSE_OTHER_PATH,    /* they ask for something that is not served */
    OTA_CAUSE_TOO_FEW_ASKED, /* and all of them have confirmed */
    OTA_CAUSE_NO_MAC,        /* they do not say who they are */
    OTA_CAUSE_NO_IMAGE,      /* nothing that is served is for them */
    OTA_CAUSE_UNFINISHED,    /* a download runs or broke off, or their turn has not come */
    OTA_CAUSE_KEEPS_OLD,     /* they took the image, and came back without it */
    OTA_CAUSE_OTHER_IMAGE,   /* they took it, and run neither it nor what they ran before */
    OTA_CAUSE_SEVERAL,       /* several of these */
    /* An interruption of an upload: a proof was awaited; or all was sent, and no verdict came. */
    OTA_CAUSE_PROOF_CUT_SHORT,
    OTA_CAUSE_VERDICT_CUT_SHORT,
    OTA_CAUSE_LOG_CUT_SHORT, /* after the uploads, and before --monitor-for was over */
    /* Nothing leaves this computer: its firewall forbids it (EPERM); -I does not lead to the
     * board (EINVAL), or is not in its network although another interface is; a route forbids it
     * (EACCES, EHOSTUNREACH, or EINVAL without -I); the board's address is a broadcast address;
     * there is no route (ENETUNREACH). */
    OTA_CAUSE_FIREWALL,
    OTA_CAUSE_WRONG_SOURCE,
    OTA_CAUSE_NO_WAY_OUT,
    OTA_CAUSE_BROADCAST,
    OTA_CAUSE_NO_ROUTE,
    /* --serve cannot listen: another program has the port, or it needs privileges; this computer
     * does not have the address. */
    OTA_CAUSE_PORT_IN_USE,
    OTA_CAUSE_PORT_PRIVILEGED,
    OTA_CAUSE_NOT_OUR_ADDRESS,
    /* The board's own words, over UDP or during a transfer (reason.c). */
    OTA_CAUSE_FLASH, /* it cannot be written, erased or read */
    OTA_CAUSE_NO_SPACE,
    OTA_CAUSE_NO_SPACE_COMPRESSED, /* for a sketch that is compressed already */
    OTA_CAUSE_BAD_SIZE,            /* there is no room at all, or (ESP32) too little */
    OTA_CAUSE_UNSAID,              /* it fails, and its updater has no error */
    OTA_CAUSE_RUNNING,             /* another update runs, or one that broke off */
    OTA_CAUSE_TOO_SLOW,
    OTA_CAUSE_MD5,
    OTA_CAUSE_FLASH_CONFIG,     /* the running sketch was built for another size of flash */
    OTA_CAUSE_NEW_FLASH_CONFIG, /* the new one was */
    OTA_CAUSE_MAGIC_BYTE,
    OTA_CAUSE_BOOTSTRAP, /* no reset since a sketch came over the cable */
    OTA_CAUSE_SIGNATURE,
    OTA_CAUSE_NO_DATA,
    OTA_CAUSE_NO_MEMORY,
    OTA_CAUSE_NOT_ACTIVATED,
    OTA_CAUSE_DECRYPTION, /* an ESP32 takes a wrong first byte for an encrypted image */
    OTA_CAUSE_NO_PARTITION,
    OTA_CAUSE_NO_FILESYSTEM,
    OTA_CAUSE_NO_PREPARATION, /* it cannot begin an update */
    OTA_CAUSE_OLDER_VERSION,  /* it takes no older firmware than its own */
    /* After the last byte: the board was off the network, and no longer knew the connection when it
     * was back; or it is still off the network. */
    OTA_CAUSE_RESTARTED,
    OTA_CAUSE_GONE,
    /* It keeps the part that has arrived; it adds the next upload to it and starts the mixture, or
     * drops that upload and reports a success. */
    OTA_CAUSE_PART_KEPT,
    OTA_CAUSE_PART_UNSURE, /* it may do so; the next attempt of this upload finds out */
    OTA_CAUSE_COUNT
};

/* An error, and a sentence about it for people: bounded, and all text from outside in it is
 * escaped. */
enum { OTA_MESSAGE_MAX = 1024 };
struct ota_failure {
    enum ota_error error;
    char message[OTA_MESSAGE_MAX];
    enum ota_cause cause;
    bool is_waited_out; /* the board did not come within --wait */
};

/* Facts about an error code; never NULL, also for a number that is no code. */
const char *ota_error_name(enum ota_error error); /* "wrong-password": stable, for programs */
const char *ota_error_text(enum ota_error error); /* "the board rejected the password" */
/* The exit status for the code; an interruption gives 128 + signal_number. */
int ota_error_exit_status(enum ota_error error, int signal_number);
/* Whether another attempt can cure it. */
bool ota_error_is_transient(enum ota_error error);

const char *ota_phase_name(enum ota_phase phase); /* "invitation", for people and programs */

#endif
