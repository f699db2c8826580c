#pragma once

#include <filesystem>
#include <string>

namespace ditscale::common {

/// Sets spdlog's default logger: lines "time level [name] text" to standard error, and to `file` as well when it is
/// given. `level` is one of trace, debug, info, warn, error; anything else throws UsageError;
/// a file that cannot be opened throws SystemError.
void start_log(const std::string& name, const std::string& level, const std::filesystem::path& file = {});

}  // namespace ditscale::common
