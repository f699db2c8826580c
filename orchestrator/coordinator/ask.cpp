#include "orchestrator/coordinator/ask.hpp"

#include <fmt/format.h>

namespace ditscale::orchestrator {

namespace {

std::string counted(std::int64_t count, const char* noun) {
  return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

}  // namespace

std::string Ask::text() const {
  const std::string each = gpus == 0 ? counted(cpus, "cpu") : counted(cpus, "cpu") + " and " + counted(gpus, "gpu");
  if (!is_gang()) return each;
  const std::string spread = max_nodes == kAnyNumber ? "" : " on at most " + counted(max_nodes, "node");
  return fmt::format("{} processes of {}{}", processes, each, spread);
}

Ask ask_of(const sweeps::ResourceSpec& resources) {
  const std::int64_t processes = resources.num_processes();
  return {resources.cpus, resources.gpus > 0 ? 1 : 0, processes, resources.min_processes.value_or(processes),
          resources.max_nodes.value_or(Ask::kAnyNumber)};
}

}  // namespace ditscale::orchestrator
