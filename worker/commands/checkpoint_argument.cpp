#include "worker/commands/checkpoint_argument.hpp"

#include <spdlog/spdlog.h>

#include "common/error.hpp"
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

}  // namespace

TrainedModel load_trained_model(const std::string& argument, torch::Device device) {
  TrainedModel result;
  result.file = file_of(argument);
  result.trial = trial_of(read_checkpoint_header(result.file).trial, result.file);
  result.state = std::make_unique<TrainState>(result.trial.shape(), 0, device);
  load_checkpoint_file(result.file, *result.state);
  return result;
}

}  // namespace ditscale::worker
