# Run at build time by Version.cmake: writes the header only when the revision has changed.
execute_process(COMMAND git -C "${SOURCE_DIR}" describe --always --dirty --abbrev=12
  OUTPUT_VARIABLE revision OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET RESULT_VARIABLE failed)
if(failed)
  set(revision "unknown")
endif()
file(CONFIGURE OUTPUT "${HEADER}" CONTENT
"#pragma once

namespace ditscale {

/// The project's version, as in CMakeLists.txt.
inline constexpr char kVersion[] = \"@VERSION@\";
/// The source's git revision, with -dirty after it when files had changed; \"unknown\" outside a checkout.
inline constexpr char kRevision[] = \"@revision@\";

}  // namespace ditscale
" @ONLY)
