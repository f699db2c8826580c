#include "worker/weights/export_weights.hpp"

#include <map>
#include <utility>

#include "common/error.hpp"
#include "worker/model/flat_views.hpp"
#include "worker/model/position_embedding.hpp"
#include "worker/weights/infer_trial.hpp"
#include "worker/weights/key_rules.hpp"

namespace ditscale::worker {

namespace {

std::map<std::string, torch::Tensor> by_name(const FlatLayout& layout, const torch::Tensor& weights) {
  std::map<std::string, torch::Tensor> result;
  for (const ParameterSlot& slot : layout.slots()) result[slot.name] = flat_view(weights, slot);
  return result;
}

/// DiTTransformer2DModel is the paper's model and nothing else.
void check_diffusers_can(const sweeps::TrialSpec& trial) {
  sweeps::ModelSpec paper;
  const sweeps::ModelSpec& model = trial.model;
  paper.depth = model.depth;
  paper.width = model.width;
  paper.heads = model.heads;
  paper.patch = model.patch;
  paper.class_dropout = model.class_dropout;
  // How it was initialised and trained leaves no trace in the function.
  paper.adaln_init = model.adaln_init;
  if (model == paper && model.class_dropout > 0) return;
  throw common::ConfigError(
      fmt::format("diffusers' DiTTransformer2DModel cannot be {}{}: it has adaLN-Zero blocks with a "
                  "null label and none of the further options; export with --layout reference",
                  sweeps::model_label(model), model.class_dropout > 0 ? "" : " without a null label"));
}

}  // namespace

NamedTensors reference_tensors(const FlatLayout& layout, const torch::Tensor& weights, const sweeps::TrialSpec& trial) {
  NamedTensors result;
  const sweeps::ModelShape shape = trial.shape();
  if (shape.model.position == sweeps::PositionKind::kSinCos)
    result.emplace_back(kPositionTensor, position_embedding(shape.tokens_per_side(), shape.model.width));
  for (const ParameterSlot& slot : layout.slots()) result.emplace_back(slot.name, flat_view(weights, slot));
  return result;
}

NamedTensors diffusers_tensors(const FlatLayout& layout, const torch::Tensor& weights, const sweeps::TrialSpec& trial) {
  check_diffusers_can(trial);
  const auto ours = by_name(layout, weights);
  NamedTensors result;
  for (const KeyRule& rule : diffusers_rules(trial.model.depth)) {
    const torch::Tensor& tensor = ours.at(rule.name);
    const auto parts = tensor.chunk(static_cast<std::int64_t>(rule.parts.size()), 0);
    for (std::size_t i = 0; i < rule.parts.size(); ++i) result.emplace_back(rule.parts[i], parts[i]);
    for (const std::string& copy : rule.copies) result.emplace_back(copy, tensor);
  }
  return result;
}

}  // namespace ditscale::worker
