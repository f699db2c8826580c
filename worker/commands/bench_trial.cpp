#include "worker/commands/bench_trial.hpp"

#include <algorithm>
#include <utility>

#include "common/json_document.hpp"
#include "sweeps/spec/json_path.hpp"

namespace ditscale::worker {

using common::Json;

sweeps::TrialSpec bench_trial(const std::vector<std::string>& assignments) {
  std::vector<std::pair<std::string, Json>> changes;
  for (const std::string& text : assignments) changes.push_back(sweeps::parse_assignment(text));
  const bool other_model = std::any_of(changes.begin(), changes.end(), [](const auto& change) {
    return change.first == "model" || change.first == "model.name";
  });

  common::JsonDocument document;
  document.source = "bench";
  document.value = {
      {"data", {{"name", "imagenet_latents"}}}, {"train", {{"global_batch", 128}}}, {"resources", {{"cpus", 2}}}};
  if (!other_model) document.value["model"] = {{"depth", 6}, {"width", 128}, {"heads", 4}, {"patch", 4}};
  for (std::size_t i = 0; i < changes.size(); ++i) {
    sweeps::set_path(document.value, changes[i].first, std::move(changes[i].second), "--set " + assignments[i]);
  }
  return sweeps::trial_spec_from(document);
}

}  // namespace ditscale::worker
