# Writes the commit that is built into the header HEADER, when it has changed:
#   cmake -DSOURCE=FOLDER -DHEADER=FILE -P cmake/commit.cmake
# "git archive" fills it in here. Elsewhere git is asked, and without either it is unknown.
set(commit "$Format:%H$")

if(commit MATCHES "Format")
  set(commit unknown)
  find_program(GIT git)
  if(GIT AND SOURCE AND EXISTS "${SOURCE}/.git")
    execute_process(
      COMMAND ${GIT} -C ${SOURCE} describe --always --dirty --abbrev=12 --exclude=*
      OUTPUT_VARIABLE said OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET RESULT_VARIABLE status)
    if(status EQUAL 0)
      set(commit ${said})
    endif()
  endif()
else()
  string(SUBSTRING "${commit}" 0 12 commit)
endif()

file(CONFIGURE OUTPUT "${HEADER}" CONTENT "#define ESP_OTA_COMMIT \"${commit}\"\n")
