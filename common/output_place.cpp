#include "common/output_place.hpp"

#include <cerrno>
#include <cstring>

#include <unistd.h>

#include "common/error.hpp"

namespace ditscale::common {

void check_output_place(const std::filesystem::path& path) {
  if (std::filesystem::is_directory(path))
    throw ConfigError(fmt::format("{}: is a folder; name a file to write", path.string()));
  const std::filesystem::path folder = path.has_parent_path() ? path.parent_path() : ".";
  if (!std::filesystem::is_directory(folder))
    throw ConfigError(
        fmt::format("{}: there is no folder {}; make it, or name another file", path.string(), folder.string()));
  if (::access(folder.c_str(), W_OK | X_OK) != 0)
    throw ConfigError(
        fmt::format("{}: no file can be made in {}: {}", path.string(), folder.string(), std::strerror(errno)));
}

}  // namespace ditscale::common
