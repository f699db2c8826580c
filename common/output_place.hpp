#pragma once

#include <filesystem>

namespace ditscale::common {

/// Asked before the work whose result goes to `path`: throws ConfigError unless a file can be made there, which is when
/// its folder exists and may be written to, and `path` is no folder itself.
void check_output_place(const std::filesystem::path& path);

}  // namespace ditscale::common
