#include <filesystem>
#include <memory>
#include <optional>

#include <fmt/format.h>

#include "common/error.hpp"
#include "common/exit_code.hpp"
#include "common/trial_paths.hpp"
#include "worker/checkpoint/ema_snapshot.hpp"
#include "worker/checkpoint/weights_file.hpp"
#include "worker/commands/commands.hpp"
#include "worker/training/power_ema.hpp"

namespace ditscale::worker {

namespace {

struct EmaOptions {
  std::string trial;
  double sigma_rel = 0.1;
  std::optional<std::int64_t> step;
  std::string out = "ema.h5";
};

/// Snapshots up to the wanted step, which must be one of them.
std::vector<EmaSnapshotFile> snapshots_for(const EmaOptions& options) {
  auto found = list_ema_snapshots(common::TrialPaths{options.trial}.ema());
  if (found.empty()) {
    throw common::ConfigError(
        fmt::format("{} holds no snapshots (ema/step-<k>.h5): set train.post_hoc_ema_every_steps in the sweep file",
                    options.trial));
  }
  if (!options.step) return found;
  while (!found.empty() && found.back().step > *options.step) found.pop_back();
  if (found.empty() || found.back().step != *options.step)
    throw common::UsageError(fmt::format("--step {}: no snapshot was taken then; see {}", *options.step,
                                         common::TrialPaths{options.trial}.ema().string()));
  return found;
}

sweeps::TrialSpec snapshot_trial(const EmaSnapshotHeader& header, const std::filesystem::path& file) {
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

int run(const EmaOptions& options) {
  const auto snapshots = snapshots_for(options);
  const auto& last = snapshots.back();
  const EmaSnapshotHeader header = read_ema_snapshot_header(last.file);
  const FlatLayout layout(*DiT(snapshot_trial(header, last.file).shape()));
  const torch::Tensor average = weighted_sum(snapshots, layout, options.sigma_rel);
  const common::Json origin{{"ema_sigma_rel", options.sigma_rel}, {"ema_snapshots", snapshots.size()}};
  write_weights_file(options.out, {header.trial, header.step, origin}, layout, average);
  fmt::print("{}: average of relative width {} after step {}, rebuilt from {} snapshots\n", options.out,
             options.sigma_rel, header.step, snapshots.size());
  return common::to_int(common::ExitCode::kDone);
}

}  // namespace

void add_ema_command(CLI::App& app, Context& context) {
  auto options = std::make_shared<EmaOptions>();
  CLI::App* command = app.add_subcommand(
      "ema", "Rebuild an average of the weights of any width from a trial's snapshots (post-hoc EMA)");
  command->add_option("trial", options->trial, "A trial's folder")->required();
  command->add_option("--sigma-rel", options->sigma_rel, "Width of the average over the length of training")
      ->check(CLI::Range(0.005, kLargestSigmaRel))
      ->capture_default_str();
  command->add_option("--step", options->step, "As of this step; default: the last snapshot's");
  command->add_option("--out", options->out, "Weights file to write")->capture_default_str();
  command->footer("Example: worker ema runs/study/trials/0123456789abcdef --sigma-rel 0.07 --out wide.h5");
  command->callback([options, &context] { context.action = [options] { return run(*options); }; });
}

}  // namespace ditscale::worker
