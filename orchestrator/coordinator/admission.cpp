#include "orchestrator/coordinator/admission.hpp"

#include <algorithm>

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

}  // namespace

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
