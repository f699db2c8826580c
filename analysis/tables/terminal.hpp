#pragma once

#include <cstddef>
#include <optional>

namespace ditscale::analysis {

/// Size of the terminal that standard output goes to; empty when it goes to a pipe or a file.
struct TerminalSize {
  std::size_t columns = 80;
  std::size_t rows = 24;
};
[[nodiscard]] std::optional<TerminalSize> terminal_size();

/// Its width alone.
[[nodiscard]] std::optional<std::size_t> terminal_width();

}  // namespace ditscale::analysis
