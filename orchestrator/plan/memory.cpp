#include "orchestrator/plan/memory.hpp"

#include <algorithm>

#include <unistd.h>

#include "sweeps/spec/arithmetic.hpp"
#include "sweeps/spec/roofline.hpp"

namespace ditscale::orchestrator {

namespace {

/// Of one process: with two averages more where the trial keeps them for post-hoc EMA.
double state_bytes(const sweeps::TrialSpec& trial) {
  constexpr double kBytesPerValue = 4;
  const sweeps::ModelShape shape = trial.shape();
  const auto state = static_cast<double>(sweeps::training_state_bytes(shape));
  if (!trial.train.post_hoc_ema_every_steps) return state;
  return state + kPowerAverages * kBytesPerValue * static_cast<double>(sweeps::count_parameters(shape).trainable);
}

}  // namespace

double local_memory_bytes() {
  return static_cast<double>(::sysconf(_SC_PHYS_PAGES)) * static_cast<double>(::sysconf(_SC_PAGESIZE));
}

double process_memory_bytes(const sweeps::TrialSpec& trial, std::int64_t micro_batch, const std::string& precision) {
  const sweeps::ModelShape shape = trial.shape();
  const double state = state_bytes(trial);
  if (precision != "bf16") return state + static_cast<double>(sweeps::activation_bytes(shape, micro_batch, 4));
  constexpr double kBytesSaved = 2;
  /// Widths of a token that stay in fp32: the residual stream twice, two normalised and two modulated inputs.
  constexpr double kWidthsKept = 6;
  const double kept = kWidthsKept * static_cast<double>(micro_batch) * static_cast<double>(shape.model.depth) *
                      static_cast<double>(shape.sequence_tokens()) * static_cast<double>(shape.model.width);
  const auto weights = static_cast<double>(sweeps::count_parameters(shape).trainable);
  return state + kBytesSaved * (weights + kept) + static_cast<double>(sweeps::activation_bytes(shape, micro_batch, 2));
}

double process_memory_bytes(const sweeps::TrialSpec& trial, std::int64_t micro_batch) {
  return process_memory_bytes(trial, micro_batch, sweeps::expected_precision(trial, trial.resources.gpus));
}

std::optional<double> available_memory_bytes(const sweeps::TrialSpec& trial, const std::vector<AgentReport>& agents,
                                             const DeviceMemory& memory) {
  if (trial.resources.gpus > 0) return memory.gpu_bytes;
  if (!memory.node_bytes) return std::nullopt;
  std::int64_t most_together = 0;
  for (const AgentReport& agent : agents) {
    most_together = std::max(most_together, agent.devices.room_for(ask_of(trial.resources)));
  }
  if (most_together == 0) return std::nullopt;
  return *memory.node_bytes / static_cast<double>(most_together);
}

std::int64_t largest_micro_batch(const sweeps::TrialSpec& trial, double available_bytes) {
  const std::int64_t share = trial.train.global_batch / trial.resources.num_processes();
  std::int64_t largest = 0;
  const auto consider = [&](std::int64_t images) {
    if (images > largest && process_memory_bytes(trial, images) <= available_bytes) largest = images;
  };
  for (std::int64_t divisor = 1; divisor <= share / divisor; ++divisor) {
    if (share % divisor != 0) continue;
    consider(divisor);
    consider(share / divisor);
  }
  return largest;
}

}  // namespace ditscale::orchestrator
