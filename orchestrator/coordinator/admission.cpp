#include "orchestrator/coordinator/admission.hpp"

#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>

namespace ditscale::orchestrator {

namespace {

Ask size_of(const Devices& devices) { return {std::ssize(devices.cpus), std::ssize(devices.gpus)}; }

std::string largest_nodes(const std::vector<AgentReport>& agents) {
  Ask most_cpus{0, 0};
  Ask most_gpus{0, 0};
  for (const AgentReport& report : agents) {
    const Ask size = size_of(report.devices);
    most_cpus = std::max(most_cpus, size);
    if (size.gpus > most_gpus.gpus) most_gpus = size;
  }
  return most_gpus.gpus == 0 || most_gpus == most_cpus ? most_cpus.text()
                                                       : most_cpus.text() + ", or " + most_gpus.text();
}

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
  for (const sweeps::Cell& cell : cells) {
    const Ask ask{cell.trial.resources.cpus, cell.trial.resources.gpus};
    const bool fits = std::any_of(agents.begin(), agents.end(),
                                  [&](const AgentReport& report) { return report.devices.covers(ask); });
    if (fits) continue;
    return fmt::format(
        "trial {} ({}) asks for {}, but the largest node here has {}; lower base.resources in the sweep file (or with "
        "--set base.resources.cpus=N), or run where there is more",
        cell.id.brief(), cell.label(), ask.text(), largest_nodes(agents));
  }
  return std::nullopt;
}

}  // namespace ditscale::orchestrator
