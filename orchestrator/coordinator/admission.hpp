#pragma once

#include <optional>
#include <string>
#include <vector>

#include "orchestrator/coordinator/events.hpp"
#include "orchestrator/coordinator/nodes.hpp"
#include "sweeps/spec/sweep.hpp"

namespace ditscale::orchestrator {

/// What the agents report, with nothing running. No two may have the same rank.
[[nodiscard]] Nodes empty_nodes(const std::vector<AgentReport>& agents);

/// Why a cell can run on none of these agents: names the cell, what it asks for, the nodes there are, and what to do.
/// Empty when every cell fits somewhere.
[[nodiscard]] std::optional<std::string> why_too_large(const std::vector<sweeps::Cell>& cells,
                                                       const std::vector<AgentReport>& agents);

/// "2 nodes with 8 cpus and 4 gpus; 1 node with 64 cpus".
[[nodiscard]] std::string nodes_text(const std::vector<AgentReport>& agents);

/// Agents on one host may report the same devices: each such device is left to one of them, in turn.
void share_devices(std::vector<AgentReport>& agents);

}  // namespace ditscale::orchestrator
