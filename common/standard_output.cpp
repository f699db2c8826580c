#include "common/standard_output.hpp"

#include <cerrno>
#include <cstdio>

#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include "common/error.hpp"
#include "common/exit_code.hpp"

namespace ditscale::common {

namespace {

/// Whether all has arrived; errno says why not.
bool written_out() {
  const bool failed_before = std::ferror(stdout) != 0;
  if (std::fflush(stdout) != 0) return false;
  if (!failed_before) return true;
  // A large write that failed leaves nothing to try again, and its reason is gone: one more line end meets it anew.
  errno = EIO;
  std::fputc('\n', stdout);
  std::fflush(stdout);
  return false;
}

bool reader_has_gone() {
  pollfd out{STDOUT_FILENO, POLLOUT, 0};
  return ::poll(&out, 1, 0) == 1 && (out.revents & POLLERR) != 0;
}

}  // namespace

int exit_code_after_output(std::string_view program, int code) {
  if (written_out()) return code;
  const int reason = errno;
  if (reason == EPIPE || reader_has_gone()) return code;
  const std::string text = fmt::format("{}: {}\n", program, errno_error("write", "standard output", reason).what());
  std::fputs(text.c_str(), stderr);
  return code == to_int(ExitCode::kDone) ? to_int(ExitCode::kError) : code;
}

}  // namespace ditscale::common
