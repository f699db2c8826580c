#include "worker/checkpoint/post_hoc_average.hpp"

#include <vector>

#include "common/error.hpp"
#include "common/trial_paths.hpp"
#include "sweeps/spec/trial_spec.hpp"
#include "worker/checkpoint/ema_snapshot.hpp"
#include "worker/checkpoint/model_size.hpp"
#include "worker/training/power_ema.hpp"

namespace ditscale::worker {

namespace {

/// Snapshots up to the wanted step, which must be one of them.
std::vector<EmaSnapshotFile> snapshots_up_to(const std::filesystem::path& trial, std::optional<std::int64_t> step) {
  const auto folder = common::TrialPaths{trial}.ema();
  auto found = list_ema_snapshots(folder);
  if (found.empty()) {
    throw common::ConfigError(
        fmt::format("{} holds no snapshots (ema/step-<k>.h5): set train.post_hoc_ema_every_steps in the sweep file",
                    trial.string()));
  }
  if (!step) return found;
  while (!found.empty() && found.back().step > *step) found.pop_back();
  if (found.empty() || found.back().step != *step)
    throw common::ConfigError(fmt::format("no snapshot was taken after step {}; see {}", *step, folder.string()));
  return found;
}

sweeps::TrialSpec trial_of(const EmaSnapshotHeader& header, const std::filesystem::path& file) {
  common::JsonDocument document;
  document.value = header.trial;
  document.source = file.string();
  return sweeps::trial_spec_from(document);
}

/// The sum of the stored averages, each times its factor; one is in memory at a time.
torch::Tensor weighted_sum(const std::vector<EmaSnapshotFile>& snapshots, const FlatLayout& layout, double sigma_rel) {
  std::vector<PowerProfile> stored;
  for (const EmaSnapshotFile& snapshot : snapshots) {
    for (const double sigma : kStoredSigmaRel)
      stored.push_back({power_ema_exponent(sigma), static_cast<double>(snapshot.step)});
  }
  const auto factors =
      post_hoc_factors(stored, {power_ema_exponent(sigma_rel), static_cast<double>(snapshots.back().step)});
  torch::Tensor sum = layout.make_buffer(torch::kCPU);
  for (std::size_t i = 0; i < factors.size(); ++i) {
    const EmaSnapshotFile& snapshot = snapshots[i / kStoredSigmaRel.size()];
    sum.add_(read_power_ema(snapshot.file, layout, i % kStoredSigmaRel.size()), factors[i]);
  }
  return sum;
}

}  // namespace

PostHocAverage rebuild_average(const std::filesystem::path& trial, double sigma_rel, std::optional<std::int64_t> step) {
  const auto snapshots = snapshots_up_to(trial, step);
  const EmaSnapshotFile& last = snapshots.back();
  const EmaSnapshotHeader header = read_ema_snapshot_header(last.file);
  const sweeps::ModelShape shape = trial_of(header, last.file).shape();
  check_model_size(last.file, shape);
  const FlatLayout layout(*DiT(shape));
  return {header.trial, header.step, snapshots.size(), layout, weighted_sum(snapshots, layout, sigma_rel)};
}

}  // namespace ditscale::worker
