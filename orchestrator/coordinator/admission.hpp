#pragma once

#include <optional>
#include <string>
#include <vector>

#include "orchestrator/coordinator/events.hpp"
#include "sweeps/spec/sweep.hpp"

namespace ditscale::orchestrator {

/// Why a cell can run on none of these agents: names the cell, what it asks for, the largest node, and what to do.
/// Empty when every cell fits somewhere.
[[nodiscard]] std::optional<std::string> why_too_large(const std::vector<sweeps::Cell>& cells,
                                                       const std::vector<AgentReport>& agents);

}  // namespace ditscale::orchestrator
