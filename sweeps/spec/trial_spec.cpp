#include "sweeps/spec/trial_spec.hpp"

#include "common/hash.hpp"
#include "sweeps/spec/data_sets.hpp"

namespace ditscale::sweeps {

using common::Json;

namespace {

template <typename T>
Json or_null(const std::optional<T>& value) {
  return value ? Json(*value) : Json(nullptr);
}

Json json_of(const DataSpec& d) {
  Json json{{"name", d.name}, {"root", d.root}, {"image_size", d.image_size}, {"flip", d.flip}};
  if (!d.is_store()) return json;
  json["space"] = to_name(d.space);
  json["channels"] = d.channels;
  json["num_classes"] = d.num_classes;
  json["num_images"] = d.num_images;
  json["digest"] = d.digest;
  json["context_tokens"] = d.context_tokens;
  json["context_width"] = d.context_width;
  return json;
}

Json json_of(const ModelSpec& m) {
  return {{"depth", m.depth},
          {"width", m.width},
          {"heads", m.heads},
          {"patch", m.patch},
          {"block", to_name(m.block)},
          {"mlp_ratio", m.mlp_ratio},
          {"conditioning", to_name(m.conditioning)},
          {"class_dropout", m.class_dropout},
          {"qk_norm", m.qk_norm},
          {"norm", to_name(m.norm)},
          {"mlp", to_name(m.mlp)},
          {"position", to_name(m.position)},
          {"adaln_init", to_name(m.adaln_init)},
          {"mup_base_width", or_null(m.mup_base_width)},
          {"mup_base_heads", or_null(m.mup_base_heads)}};
}

Json json_of(const ObjectiveSpec& o) {
  return {{"kind", to_name(o.kind)},
          {"schedule", to_name(o.schedule)},
          {"num_timesteps", o.num_timesteps},
          {"learn_variance", o.learn_variance},
          {"prediction", to_name(o.prediction)},
          {"fixed_variance", to_name(o.fixed_variance)},
          {"shift", o.shift},
          {"min_snr_gamma", or_null(o.min_snr_gamma)},
          {"time", to_name(o.time)},
          {"time_mean", o.time_mean},
          {"time_deviation", o.time_deviation}};
}

Json json_of(const TrainSpec& t) {
  return {{"global_batch", t.global_batch},
          {"steps", t.steps},
          {"lr", t.lr},
          {"warmup_steps", t.warmup_steps},
          {"weight_decay", t.weight_decay},
          {"beta1", t.beta1},
          {"beta2", t.beta2},
          {"clip_norm", or_null(t.clip_norm)},
          {"ema_decay", t.ema_decay},
          {"ema_warmup", t.ema_warmup},
          {"post_hoc_ema_every_steps", or_null(t.post_hoc_ema_every_steps)},
          {"precision", t.precision},
          {"micro_batch", or_null(t.micro_batch)},
          {"log_every_steps", t.log_every_steps}};
}

Json json_of(const ResourceSpec& r) {
  return {{"cpus", r.cpus},
          {"gpus", r.gpus},
          {"processes", or_null(r.processes)},
          {"min_processes", or_null(r.min_processes)},
          {"max_nodes", or_null(r.max_nodes)},
          {"priority", r.priority}};
}

/// Drops from `json` what equals its value in `neutral`, of the options listed. Only options that came after the first
/// version may be listed, and none may leave the list: ids are stored.
void drop_neutral(Json& json, const Json& neutral, std::initializer_list<const char*> options) {
  for (const char* option : options) {
    if (json.at(option) == neutral.at(option)) json.erase(option);
  }
}

void drop_neutral_options(Json& identity) {
  static const Json model = json_of(ModelSpec{});
  static const Json objective = json_of(ObjectiveSpec{});
  static const Json train = json_of(TrainSpec{});
  static const Json score = sweeps::to_json(EvaluateSpec{});
  drop_neutral(
      identity["model"], model,
      {"conditioning", "qk_norm", "norm", "mlp", "position", "adaln_init", "mup_base_width", "mup_base_heads"});
  drop_neutral(identity["objective"], objective,
               {"prediction", "fixed_variance", "shift", "min_snr_gamma", "time", "time_mean", "time_deviation"});
  drop_neutral(identity["train"], train, {"ema_warmup", "post_hoc_ema_every_steps"});
  for (Json& evaluate : identity["evaluate"]) {
    evaluate.erase("apart");
    drop_neutral(evaluate, score,
                 {"guidance_channels", "guidance_from", "guidance_to", "guide", "decoder", "labels", "features_file",
                  "reference"});
  }
}

}  // namespace

Json to_json(const EvaluateSpec& e) {
  return {{"every_steps", e.every_steps},
          {"num_samples", e.num_samples},
          {"sampler", to_name(e.sampler)},
          {"steps", e.steps},
          {"guidance", e.guidance},
          {"guidance_channels", or_null(e.guidance_channels)},
          {"guidance_from", e.guidance_from},
          {"guidance_to", e.guidance_to},
          {"guide", e.guide},
          {"decoder", e.decoder},
          {"labels", to_name(e.labels)},
          {"features", e.features},
          {"features_file", e.features_file},
          {"reference", e.reference},
          {"metrics", e.metrics},
          {"sample_seed", e.sample_seed},
          {"apart", e.apart}};
}

Json TrialSpec::to_json() const {
  Json evaluations = Json::array();
  for (const EvaluateSpec& e : evaluate) evaluations.push_back(sweeps::to_json(e));
  return {
      {"data", json_of(data)},
      {"model", json_of(model)},
      {"objective", json_of(objective)},
      {"train", json_of(train)},
      {"checkpoint", {{"every_steps", checkpoint.every_steps}, {"keep", checkpoint.keep}}},
      {"evaluate", evaluations},
      {"resources", json_of(resources)},
      {"seed", seed},
  };
}

common::TrialId TrialSpec::id() const {
  Json identity = to_json();
  identity["data"].erase("root");
  identity["train"].erase("log_every_steps");
  identity.erase("checkpoint");
  identity.erase("resources");
  drop_neutral_options(identity);
  return common::TrialId(common::hash_hex64(common::canonical_text(identity)));
}

InputSpec TrialSpec::input() const {
  const std::int64_t downsampling = data.space == DataSpace::kLatents ? kLatentDownsampling : 1;
  return {data.image_size / downsampling, data.channels, data.num_classes, data.context_tokens, data.context_width};
}

ResourceSpec stored_resources(const Json& trial) {
  const Json resources = trial.value("resources", Json::object());
  const auto number = [&](const char* name) -> std::optional<std::int64_t> {
    const auto found = resources.find(name);
    if (found == resources.end() || !found->is_number_integer()) return std::nullopt;
    return found->get<std::int64_t>();
  };
  ResourceSpec stored;
  stored.cpus = number("cpus").value_or(stored.cpus);
  stored.gpus = number("gpus").value_or(stored.gpus);
  stored.processes = number("processes");
  stored.priority = number("priority").value_or(stored.priority);
  return stored;
}

ModelShape TrialSpec::shape() const { return {model, input(), objective.learn_variance}; }

}  // namespace ditscale::sweeps
