/*
 * library.h: libraries that only some uses of the program need. They are loaded when they are
 * needed, so that everything else starts without them, and works where they are not installed.
 * With the CMake option ESP_OTA_LINK_LIBRARIES they are linked instead.
 */
#ifndef ESP_OTA_BASE_LIBRARY_H
#define ESP_OTA_BASE_LIBRARY_H

#include "esp-ota/error.h"

#include <stddef.h>
#include <stdint.h>

/* A function of a library, and the member of a struct that gets its address. */
struct library_function {
    const char *name;
    size_t offset;
    void (*linked)(void); /* NULL: the library is loaded, and the function looked up by name */
};

/* Stores the address of each function in *members. Unless all functions are linked, loads the first
 * of sonames that there is, for good; NULL ends sonames. Returns NULL, or the reason for the
 * failure, which is valid until the next call that loads a library. */
const char *library_load(void *members, const struct library_function *functions, size_t count,
                         const char *const *sonames);

/*
 * A note in the program's section .note.dlopen, by which packagers find out what it loads
 * (https://uapi-group.org/specifications/specs/elf_dlopen_metadata/). `readelf --notes` shows it.
 */
enum { LIBRARY_NOTE_TYPE = 0x407c0c0a };

#define LIBRARY_NOTE(variable, json)                                                               \
    static const struct {                                                                          \
        uint32_t owner_size, json_size, type;                                                      \
        char owner[sizeof "FDO"];                                                                  \
        _Alignas(uint32_t) char text[sizeof(json)];                                                \
    }(variable) __attribute__((used, aligned(4), section(".note.dlopen"))) = {                     \
        sizeof "FDO", sizeof(json), LIBRARY_NOTE_TYPE, "FDO", json}

/*
 * LIBRARY_SONAMES(variable, feature, description, soname...) defines the sonames for
 * library_load(), and notes them. LIBRARY_FUNCTION() is an element of its functions. All but
 * variable are string literals without escapes. LIBRARY_BINDING says for people which way it is.
 */
#ifdef ESP_OTA_LINK_LIBRARIES
#define LIBRARY_BINDING "linked"
#define LIBRARY_SONAMES(variable, feature, description, ...)                                       \
    static const char *const(variable)[] = {__VA_ARGS__, NULL}
#define LIBRARY_FUNCTION(type, member, function)                                                   \
    {                                                                                              \
        .name = #function, .offset = offsetof(type, member), .linked = (void (*)(void))(function)  \
    }
#else
#define LIBRARY_BINDING "loaded when needed"
#define LIBRARY_SONAMES(variable, feature, description, ...)                                       \
    static const char *const(variable)[] = {__VA_ARGS__, NULL};                                    \
    LIBRARY_NOTE(variable##_note,                                                                  \
                 "[{\"soname\":[" #__VA_ARGS__ "],\"feature\":" #feature                           \
                 ",\"description\":" #description ",\"priority\":\"recommended\"}]")
#define LIBRARY_FUNCTION(type, member, function)                                                   \
    {                                                                                              \
        .name = #function, .offset = offsetof(type, member)                                        \
    }
#endif

/* Fails with OTA_E_INTERNAL, "what: reason", after library_load() has returned this reason; the
 * cause is what this computer lacks: descriptors, memory, or the library. */
enum ota_error library_fail(struct ota_failure *failure, const char *what, const char *reason);

#endif
