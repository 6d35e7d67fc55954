/*
 * fuzz-resume.c: any file is a report with at most one image that the board "k" has confirmed, or
 * is rejected with a printable sentence.
 */
#include "base/escape.h"
#include "fleet/resume.h"
#include "require.h"

#include <stdlib.h>
#include <string.h>

/* The SHA-256 of the image in the seeds. */
static const char digest[] = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct resume *resume)
{
    bool is_sketch = resume_is_confirmed(resume, "k", 0, digest, OTA_COMMAND_SKETCH);
    bool is_filesystem = resume_is_confirmed(resume, "k", 0, digest, OTA_COMMAND_FILESYSTEM);

    require(!is_sketch || !is_filesystem);
    require(!resume_is_confirmed(resume, "k", 0, "", OTA_COMMAND_SKETCH));
    (void)resume_is_confirmed(resume, "k", 8266, digest, OTA_COMMAND_SKETCH);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct resume *resume;
    struct ota_failure failure;
    char *text = malloc(size ? size : 1);
    FILE *stream = text && size ? fmemopen(text, size, "r") : NULL;

    if (stream) {
        memcpy(text, data, size);
        if (resume_read(&resume, stream, "report", &failure) == OTA_OK)
            check(resume);
        else
            require(!resume && failure.error == OTA_E_USAGE &&
                    escape_is_printable(failure.message));
        resume_free(resume);
        fclose(stream);
    }
    free(text);
    return 0;
}
