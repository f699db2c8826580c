#pragma once

#include <string>

namespace ditscale::common {

/// What `--version` prints of a program: "0.1.0 (1a2b3c4)". Its arguments stand in the generated ditscale_version.hpp.
[[nodiscard]] inline std::string version_text(const std::string& version, const std::string& revision) {
  return version + " (" + revision + ")";
}

}  // namespace ditscale::common
