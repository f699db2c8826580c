#include "common/error.hpp"

#include <cerrno>
#include <cstring>

namespace ditscale::common {

SystemError errno_error(std::string_view call, std::string_view object) { return errno_error(call, object, errno); }

SystemError errno_error(std::string_view call, std::string_view object, int code) {
  return SystemError(fmt::format("{} {}: {}", call, object, std::strerror(code)));
}

void detail::fail_check(const char* condition, const char* file, int line, const std::string& message) {
  throw InternalError(
      fmt::format("{} ({} is false, {}:{}); this is a defect of ditscale", message, condition, file, line));
}

}  // namespace ditscale::common
