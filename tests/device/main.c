/* esp-ota-sim: boards with an ArduinoOTA service, simulated. This file wires the parts: options,
 * descriptors, boards, loop. */
#include "announce.h"
#include "avahi_poll.h"
#include "board.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

/* Each board holds a few descriptors, and the usual soft limit of 1,024 ends below 400 boards. */
static void raise_descriptor_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

static int run(const struct config *config)
{
    struct sim sim = {.config = config};
    int status = EXIT_FAILURE;
    unsigned started = 0;

    sim.loop = loop_create((size_t)config->count * TIMERS_PER_BOARD + AVAHI_TIMERS);
    sim.boards = calloc(config->count, sizeof *sim.boards);
    if (!sim.loop || !sim.boards) {
        perror("esp-ota-sim");
        goto cleanup;
    }

    while (started < config->count && board_start(&sim.boards[started], &sim, started))
        started++;
    if (started < config->count)
        goto cleanup;

    if (config->announced) {
        sim.announcer = announce_start(&sim);
        if (!sim.announcer)
            goto cleanup;
    }

    if (loop_run(sim.loop))
        status = EXIT_SUCCESS;
    else
        perror("esp-ota-sim: epoll_pwait2");

cleanup:
    announce_stop(sim.announcer);
    for (unsigned i = 0; i < started; i++)
        board_free(&sim.boards[i]);
    free(sim.boards);
    loop_free(sim.loop);
    return status;
}

int main(int argc, char **argv)
{
    struct config config;

    signal(SIGPIPE, SIG_IGN);
    switch (config_read(&config, argc, argv)) {
    case CONFIG_DONE:
        return EXIT_SUCCESS;
    case CONFIG_WRONG:
        return 2;
    case CONFIG_RUN:
        break;
    }
    raise_descriptor_limit();
    int status = run(&config);
    key_free(config.key);
    return status;
}
