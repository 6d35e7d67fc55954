/*
 * fuzz-inspect.c: any bytes give an inspection that satisfies the contract of inspect.h, and no
 * valid image is valid without its last byte.
 */
#include "base/escape.h"
#include "image/inspect.h"
#include "mend_image.h"
#include "require.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t capacity, unsigned seed);

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t capacity, unsigned seed)
{
    return mutate_image(data, size, capacity, seed);
}

static void check_text(const char *text, size_t capacity, bool may_be_empty)
{
    require(memchr(text, '\0', capacity) != NULL);
    require(escape_is_printable(text));
    require(may_be_empty || text[0] != '\0');
}

static void check_texts(const struct inspection *inspection)
{
    const struct inspect_application *application = &inspection->application;

    check_text(inspection->name, sizeof inspection->name, false);
    check_text(inspection->evidence, sizeof inspection->evidence, false);
    check_text(inspection->what, sizeof inspection->what, true);
    check_text(inspection->verdict, sizeof inspection->verdict, false);
    check_text(inspection->chip_name, sizeof inspection->chip_name, true);
    check_text(application->project, sizeof application->project, true);
    check_text(application->version, sizeof application->version, true);
    check_text(application->date, sizeof application->date, true);
    check_text(application->time, sizeof application->time, true);
    check_text(application->idf, sizeof application->idf, true);
}

static void check_sizes(const struct inspection *inspection, size_t size)
{
    size_t content = inspection->format == INSPECT_GZIP ? inspection->unpacked_size : size;

    require(inspection->image_size <= size);
    require(inspection->trailer_size <= size - inspection->image_size);
    require((inspection->trailer == INSPECT_NO_TRAILER) == (inspection->trailer_size == 0));

    require(inspection->segment_count <= INSPECT_SEGMENTS_MAX);
    for (size_t i = 0; i < inspection->segment_count; i++) {
        require(inspection->segments[i].offset <= content);
        require(inspection->segments[i].size <= content - inspection->segments[i].offset);
    }
}

static void check_verdict(const struct inspection *inspection)
{
    bool is_damaged =
        inspection->integrity != INSPECT_VALID && inspection->integrity != INSPECT_CANNOT_TELL;

    require(!is_damaged || inspection->sending == INSPECT_IMPOSSIBLE);
    if (inspection->sending >= INSPECT_SERVABLE)
        require(inspection->families == 0);
    if (inspection->sending == INSPECT_SENDABLE)
        require(inspection->families != 0 && inspection->kind != INSPECT_NEITHER);

    /* only a file that is certainly not firmware has a remedy */
    require((inspection->remedy != NULL) == (inspection->what[0] != '\0'));
    require(!inspection->remedy || inspection->sending >= INSPECT_SERVABLE);
    require((inspection->sending == INSPECT_SERVABLE) == (inspection->format == INSPECT_UPDATE));

    require((inspection->inner == INSPECT_UNKNOWN) || inspection->format == INSPECT_GZIP);
    require(inspection->inner != INSPECT_GZIP);
}

/* A trailer, and the end of the last line, can be cut without a trace. */
static void check_cut(const struct inspection *inspection, const uint8_t *data, size_t size)
{
    struct inspection cut;

    if (inspection->integrity != INSPECT_VALID || inspection->trailer != INSPECT_NO_TRAILER ||
        inspection->format == INSPECT_ESP32_PARTITION_TABLE ||
        inspection->format == INSPECT_INTEL_HEX)
        return;

    inspect_image(&cut, data, size - 1);
    require(cut.integrity != INSPECT_VALID);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct inspection inspection;

    inspect_image(&inspection, data, size);
    check_texts(&inspection);
    check_sizes(&inspection, size);
    check_verdict(&inspection);
    check_cut(&inspection, data, size);
    return 0;
}
