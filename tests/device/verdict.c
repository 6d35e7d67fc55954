/* How an upload ends: the checks, the words, and the order of OK, FIN and restart.
 *
 *   ESP32:        OK at once, FIN, restart after 110 ms
 *   8266 family:  installs; OK after 1 s, FIN after another second, restart
 *   failure:      the reason as text, then close(). If data of the host is still unread, TCP sends
 *                 a reset, and the host may never see the text. Real boards do the same. */
#include "board.h"
#include "eboot.h"
#include "event.h"
#include "family.h"

#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/ioctl.h>

enum { TEXT_ROOM = 160, SPLIT_US = 50000 };

static double seconds(const struct board *board)
{
    return (double)(now_us() - board->upload.started_us) / 1e6;
}

void upload_report_failure(struct board *board, const char *reason)
{
    struct upload *upload = &board->upload;
    char escaped[ESCAPED_ROOM];
    sink_close(&upload->sink, board->sim->config->output_partial);
    board_event(board, "upload result=failed bytes=%zu reason=%s seconds=%.2f command=%ld",
                upload->received, event_quoted(reason, strcspn(reason, "\r\n"), escaped),
                seconds(board), board->invitation.command);
}

void upload_fail(struct board *board, const char *reason, bool reset)
{
    upload_close(board, reset);
    board->upload.phase = UPLOAD_NONE;
    upload_report_failure(board, reason);
    board_after(board, board->sim->config->family.idle_us, board_idle);
}

void upload_refuse(struct board *board, const void *text, size_t length)
{
    char reason[TEXT_ROOM + 1];
    size_t kept = length < TEXT_ROOM ? length : TEXT_ROOM;
    board->upload.joined = false;
    upload_say_number(board);
    upload_send(board, text, length);
    memcpy(reason, text, kept);
    reason[kept] = '\0';
    upload_fail(board, reason, false);
}

static void refuse_text(struct board *board, const char *text)
{
    upload_refuse(board, text, strlen(text));
}

static bool is_gzip(const struct board *board)
{
    const uint8_t *head = board->upload.head;
    return board->upload.received > 1 && head[0] == 0x1f && head[1] == 0x8b;
}

static bool has_magic(struct board *board)
{
    const uint8_t *head = board->upload.head;
    enum magic magic = board->sim->config->family.magic;

    if (board->invitation.command != 0)
        return true;
    if (magic == MAGIC_ENTRY)
        return !is_gzip(board);
    return magic != MAGIC_AT_END || head[0] == 0xe9 ||
           (is_gzip(board) && !board_fault(board, FAULT_OLD_CORE));
}

/* Sends FIN. The restart ends the connection, and lost segments are not retransmitted then. */
static void end_connection(struct board *board)
{
    struct upload *upload = &board->upload;
    if (upload_more_waits(board) || shutdown(upload->fd, SHUT_WR) < 0) {
        upload_close(board, false);
        return;
    }
    timer_stop(board->sim->loop, &upload->timer);
    timer_stop(board->sim->loop, &upload->silence);
    watch_remove(board->sim->loop, &upload->watch);
}

/* However fast a restart comes with --fast: what was lost before is repeated as on a real board. */
static void restart_when_heard(void *owner)
{
    struct board *board = owner;
    int unheard = 0;
    bool waits = ioctl(board->upload.fd, SIOCOUTQ, &unheard) == 0 && unheard > 0;
    if (waits && now_us() < board->upload.restart_by_us)
        board_after(board, board->sim->config->family.restart_us, restart_when_heard);
    else
        board_restart(board);
}

void upload_finish(void *owner)
{
    struct board *board = owner;
    const struct config *config = board->sim->config;
    end_connection(board);
    board->upload.phase = UPLOAD_NONE;
    board->upload.restart_by_us = now_us() + config->heard_us;
    board_after(board, config->family.restart_us, restart_when_heard);
    board_counts_success(board);
}

static void finish_later(struct board *board)
{
    int64_t delay_us = board->sim->config->family.close_us;
    if (delay_us > 0)
        upload_after(board, delay_us, upload_finish);
    else
        upload_finish(board);
}

static void say_k(void *owner)
{
    struct board *board = owner;
    upload_send(board, "K", 1);
    finish_later(board);
}

static void say_ok(void *owner)
{
    struct board *board = owner;
    struct upload *upload = &board->upload;
    char text[32] = "OK";

    if (board_fault(board, FAULT_OK_SPLIT)) {
        upload_send(board, "O", 1);
        upload_after(board, SPLIT_US, say_k);
        return;
    }

    if (upload->joined)
        snprintf(text, sizeof text, "%zuOK", upload->unsaid);
    upload_send(board, text, strlen(text));
    finish_later(board);
}

/* The last byte is acknowledged, and nothing that the board says from now on arrives. */
static void fall_silent(struct board *board)
{
    const int on = 1;
    const struct family *family = &board->sim->config->family;
    setsockopt(board->upload.fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    setsockopt(board->upload.fd, IPPROTO_TCP, TCP_QUICKACK, &on, sizeof on);
    upload_leave(board);
    board_after(board, family->verdict_us + family->close_us + family->restart_us, board_restart);
    board_counts_success(board);
}

/* The image is installed, but the host is not to learn it. True if so ordered. */
static bool withhold_ok(struct board *board)
{
    if (board_fault(board, FAULT_DROP_VERDICT)) {
        fall_silent(board);
        return true;
    }
    if (board_fault(board, FAULT_OK_NEVER)) {
        upload_hold(board);
        return true;
    }

    bool reset = board_fault(board, FAULT_OK_RESET) != NULL;
    if (!reset && !board_fault(board, FAULT_OK_MISSING))
        return false;
    upload_close(board, reset);
    upload_finish(board);
    return true;
}

/* True if the boot loader unpacks the installed image, and its file is wanted. */
static bool unpacks(const struct board *board)
{
    const struct config *config = board->sim->config;
    return config->family.lineage == LINEAGE_8266 && !config->family.never_unpacks &&
           board->upload.sink.fd >= 0 && is_gzip(board) &&
           (board->invitation.command == 0 || config->atomic_fs);
}

/* Returns the size that eboot reads from the last four bytes of the gzip file. The updater has
 * removed the signature, if there is one. */
static size_t recorded_size(const struct board *board)
{
    enum { FIELD = 4 };
    size_t length = 0, size = 0;
    uint8_t *packed = sink_read(&board->upload.sink, &length);

    if (packed && board->sim->config->key && length > board->upload.signature.trailer)
        length -= board->upload.signature.trailer;
    for (size_t i = 0; packed && length >= FIELD && i < FIELD; i++)
        size |= (size_t)packed[length - FIELD + i] << 8 * i;
    free(packed);
    return size;
}

static void unpack_installed(struct board *board)
{
    size_t length = 0;
    size_t limit = board->sim->config->family.eboot ? recorded_size(board) : SIZE_MAX;
    bool done = sink_unpack(&board->upload.sink, limit, &length);
    board_event(board, "unpack result=%s bytes=%zu", done ? "ok" : "failed", length);
}

/* Checks whether the installed sketch will start. */
static void foresee_boot(struct board *board)
{
    const struct config *config = board->sim->config;
    board->upload.dead = NULL;
    if (!config->boots || !config->family.eboot || board->invitation.command != 0)
        return;

    size_t length = 0;
    uint8_t *flash = sink_read(&board->upload.sink, &length);
    board->upload.dead = flash ? eboot_finds_wrong(flash, length) : "the image cannot be read";
    free(flash);
}

void upload_keep(struct board *board, const char *md5)
{
    struct upload *upload = &board->upload;

    if (unpacks(board))
        unpack_installed(board);
    foresee_boot(board);
    if (upload->sink.fd >= 0)
        fetch_note_installed(board);

    if (!sink_close(&upload->sink, true))
        fprintf(stderr, "esp-ota-sim: the image could not be written to %s\n", upload->sink.path);
    upload->installed = true;
    board_event(board, "upload result=ok bytes=%zu md5=%s seconds=%.2f command=%ld",
                upload->received, md5, seconds(board), board->invitation.command);
}

static void install(struct board *board, const char *md5)
{
    int64_t delay_us = board->sim->config->family.verdict_us;

    upload_keep(board, md5);
    if (withhold_ok(board))
        return;

    if (delay_us > 0)
        upload_after(board, delay_us, say_ok);
    else
        say_ok(board);
}

/* An 8266 looks at the MD5 or at the signature, an ESP32 at both. */
bool upload_objects(struct board *board, const char *calculated, char text[UPLOAD_OBJECTION])
{
    const struct config *config = board->sim->config;
    bool esp32 = config->family.lineage == LINEAGE_ESP32;
    bool right = strcasecmp(calculated, board->invitation.md5) == 0;
    bool is_signed = !config->key || signature_end(&board->upload.signature);
    bool starts = esp_image_end(&board->upload.image);
    const char *objection = "";

    if (!right && esp32)
        objection = "MD5 Check Failed\r\n";
    else if (!right && !config->key)
        objection = "ERROR[7]: MD5 verification failed: expected: ";
    else if (!is_signed)
        objection = esp32 ? "Signature Verification Failed\r\n"
                          : "ERROR[12]: Signature verification failed\n";
    else if (!has_magic(board))
        objection =
            config->family.magic == MAGIC_ENTRY
                ? "ERROR[10]: Not a sketch image for this board (upload the OTA binary, not "
                  "the full firmware.bin)\r\n"
                : "ERROR[10]: Magic byte is not 0xE9\n";
    else if (esp32 && board->invitation.command == 0 && !starts)
        objection = "Could Not Activate The Firmware\r\n";

    if (!right && !esp32 && !config->key)
        snprintf(text, UPLOAD_OBJECTION, "%s%s, calculated: %s\n", objection, board->invitation.md5,
                 calculated);
    else
        snprintf(text, UPLOAD_OBJECTION, "%s", objection);
    return *text != '\0';
}

void upload_judge(struct board *board)
{
    char md5[HEX_ROOM] = "";
    struct upload *upload = &board->upload;

    upload->phase = UPLOAD_ENDING;
    upload_watch(board);
    if (upload->flood > 0)
        return; /* is called again when all is sent */

    char objection[UPLOAD_OBJECTION];
    const struct fault *error = board_fault(board, FAULT_ERROR_END);
    bool digested = sink_digest(&upload->sink, md5);
    bool objects = upload_objects(board, digested ? md5 : "", objection);

    if (error)
        upload_refuse(board, error->text, error->text_length);
    else if (objects)
        refuse_text(board, objection);
    else
        install(board, md5);
}
