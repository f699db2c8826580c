#include "sweeps/spec/trial_spec.hpp"

#include "common/hash.hpp"
#include "sweeps/spec/data_sets.hpp"

namespace ditscale::sweeps {

using common::Json;

Json to_json(const EvaluateSpec& e) {
  return {{"every_steps", e.every_steps}, {"num_samples", e.num_samples},
          {"sampler", e.sampler},         {"steps", e.steps},
          {"guidance", e.guidance},       {"features", e.features},
          {"metrics", e.metrics},         {"sample_seed", e.sample_seed}};
}

Json TrialSpec::to_json() const {
  Json evaluations = Json::array();
  for (const EvaluateSpec& e : evaluate) evaluations.push_back(sweeps::to_json(e));
  const auto optional = [](const auto& value) { return value ? Json(*value) : Json(nullptr); };
  return {
      {"data", {{"name", data.name}, {"root", data.root}, {"image_size", data.image_size}, {"flip", data.flip}}},
      {"model",
       {{"depth", model.depth},
        {"width", model.width},
        {"heads", model.heads},
        {"patch", model.patch},
        {"block", to_name(model.block)},
        {"mlp_ratio", model.mlp_ratio},
        {"class_dropout", model.class_dropout}}},
      {"objective",
       {{"kind", objective.kind},
        {"schedule", objective.schedule},
        {"num_timesteps", objective.num_timesteps},
        {"learn_variance", objective.learn_variance}}},
      {"train",
       {{"global_batch", train.global_batch},
        {"steps", train.steps},
        {"lr", train.lr},
        {"warmup_steps", train.warmup_steps},
        {"weight_decay", train.weight_decay},
        {"beta1", train.beta1},
        {"beta2", train.beta2},
        {"clip_norm", optional(train.clip_norm)},
        {"ema_decay", train.ema_decay},
        {"precision", train.precision},
        {"micro_batch", optional(train.micro_batch)},
        {"log_every_steps", train.log_every_steps}}},
      {"checkpoint", {{"every_steps", checkpoint.every_steps}, {"keep", checkpoint.keep}}},
      {"evaluate", evaluations},
      {"resources", {{"cpus", resources.cpus}, {"gpus", resources.gpus}}},
      {"seed", seed},
  };
}

common::TrialId TrialSpec::id() const {
  Json identity = to_json();
  identity["data"].erase("root");
  identity["train"].erase("log_every_steps");
  identity.erase("checkpoint");
  identity.erase("resources");
  return common::TrialId(common::hash_hex64(common::canonical_text(identity)));
}

InputSpec TrialSpec::input() const {
  const DataSetFacts& facts = data_set(data.name);
  return {data.image_size / facts.downsampling, facts.channels, facts.num_classes};
}

ModelShape TrialSpec::shape() const { return {model, input(), objective.learn_variance}; }

}  // namespace ditscale::sweeps
