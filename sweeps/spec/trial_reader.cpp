#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "common/object_reader.hpp"
#include "sweeps/spec/data_sets.hpp"
#include "sweeps/spec/trial_spec.hpp"

namespace ditscale::sweeps {

using common::Json;
using common::JsonDocument;
using common::ObjectReader;
using common::Range;

namespace {

constexpr Range kPositive{1, 1e12};
constexpr Range kCount{0, 1e12};
/// Seeds and images seen stay whole when a tool reads them as doubles.
constexpr double kLargestWhole = 9e15;

/// Calls `read(reader)` on member `key` when present.
template <typename Read>
void read_child(const JsonDocument& document, ObjectReader& parent, const std::string& key, Read read) {
  const Json* child = parent.child(key);
  if (child == nullptr) return;
  ObjectReader reader(document, *child, parent.path_of(key));
  read(reader);
  reader.finish();
}

std::vector<std::string> data_set_names() {
  std::vector<std::string> names;
  for (const DataSetFacts& facts : data_sets()) names.push_back(facts.name);
  return names;
}

void read_data(ObjectReader& reader, DataSpec& data) {
  reader.get_choice("name", data.name, data_set_names());
  const DataSetFacts& facts = data_set(data.name);
  data.image_size = facts.image_sizes.front();
  reader.get("image_size", data.image_size, kPositive);
  if (std::find(facts.image_sizes.begin(), facts.image_sizes.end(), data.image_size) == facts.image_sizes.end()) {
    reader.fail("image_size", fmt::format("{} has no images of {} pixels; allowed: {}", data.name, data.image_size,
                                          fmt::join(facts.image_sizes, ", ")));
  }
  reader.get("root", data.root);
  reader.get("flip", data.flip);
}

ModelSpec named_or_fail(ObjectReader& reader, const std::string& key, const std::string& name) {
  const auto model = named_model(name);
  if (!model)
    reader.fail(key,
                fmt::format("\"{}\" is no published size; allowed: {}", name, fmt::join(named_model_names(), ", ")));
  return *model;
}

void read_model(ObjectReader& reader, ModelSpec& model) {
  std::optional<std::string> name;
  reader.get("name", name);
  if (name) model = named_or_fail(reader, "name", *name);
  reader.get("depth", model.depth, Range{1, 1000});
  reader.get("width", model.width, Range{4, 65'536});
  reader.get("heads", model.heads, Range{1, 1024});
  reader.get("patch", model.patch, Range{1, 512});
  std::string block{to_name(model.block)};
  reader.get_choice("block", block, block_design_names());
  model.block = *block_design_from(block);
  reader.get("mlp_ratio", model.mlp_ratio, Range{0, 64, true});
  reader.get("class_dropout", model.class_dropout, Range{0, 1});
}

void read_objective(ObjectReader& reader, ObjectiveSpec& objective) {
  reader.get_choice("kind", objective.kind, {"ddpm"});
  reader.get_choice("schedule", objective.schedule, {"linear"});
  reader.get("num_timesteps", objective.num_timesteps, Range{2, 100'000});
  reader.get("learn_variance", objective.learn_variance);
}

void read_train(ObjectReader& reader, TrainSpec& train) {
  reader.get("global_batch", train.global_batch, Range{1, 1 << 24});
  reader.get("steps", train.steps, kPositive);
  reader.get("lr", train.lr, Range{0, 10, true});
  reader.get("warmup_steps", train.warmup_steps, kCount);
  reader.get("weight_decay", train.weight_decay, Range{0, 10});
  reader.get("beta1", train.beta1, Range{0, 0.99999999});
  reader.get("beta2", train.beta2, Range{0, 0.99999999});
  reader.get("clip_norm", train.clip_norm, Range{0, 1e9, true});
  reader.get("ema_decay", train.ema_decay, Range{0, 1});
  reader.get_choice("precision", train.precision, {"auto", "fp32", "bf16"});
  reader.get("micro_batch", train.micro_batch, kPositive);
  reader.get("log_every_steps", train.log_every_steps, kPositive);
  const double images = static_cast<double>(train.steps) * static_cast<double>(train.global_batch);
  if (images > kLargestWhole) {
    reader.fail("steps", fmt::format("{} steps of {} images are more images than can be counted; allowed: 9e15 in all",
                                     train.steps, train.global_batch));
  }
  if (train.micro_batch && train.global_batch % *train.micro_batch != 0) {
    reader.fail("micro_batch",
                fmt::format("{} does not divide global_batch {}", *train.micro_batch, train.global_batch));
  }
}

void read_metrics(const Json* metrics, ObjectReader& reader, EvaluateSpec& evaluate) {
  if (metrics == nullptr) return;
  const std::vector<std::string> allowed{"fid"};
  if (!metrics->is_array() || metrics->empty())
    reader.fail("metrics", "a list of one or more scores is needed; allowed: fid");
  evaluate.metrics.clear();
  for (const Json& metric : *metrics) {
    if (!metric.is_string() || std::find(allowed.begin(), allowed.end(), metric.get<std::string>()) == allowed.end()) {
      reader.fail("metrics",
                  fmt::format("{} is not known here; allowed: {}", common::shown(metric), fmt::join(allowed, ", ")));
    }
    if (std::find(evaluate.metrics.begin(), evaluate.metrics.end(), metric) != evaluate.metrics.end())
      reader.fail("metrics", fmt::format("{} stands twice", common::shown(metric)));
    evaluate.metrics.push_back(metric.get<std::string>());
  }
}

void read_evaluate(ObjectReader& reader, EvaluateSpec& evaluate, const TrialSpec& trial) {
  reader.get("every_steps", evaluate.every_steps, kPositive);
  reader.get("num_samples", evaluate.num_samples, Range{2, 1e8});
  reader.get_choice("sampler", evaluate.sampler, {"ddpm", "ddim"});
  reader.get("steps", evaluate.steps, Range{2, 100'000});
  reader.get("guidance", evaluate.guidance, Range{0, 100});
  reader.get_choice("features", evaluate.features, {"fashion_cnn"});
  read_metrics(reader.child("metrics"), reader, evaluate);
  reader.get("sample_seed", evaluate.sample_seed, Range{0, kLargestWhole});
  if (evaluate.steps > trial.objective.num_timesteps) {
    reader.fail("steps", fmt::format("{} sampling steps exceed the {} timesteps of the objective", evaluate.steps,
                                     trial.objective.num_timesteps));
  }
  if (evaluate.guidance != 1.0 && trial.model.class_dropout == 0.0) {
    reader.fail("guidance", "guidance needs the null label, which model.class_dropout 0 removes; allowed: 1");
  }
  if (evaluate.features == "fashion_cnn" && trial.data.name != "fashion_mnist") {
    reader.fail("features", fmt::format("fashion_cnn knows Fashion-MNIST only, the data is {}", trial.data.name));
  }
}

/// True when both would make the same score after the last step.
bool same_score(EvaluateSpec a, const EvaluateSpec& b) {
  a.every_steps = b.every_steps;
  return a == b;
}

void read_evaluations(const JsonDocument& document, ObjectReader& reader, TrialSpec& trial) {
  const Json* list = reader.child("evaluate");
  if (list == nullptr) return;
  if (!list->is_array())
    reader.fail("evaluate", fmt::format("a list of objects is needed, found {}", common::shown(*list)));
  trial.evaluate.clear();
  for (std::size_t i = 0; i < list->size(); ++i) {
    ObjectReader item(document, (*list)[i], common::join_path(reader.path_of("evaluate"), i));
    EvaluateSpec evaluate;
    read_evaluate(item, evaluate, trial);
    item.finish();
    const auto same = [&](const EvaluateSpec& earlier) { return same_score(earlier, evaluate); };
    if (std::any_of(trial.evaluate.begin(), trial.evaluate.end(), same))
      item.fail("", "an earlier entry has the same settings; entries must differ in more than every_steps");
    trial.evaluate.push_back(evaluate);
  }
}

}  // namespace

TrialSpec trial_spec_from(const JsonDocument& document, const Json& value, const std::string& path) {
  TrialSpec trial;
  ObjectReader reader(document, value, path);
  read_child(document, reader, "data", [&](ObjectReader& r) { read_data(r, trial.data); });
  const Json* model = reader.child("model");
  if (model != nullptr && model->is_string()) {
    trial.model = named_or_fail(reader, "model", model->get<std::string>());
  } else {
    read_child(document, reader, "model", [&](ObjectReader& r) { read_model(r, trial.model); });
  }
  read_child(document, reader, "objective", [&](ObjectReader& r) { read_objective(r, trial.objective); });
  read_child(document, reader, "train", [&](ObjectReader& r) { read_train(r, trial.train); });
  read_child(document, reader, "checkpoint", [&](ObjectReader& r) {
    r.get("every_steps", trial.checkpoint.every_steps, kPositive);
    r.get("keep", trial.checkpoint.keep, Range{2, 1e6});
  });
  read_evaluations(document, reader, trial);
  read_child(document, reader, "resources", [&](ObjectReader& r) {
    r.get("cpus", trial.resources.cpus, Range{1, 4096});
    r.get("gpus", trial.resources.gpus, Range{0, 1});
  });
  reader.get("seed", trial.seed, Range{0, kLargestWhole});
  reader.finish();
  if (const auto why = why_impossible(trial.shape())) reader.fail("model", *why);
  return trial;
}

TrialSpec trial_spec_from(const JsonDocument& document) { return trial_spec_from(document, document.value, ""); }

}  // namespace ditscale::sweeps
