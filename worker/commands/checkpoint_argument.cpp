#include "worker/commands/checkpoint_argument.hpp"

#include <spdlog/spdlog.h>

#include "common/error.hpp"
#include "sweeps/spec/arithmetic.hpp"
#include "worker/checkpoint/checkpoint_store.hpp"

namespace ditscale::worker {

namespace fs = std::filesystem;

namespace {

fs::path file_of(const std::string& argument) {
  if (!fs::is_directory(argument)) return argument;
  const common::TrialPaths paths{argument};
  if (!fs::is_directory(paths.checkpoints()))
    throw common::ConfigError(fmt::format("{} is not a trial's folder: it has no checkpoints/", argument));
  constexpr std::int64_t kKeepAll = 1 << 30;
  const auto newest =
      CheckpointStore(paths, kKeepAll).newest_valid([](const std::string& file, const std::string& reason) {
        spdlog::warn("checkpoint {} is left aside: {}", file, reason);
      });
  if (!newest) throw common::ConfigError(fmt::format("{} has no valid checkpoint yet", argument));
  return newest->file;
}

sweeps::TrialSpec trial_of(const common::Json& json, const fs::path& file) {
  common::JsonDocument document;
  document.value = json;
  document.source = file.string();
  return sweeps::trial_spec_from(document);
}

/// Weights, EMA and two moments of this model must fit into the file: nothing is allocated on a header's word.
void check_size(const fs::path& file, const sweeps::TrialSpec& trial) {
  constexpr std::int64_t kBytesPerParameter = 16;
  const auto bytes = static_cast<std::int64_t>(fs::file_size(file));
  const std::int64_t needed = kBytesPerParameter * sweeps::count_parameters(trial.shape()).trainable;
  if (bytes < needed) {
    throw common::CorruptData(
        fmt::format("{}: {} bytes, the model in its header needs {} or more", file.string(), bytes, needed));
  }
}

}  // namespace

TrainedModel load_trained_model(const std::string& argument, torch::Device device) {
  TrainedModel result;
  result.file = file_of(argument);
  result.trial = trial_of(read_checkpoint_header(result.file).trial, result.file);
  check_size(result.file, result.trial);
  result.state = std::make_unique<TrainState>(result.trial.shape(), 0, device);
  load_checkpoint_file(result.file, *result.state);
  return result;
}

}  // namespace ditscale::worker
