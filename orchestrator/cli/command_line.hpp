#pragma once

#include <optional>
#include <string>

#include "orchestrator/cli/options.hpp"

namespace ditscale::orchestrator {

/// Parses the command line. After printing help (exit code 0) or a usage error (2) there is nothing to do: `options` is
/// empty then.
struct ParsedCommandLine {
  std::optional<Options> options;
  int exit_code = 0;
};
[[nodiscard]] ParsedCommandLine parse_command_line(int argc, const char* const* argv, const std::string& version = {});

/// "90", "1.5", "02:30" (minutes and seconds), "01:30:00", or days before hours as Slurm writes them ("2-12",
/// "2-00:30:00"), in seconds. Throws UsageError.
[[nodiscard]] double parse_duration_s(const std::string& text);

}  // namespace ditscale::orchestrator
