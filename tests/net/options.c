/*
 * options.c: reads the command line of ota-link, and prints its help.
 */
#include "options.h"

#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char HELP[] =
    "Usage: ota-link [OPTION...] HOST-NAMESPACE BOARD-NAMESPACE\n"
    "A link like Wi-Fi between two network namespaces, each given as a process id or as a path.\n"
    "\n"
    "  --delay MS         one way [0]\n"
    "  --jitter MS        up to so much more, frame by frame, in order all the same [0]\n"
    "  --loss PERCENT     of the frames, at random, each way [0]\n"
    "  --rate KBYTES      per second, each way [0: no limit]\n"
    "  --queue FRAMES     under way at most, each way, those in the air included [1000]\n"
    "  --cut-after N      goes down after N segments with data from the host [0: never]\n"
    "  --seed N           of the random numbers [1]\n"
    "  --device NAME      of the TAP device, the same in both namespaces [air0]\n"
    "  --help\n"
    "\n"
    "It prints \"ready\" when both devices are there; to give them addresses is up to the caller.\n"
    "Then it obeys lines on standard input and repeats each when it is done: \"down\" (what is "
    "sent\n"
    "from now on is lost; printed, too, when --cut-after does it), \"up\", \"count\" (prints the\n"
    "counters, too). It ends, and prints the counters, when standard input does.\n"
    "\n"
    "Counters, a line per direction: frames = delivered + lost (at random) + overflown (the "
    "queue)\n"
    "+ down + refused (by the device) + those under way; bytes were delivered. Of TCP over IPv4:\n"
    "the largest window that the sender of these frames offers, the largest segment that it asks\n"
    "for, the longest that it sends; segments with data, those that repeat, those without data.\n";

enum {
    OPT_DELAY = 1,
    OPT_JITTER,
    OPT_LOSS,
    OPT_RATE,
    OPT_QUEUE,
    OPT_CUT_AFTER,
    OPT_SEED,
    OPT_DEVICE,
    OPT_HELP,
};

static const struct option TABLE[] = {
    {"delay", required_argument, NULL, OPT_DELAY},
    {"jitter", required_argument, NULL, OPT_JITTER},
    {"loss", required_argument, NULL, OPT_LOSS},
    {"rate", required_argument, NULL, OPT_RATE},
    {"queue", required_argument, NULL, OPT_QUEUE},
    {"cut-after", required_argument, NULL, OPT_CUT_AFTER},
    {"seed", required_argument, NULL, OPT_SEED},
    {"device", required_argument, NULL, OPT_DEVICE},
    {"help", no_argument, NULL, OPT_HELP},
    {NULL, 0, NULL, 0},
};

/* Parses a number of units from 0 to max, and converts it to smaller units. */
static bool read_number(const char *text, double max, double scale, uint64_t *value)
{
    char *end;
    errno = 0;
    double number = strtod(text, &end);
    if (end == text || *end || errno || !(number >= 0 && number <= max))
        return false;
    *value = (uint64_t)llround(number * scale);
    return true;
}

static bool read_option(struct options *options, int option, const char *text)
{
    uint64_t value = 0;
    bool good = true;

    switch (option) {
    case OPT_DELAY:
        good = read_number(text, 10000, 1000, &value);
        options->lane.delay_us = (int64_t)value;
        break;
    case OPT_JITTER:
        good = read_number(text, 10000, 1000, &value);
        options->lane.jitter_us = (int64_t)value;
        break;
    case OPT_LOSS:
        good = read_number(text, 100, 10000, &value);
        options->lane.loss_ppm = (uint32_t)value;
        break;
    case OPT_RATE:
        good = read_number(text, 1e6, 1000, &options->lane.rate);
        break;
    case OPT_QUEUE:
        good = read_number(text, 1e5, 1, &value) && value > 0;
        options->lane.queue = value;
        break;
    case OPT_CUT_AFTER:
        good = read_number(text, 1e9, 1, &options->cut_after);
        break;
    case OPT_SEED:
        good = read_number(text, 1e9, 1, &options->lane.seed);
        break;
    case OPT_DEVICE:
        good = *text && strlen(text) < IFNAMSIZ;
        options->device = text;
        break;
    default:
        return false;
    }
    if (!good)
        fprintf(stderr, "ota-link: \"%s\" is no value for this option (see --help)\n", text);
    return good;
}

enum options_result options_read(struct options *options, int argc, char **argv)
{
    int option;
    *options = (struct options){.lane = {.queue = 1000, .seed = 1}, .device = "air0"};
    while ((option = getopt_long(argc, argv, "", TABLE, NULL)) != -1) {
        if (option == OPT_HELP) {
            fputs(HELP, stdout);
            return OPTIONS_HELP;
        }
        if (!read_option(options, option, optarg))
            return OPTIONS_WRONG;
    }
    if (argc - optind != 2) {
        fputs("ota-link: two namespaces are needed (see --help)\n", stderr);
        return OPTIONS_WRONG;
    }
    options->name_spaces[0] = argv[optind];
    options->name_spaces[1] = argv[optind + 1];
    return OPTIONS_OK;
}
