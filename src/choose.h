/*
 * choose.h: lets somebody at a terminal choose among boards.
 */
#ifndef CHOOSE_H
#define CHOOSE_H

#include "boards.h"
#include "esp-ota.h"

/* Reads an answer such as "1 3-5", "2,4" or "all" about boards that are numbered from 1 to count,
 * and sets chosen[] accordingly. Pure. Fails with OTA_E_USAGE; an empty answer chooses nothing,
 * which is a failure, too. */
enum ota_error choose_parse(const char *answer, size_t count, bool *chosen,
                            struct ota_failure *failure);

/* Shows the boards and asks on standard error and standard input, which are a terminal; again when
 * the answer is not understood. chosen has room for boards->count. Fails with OTA_E_USAGE when
 * nothing is chosen: end of file, an empty line, ten minutes without an answer. */
enum ota_error choose_boards(const struct boards *boards, bool *chosen,
                             struct ota_failure *failure);

#endif
