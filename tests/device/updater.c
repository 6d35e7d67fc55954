/* Any error ends the update, and its text stays until the next one begins. */
#include "updater.h"

#include "board.h"

#include <stdio.h>
#include <string.h>

static const char *const texts_8266[] = {
    [1] = "ERROR[1]: Flash Write Failed\n",
    [2] = "ERROR[2]: Flash Erase Failed\n",
    [3] = "ERROR[3]: Flash Read Failed\n",
    [4] = "ERROR[4]: Not Enough Space\n",
    [5] = "ERROR[5]: Bad Size Given\n",
    [6] = "ERROR[6]: Stream Read Timeout\n",
    [7] = "ERROR[7]: MD5 verification failed: expected: 0, calculated: 1\n",
    [8] = "ERROR[8]: Flash config wrong: real: 1048576, SDK: 4194304\n",
    [9] = "ERROR[9]: new Flash config wrong, real size: 1048576\n",
    [10] = "ERROR[10]: Magic byte is not 0xE9\n",
    [11] = "ERROR[11]: Invalid bootstrapping state, reset ESP8266 before updating\n",
    [12] = "ERROR[12]: Signature verification failed\n",
    [13] = "ERROR[13]: No data supplied\n",
    [14] = "ERROR[14]: Out of memory\n",
    [15] = "ERROR[15]: Update already running\n",
};

static const char *const texts_esp32[] = {
    [1] = "Flash Write Failed\r\n",
    [2] = "Flash Erase Failed\r\n",
    [3] = "Flash Read Failed\r\n",
    [4] = "Not Enough Space\r\n",
    [5] = "Bad Size Given\r\n",
    [6] = "Stream Read Timeout\r\n",
    [7] = "MD5 Check Failed\r\n",
    [8] = "Wrong Magic Byte\r\n",
    [9] = "Could Not Activate The Firmware\r\n",
    [10] = "Partition Could Not be Found\r\n",
    [11] = "Bad Argument\r\n",
    [12] = "Aborted\r\n",
    [13] = "Decryption error\r\n",
};

enum { ERROR_SPACE = 4, ERROR_SIZE = 5, ERROR_NO_DATA_8266 = 13, ERROR_RUNNING_8266 = 15 };
enum { ERROR_NO_PARTITION_ESP32 = 10, ERROR_DECRYPT_ESP32 = 13 };

static bool has_esp32_updater(const struct board *board)
{
    return board->sim->config->family.lineage == LINEAGE_ESP32;
}

const char *updater_text(const struct board *board, uint64_t number)
{
    if (has_esp32_updater(board))
        return number < sizeof texts_esp32 / sizeof texts_esp32[0] ? texts_esp32[number] : NULL;
    return number < sizeof texts_8266 / sizeof texts_8266[0] ? texts_8266[number] : NULL;
}

void updater_fail(struct board *board, const char *text)
{
    struct updater *updater = &board->web.updater;

    if (!updater->is_running)
        board->upload.received = 0;
    updater->is_running = false;
    snprintf(updater->error, sizeof updater->error, "%.*s", UPLOAD_OBJECTION - 1, text);
    upload_report_failure(board, updater->error);
}

static void fail_with(struct board *board, unsigned number)
{
    updater_fail(board, updater_text(board, number));
}

/* True if there is no room for the update, which has failed then. */
static bool lacks_room(struct board *board, size_t size, size_t room)
{
    bool esp32 = has_esp32_updater(board);

    if (room == 0)
        fail_with(board, esp32 ? ERROR_NO_PARTITION_ESP32 : ERROR_SIZE);
    else if (size > room)
        fail_with(board, esp32 ? ERROR_SIZE : ERROR_SPACE);
    return room == 0 || size > room;
}

bool updater_begin(struct board *board, size_t size, bool filesystem, const char *md5)
{
    struct updater *updater = &board->web.updater;
    const struct family *family = &board->sim->config->family;
    size_t room = filesystem ? family->fs_capacity : family->capacity;

    if (updater->is_running && (has_esp32_updater(board) || !board->sim->config->web.says_running))
        return false;
    if (updater->is_running) {
        fail_with(board, ERROR_RUNNING_8266);
        return false;
    }

    *updater = (struct updater){.checks_md5 = md5 != NULL};
    board->invitation.command = filesystem ? FILESYSTEM_COMMAND : 0;
    board->invitation.size = size > 0 ? size : room;
    snprintf(board->invitation.md5, sizeof board->invitation.md5, "%s", md5 ? md5 : "");
    if (lacks_room(board, size, room))
        return false;

    updater->is_running = upload_begin_image(board);
    if (!updater->is_running)
        updater_fail(board, "the image cannot be stored");
    return updater->is_running;
}

void updater_expect(struct board *board, const char *md5)
{
    board->web.updater.checks_md5 = true;
    snprintf(board->invitation.md5, sizeof board->invitation.md5, "%s", md5);
}

void updater_write(struct board *board, const void *bytes, size_t length, int64_t *cost_us)
{
    struct updater *updater = &board->web.updater;

    if (!updater->is_running)
        return;
    if (length > board->invitation.size - board->upload.received)
        fail_with(board, ERROR_SPACE);
    else if (!upload_store(board, bytes, length, cost_us))
        fail_with(board, ERROR_DECRYPT_ESP32);
}

/* True if a fault of an order has ended the update. */
static bool fails_to_order(struct board *board)
{
    const struct fault *fault = board_fault(board, FAULT_ERROR_END);
    const char *text = fault ? fault->text : NULL;

    if (!fault && (fault = board_fault(board, FAULT_UPDATE_ERROR)))
        text = updater_text(board, fault->number);
    if (text)
        updater_fail(board, text);
    return text != NULL;
}

/* An ESP8266 judges by the sectors that were written before the end. */
static bool has_no_data(const struct board *board)
{
    return !has_esp32_updater(board) && board->upload.flashed == 0;
}

bool updater_end(struct board *board)
{
    struct updater *updater = &board->web.updater;
    char md5[HEX_ROOM] = "", objection[UPLOAD_OBJECTION];

    if (!updater->is_running || fails_to_order(board))
        return false;
    if (has_no_data(board)) {
        fail_with(board, ERROR_NO_DATA_8266);
        return false;
    }

    sink_digest(&board->upload.sink, md5);
    if (!updater->checks_md5)
        memcpy(board->invitation.md5, md5, sizeof board->invitation.md5);
    if (upload_objects(board, md5, objection)) {
        updater_fail(board, objection);
        return false;
    }

    updater->is_running = false;
    upload_keep(board, md5);
    return true;
}

void updater_abort(struct board *board, const char *reason)
{
    struct updater *updater = &board->web.updater;

    if (!updater->is_running)
        return;
    updater->is_running = false;
    upload_report_failure(board, reason);
}
