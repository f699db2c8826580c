# Run in every build by Version.cmake: writes the header, and only when the revision has changed.
cmake_minimum_required(VERSION 3.22)

execute_process(COMMAND git --no-optional-locks -C "${SOURCE_DIR}" describe --always --dirty --abbrev=12
  OUTPUT_VARIABLE revision OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET RESULT_VARIABLE failed)
if(failed)
  set(revision "unknown")
endif()
configure_file("${CMAKE_CURRENT_LIST_DIR}/ditscale_version.hpp.in" "${HEADER}" @ONLY)
