#include <algorithm>

#include <fmt/format.h>

#include "sweeps/spec/part_readers.hpp"

namespace ditscale::sweeps {

using common::Json;
using common::JsonDocument;
using common::ObjectReader;
using common::Range;

namespace {

/// Calls `read(reader)` on member `key` when present.
template <typename Read>
void read_child(const JsonDocument& document, ObjectReader& parent, const std::string& key, Read read) {
  const Json* child = parent.child(key);
  if (child == nullptr) return;
  ObjectReader reader(document, *child, parent.path_of(key));
  read(reader);
  reader.finish();
}

/// True when both would make the same score after the last step.
bool same_score(EvaluateSpec a, const EvaluateSpec& b) {
  a.every_steps = b.every_steps;
  a.apart = b.apart;
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
      item.fail("", "an earlier entry has the same settings; entries must differ in more than every_steps and apart");
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
    trial.model = named_model_or_fail(reader, "model", model->get<std::string>());
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
  read_child(document, reader, "resources", [&](ObjectReader& r) { read_resources(r, trial.resources, trial.train); });
  reader.get("seed", trial.seed, Range{0, kLargestWhole});
  reader.finish();
  if (const auto why = why_impossible(trial.shape())) reader.fail("model", *why);
  return trial;
}

TrialSpec trial_spec_from(const JsonDocument& document) { return trial_spec_from(document, document.value, ""); }

}  // namespace ditscale::sweeps
