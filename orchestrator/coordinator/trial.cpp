#include "orchestrator/coordinator/trial.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace ditscale::orchestrator {

using common::Event;
using common::Json;
using results::TrialState;

namespace {

template <typename Number>
std::optional<Number> number_in(const Json& object, const char* key) {
  const auto found = object.find(key);
  if (found == object.end() || !found->is_number()) return std::nullopt;
  return found->get<Number>();
}

std::string text_in(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

double share(std::int64_t part, std::int64_t whole) {
  return whole <= 0 ? 0.0 : std::clamp(static_cast<double>(part) / static_cast<double>(whole), 0.0, 1.0);
}

}  // namespace

double Trial::remaining_s() const {
  return predicted_s * (1.0 - share(progress.checkpoint_step, cell.trial.train.steps));
}

double Trial::next_checkpoint_s() const {
  const std::int64_t left = cell.trial.train.steps - progress.checkpoint_step;
  return predicted_s * share(std::min(cell.trial.checkpoint.every_steps, left), cell.trial.train.steps);
}

void absorb(Progress& progress, const Event& event) {
  const auto step = number_in<std::int64_t>(event.body, "step");
  if (event.kind == "started") progress.step = step.value_or(0);
  if (event.kind == "metric") {
    progress.step = step.value_or(progress.step);
    progress.loss = number_in<double>(event.body, "loss");
    progress.images_per_s = number_in<double>(event.body, "images_per_s");
  }
  if (event.kind == "checkpoint") progress.checkpoint_step = std::max(progress.checkpoint_step, step.value_or(0));
  const auto values = event.body.find("values");
  if (event.kind == "evaluation" && values != event.body.end() && values->is_object()) {
    progress.fid = number_in<double>(*values, "fid");
  }
}

std::optional<Outcome> outcome_of(const Event& event) {
  if (event.kind != "outcome") return std::nullopt;
  const std::string name = text_in(event.body, "state");
  const std::string reason = text_in(event.body, "reason");
  for (const TrialState state :
       {TrialState::kSucceeded, TrialState::kPreempted, TrialState::kFailed, TrialState::kDiverged}) {
    if (results::to_name(state) == name) return Outcome{state, reason};
  }
  return Outcome{TrialState::kFailed, fmt::format("its outcome is \"{}\", which this version does not know", name)};
}

}  // namespace ditscale::orchestrator
