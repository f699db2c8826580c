#include "orchestrator/agent/gpu_facts.hpp"

#include <algorithm>

#include "common/error.hpp"
#include "common/text.hpp"
#include "slurm/command.hpp"
#include "slurm/output.hpp"

namespace ditscale::orchestrator {

std::vector<GpuFacts> parse_gpu_facts(const std::string& text) {
  constexpr double kMebibyte = 1024.0 * 1024.0;
  std::vector<GpuFacts> gpus;
  for (const std::string& line : slurm::lines_of(text)) {
    const std::size_t comma = line.rfind(", ");
    if (comma == std::string::npos || comma == 0) continue;
    const auto mebibytes = common::count_in(line.substr(comma + 2));
    if (mebibytes) gpus.push_back({line.substr(0, comma), kMebibyte * static_cast<double>(*mebibytes)});
  }
  return gpus;
}

std::optional<GpuFacts> local_gpu_facts() {
  constexpr double kLimit_s = 10;
  try {
    const slurm::CommandResult result =
        slurm::run_command({"nvidia-smi", "--query-gpu=name,memory.total", "--format=csv,noheader,nounits"}, kLimit_s);
    if (result.code != 0) return std::nullopt;
    const std::vector<GpuFacts> gpus = parse_gpu_facts(result.out);
    const auto least = std::min_element(
        gpus.begin(), gpus.end(), [](const GpuFacts& a, const GpuFacts& b) { return a.memory_bytes < b.memory_bytes; });
    return least == gpus.end() ? std::nullopt : std::optional<GpuFacts>(*least);
  } catch (const common::SystemError&) {
    return std::nullopt;
  }
}

}  // namespace ditscale::orchestrator
