#include "analysis/tables/terminal.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

namespace ditscale::analysis {

std::optional<TerminalSize> terminal_size() {
  if (::isatty(STDOUT_FILENO) == 0) return std::nullopt;
  struct winsize window {};
  TerminalSize size;
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &window) == 0 && window.ws_col > 0 && window.ws_row > 0) {
    size.columns = window.ws_col;
    size.rows = window.ws_row;
  }
  return size;
}

std::optional<std::size_t> terminal_width() {
  const auto size = terminal_size();
  if (!size) return std::nullopt;
  return size->columns;
}

}  // namespace ditscale::analysis
