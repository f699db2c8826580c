#include "orchestrator/coordinator/admission.hpp"

#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "common/error.hpp"
#include "orchestrator/coordinator/room.hpp"

namespace ditscale::orchestrator {

namespace {

/// Leaves each device of `host` to one of the agents that have it.
template <typename Device>
void share(std::vector<AgentReport>& agents, const std::string& host, std::vector<Device> Devices::*kind) {
  std::map<Device, std::vector<std::size_t>> owners;
  for (std::size_t i = 0; i < agents.size(); ++i) {
    if (agents[i].host != host) continue;
    for (const Device& device : agents[i].devices.*kind) owners[device].push_back(i);
    (agents[i].devices.*kind).clear();
  }
  std::size_t turn = 0;
  for (const auto& [device, those] : owners) (agents[those[turn++ % those.size()]].devices.*kind).push_back(device);
}

}  // namespace

Nodes empty_nodes(const std::vector<AgentReport>& agents) {
  Nodes nodes;
  for (const AgentReport& report : agents) {
    DITSCALE_CHECK(nodes.add(report.agent, report.host, report.devices), "agent {} joined twice", report.agent);
  }
  return nodes;
}

std::string nodes_text(const std::vector<AgentReport>& agents) {
  std::map<DeviceCount, int> kinds;
  for (const AgentReport& report : agents) ++kinds[count_of(report.devices)];
  std::vector<std::string> texts;
  for (const auto& [kind, count] : kinds) {
    const Ask all{kind.cpus, kind.gpus};
    texts.push_back(fmt::format("{} node{} with {}", count, count == 1 ? "" : "s", all.text()));
  }
  return fmt::format("{}", fmt::join(texts, "; "));
}

void share_devices(std::vector<AgentReport>& agents) {
  std::set<std::string> hosts;
  for (const AgentReport& report : agents) hosts.insert(report.host);
  for (const std::string& host : hosts) {
    share(agents, host, &Devices::cpus);
    share(agents, host, &Devices::gpus);
  }
}

std::optional<std::string> why_too_large(const std::vector<sweeps::Cell>& cells,
                                         const std::vector<AgentReport>& agents) {
  const Nodes nodes = empty_nodes(agents);
  for (const sweeps::Cell& cell : cells) {
    const Ask ask = ask_for(nodes, cell.trial);
    if (capacity_for(nodes, ask) >= ask.processes) continue;
    return fmt::format(
        "trial {} ({}) asks for {}, more than is here ({}); lower base.resources in the sweep file (or with "
        "--set base.resources.cpus=N), or run where there is more",
        cell.id.brief(), cell.label(), ask.text(), nodes_text(agents));
  }
  return std::nullopt;
}

}  // namespace ditscale::orchestrator
