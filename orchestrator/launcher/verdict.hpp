#pragma once

#include <filesystem>
#include <optional>

#include "common/exit_code.hpp"

namespace ditscale::orchestrator {

/// The coordinator's own word on how it ended. Without one it was cut short, or never started: exit codes of mpirun do
/// not tell these apart.
void write_verdict(const std::filesystem::path& file, common::ExitCode code);
[[nodiscard]] std::optional<common::ExitCode> read_verdict(const std::filesystem::path& file);

}  // namespace ditscale::orchestrator
