#include "orchestrator/coordinator/trial.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "orchestrator/coordinator/score_entry.hpp"

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

/// Of `steps` trained, after `step` of them.
std::int64_t num_unscored(const EntryScores& scores, std::int64_t step, std::int64_t steps) {
  const std::int64_t all = sweeps::num_evaluations(scores.entry, steps);
  if (scores.entry.apart) return all - std::min(all, std::ssize(scores.steps));
  const std::int64_t before = step > 0 ? (step - 1) / scores.entry.every_steps : 0;
  return std::max<std::int64_t>(0, all - before - (scores.steps.count(step) != 0 ? 1 : 0));
}

/// Of two entries that cannot be told apart, the first is scored first.
void note_score(Progress& progress, const Json& settings, std::int64_t step) {
  for (EntryScores& scores : progress.scores) {
    const bool fits = progress.scores.size() == 1 || is_score_of(settings, sweeps::to_json(scores.entry));
    if (fits && scores.steps.insert(step).second) return;
  }
}

void absorb_evaluation(Progress& progress, const Event& event, std::int64_t step) {
  progress.step = std::max(progress.step, step);
  const Json settings = event.body.value("settings", Json());
  note_score(progress, settings, step);
  const auto values = event.body.find("values");
  if (values == event.body.end() || !values->is_object() || !values->contains("fid")) return;
  Json entries = Json::array();
  for (const EntryScores& scores : progress.scores) entries.push_back(sweeps::to_json(scores.entry));
  if (is_shown_fid(settings, entries)) progress.fid = number_in<double>(*values, "fid");
}

}  // namespace

double Trial::remaining_s() const { return sweeps::kStartUp_s + work_left_s(progress.checkpoint_step); }

double Trial::work_left_s(std::int64_t step) const {
  const std::int64_t steps = cell.trial.train.steps;
  double seconds = time.training_s * (1.0 - share(step, steps));
  for (std::size_t i = 0; i < progress.scores.size(); ++i) {
    seconds += time.score_s[i] * static_cast<double>(num_unscored(progress.scores[i], step, steps));
  }
  return seconds;
}

double Trial::next_checkpoint_s() const {
  const std::int64_t to_go = next_save(cell.trial, progress.checkpoint_step) - progress.checkpoint_step;
  return time.training_s * share(to_go, cell.trial.train.steps);
}

std::int64_t next_save(const sweeps::TrialSpec& trial, std::int64_t step) {
  const auto multiple_after = [step](std::int64_t every) { return (step / every + 1) * every; };
  std::int64_t next = std::min(trial.train.steps, multiple_after(trial.checkpoint.every_steps));
  for (const sweeps::EvaluateSpec& entry : trial.evaluate) {
    if (!entry.apart) next = std::min(next, multiple_after(entry.every_steps));
  }
  return next;
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
  if (event.kind == "evaluation") absorb_evaluation(progress, event, step.value_or(progress.step));
}

std::optional<Outcome> outcome_of(const Event& event) {
  if (event.kind != "outcome") return std::nullopt;
  const std::string name = text_in(event.body, "state");
  const std::string reason = text_in(event.body, "reason");
  for (const TrialState state :
       {TrialState::kSucceeded, TrialState::kPreempted, TrialState::kFailed, TrialState::kDiverged}) {
    if (results::to_name(state) == name) return Outcome{state, reason};
  }
  if (results::to_name(TrialState::kLost) == name) return Outcome{TrialState::kLost, reason, /*disk_refused=*/true};
  return Outcome{TrialState::kFailed, fmt::format("its outcome is \"{}\", which this version does not know", name)};
}

}  // namespace ditscale::orchestrator
