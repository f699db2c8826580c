#include "worker/commands/checkpoint_argument.hpp"

#include <algorithm>

#include <spdlog/spdlog.h>

#include "common/error.hpp"
#include "common/hash.hpp"
#include "worker/checkpoint/checkpoint_store.hpp"
#include "worker/checkpoint/model_size.hpp"
#include "worker/checkpoint/weights_file.hpp"
#include "worker/model/flat_views.hpp"

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

DiT make_model(const sweeps::ModelShape& shape, torch::Device device) {
  DiT model(shape);
  model->to(device);
  for (auto& parameter : model->parameters()) parameter.set_requires_grad(false);
  return model;
}

}  // namespace

std::string TrainedModel::digest(const std::string& of_weights) const {
  return step ? of_weights : common::hash_hex128(of_weights + trial.id().str());
}

std::string TrainedModel::title() const {
  return step ? fmt::format("{} (step {})", file.string(), *step) : fmt::format("{} (imported)", file.string());
}

TrainedModel load_trained_model(const std::string& argument, torch::Device device, const std::string& buffer) {
  const fs::path file = file_of(argument);
  const ModelHeader header = read_model_header(file);
  const sweeps::TrialSpec trial = trial_of(header.trial, file);
  check_model_size(file, trial.shape());
  const DiT model = make_model(trial.shape(), device);
  const FlatLayout layout(*model);
  TrainedModel result{trial, model, layout, read_flat_weights(file, layout, buffer).to(device), header.step, file};
  use_weights(*result.model, layout, result.weights);
  return result;
}

}  // namespace ditscale::worker
