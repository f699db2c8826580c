#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

#include <fmt/format.h>

namespace ditscale::common {

/// Base of every error that stops this process's current work. `main` maps it to an exit code.
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// What the user wrote cannot be honoured: the message says where, what was found, what is allowed.
class ConfigError : public Error {
 public:
  using Error::Error;
};

/// A wrong command line: exit code 2.
class UsageError : public Error {
 public:
  using Error::Error;
};

/// A call to the system or to a library failed: names the call, the object and the reason.
class SystemError : public Error {
 public:
  using Error::Error;
};

/// Bytes on disk are not what their format promises.
class CorruptData : public Error {
 public:
  using Error::Error;
};

/// A broken invariant of ours: a defect, never the user's fault.
class InternalError : public Error {
 public:
  using Error::Error;
};

/// SystemError for a failed POSIX call: "open /x/y: No such file or directory". Reads errno.
[[nodiscard]] SystemError errno_error(std::string_view call, std::string_view object);
[[nodiscard]] SystemError errno_error(std::string_view call, std::string_view object, int code);

namespace detail {
[[noreturn]] void fail_check(const char* condition, const char* file, int line, const std::string& message);
}

}  // namespace ditscale::common

/// Always-on invariant check; throws InternalError with the formatted message.
#define DITSCALE_CHECK(condition, ...)                                                                  \
  do {                                                                                                  \
    if (!(condition)) [[unlikely]] {                                                                    \
      ::ditscale::common::detail::fail_check(#condition, __FILE__, __LINE__, fmt::format(__VA_ARGS__)); \
    }                                                                                                   \
  } while (false)
