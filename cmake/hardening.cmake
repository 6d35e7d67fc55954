# What distributions add to a program that reads what strangers send, as far as the compiler has it.
# scripts/hardening looks for each of these in the binary.
include(CheckCCompilerFlag)
include(CheckCSourceCompiles)
include(CheckPIESupported)

# -Wno-... of what only a probe would say; a flag for another processor is an error to all compilers.
function(add_hardening target)
  foreach(flag
      -fstack-protector-strong
      -fstack-clash-protection
      -fcf-protection=full             # x86: IBT and SHSTK
      -mbranch-protection=standard)    # AArch64: BTI and PAC
    string(MAKE_C_IDENTIFIER "HAS${flag}" has)
    check_c_compiler_flag("${flag}" ${has})
    if(${has})
      target_compile_options(${target} INTERFACE ${flag})
    endif()
  endforeach()

  # Level 3 also knows the sizes that are computed. An older C library falls back with a warning.
  set(CMAKE_REQUIRED_FLAGS "-O2 -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3 -Werror")
  check_c_source_compiles("
    #include <string.h>
    #if __USE_FORTIFY_LEVEL < 3
    #error
    #endif
    int main(void) { return 0; }" HAS_FORTIFY_SOURCE_3)
  unset(CMAKE_REQUIRED_FLAGS)
  set(level 2)
  if(HAS_FORTIFY_SOURCE_3)
    set(level 3)
  endif()
  target_compile_options(${target} INTERFACE -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=${level})

  check_pie_supported(LANGUAGES C OUTPUT_VARIABLE why)
  if(NOT CMAKE_C_LINK_PIE_SUPPORTED)
    message(WARNING "No position-independent executable: ${why}")
  else()
    # The tests' modules are position-independent in their own way.
    set(type "$<TARGET_PROPERTY:TYPE>")
    target_compile_options(${target} INTERFACE "$<$<NOT:$<STREQUAL:${type},MODULE_LIBRARY>>:-fPIE>")
    target_link_options(${target} INTERFACE "$<$<STREQUAL:${type},EXECUTABLE>:-pie>")
  endif()

  target_link_options(${target} INTERFACE LINKER:-z,relro,-z,now,-z,noexecstack)
endfunction()
