#include "orchestrator/coordinator/halving.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "sweeps/spec/sweep.hpp"

namespace ditscale::orchestrator {

using common::Event;
using common::Json;
using results::DecisionRecord;

namespace {

/// The value that an event gives for `metric`; not a number is the worst there is.
std::optional<double> value_in(const Event& event, const std::string& metric) {
  const bool is_loss = metric == "loss";
  if (event.kind != (is_loss ? "metric" : "evaluation")) return std::nullopt;
  const Json* holder = &event.body;
  if (!is_loss) {
    const auto values = event.body.find("values");
    if (values == event.body.end() || !values->is_object()) return std::nullopt;
    holder = &*values;
  }
  const auto found = holder->find(metric);
  if (found == holder->end()) return std::nullopt;
  const double value = found->is_number() ? found->get<double>() : std::nan("");
  return std::isfinite(value) ? value : std::numeric_limits<double>::max();
}

}  // namespace

std::vector<DecisionRecord> Halving::judge(const sweeps::Cell& cell, const Event& event, double now_s) {
  const auto value = value_in(event, rule_.metric);
  const auto step = event.body.find("step");
  if (settled_.count(cell.id.str()) != 0) return {};
  if (!value || step == event.body.end() || !step->is_number_integer()) return {};
  // What is left are scores: stopping would save little and lose them.
  if (step->get<std::int64_t>() >= cell.trial.train.steps) return {};
  std::vector<DecisionRecord> decisions;
  for (const std::int64_t rung : rule_.at_steps) {
    const auto judged = judged_.find(cell.id.str());
    if (judged != judged_.end() && judged->second >= rung) continue;
    if (step->get<std::int64_t>() < rung) break;
    decisions.push_back(decide(cell, rung, *value, now_s));
    if (!decisions.back().kept) break;
  }
  return decisions;
}

DecisionRecord Halving::decide(const sweeps::Cell& cell, std::int64_t step, double value, double now_s) {
  DecisionRecord decision;
  decision.trial = cell.id;
  decision.step = step;
  decision.metric = rule_.metric;
  decision.value = value;
  decision.time_s = now_s;
  remember(cell, decision);
  const std::vector<double>& known = values_.at({rule_.group_of(cell), step});
  decision.rank = std::lower_bound(known.begin(), known.end(), value) - known.begin() + 1;
  decision.num_known = std::ssize(known);
  decision.num_kept = static_cast<std::int64_t>(std::ceil(rule_.keep * static_cast<double>(known.size())));
  decision.kept = decision.rank <= decision.num_kept;
  if (!decision.kept) settled_.insert(cell.id.str());
  return decision;
}

void Halving::remember(const sweeps::Cell& cell, const DecisionRecord& decision) {
  if (decision.metric != rule_.metric) return;
  const bool overruled = decision.kept && decision.rank > decision.num_kept;
  if (!decision.kept || overruled) settled_.insert(cell.id.str());
  std::vector<double>& known = values_[{rule_.group_of(cell), decision.step}];
  known.insert(std::upper_bound(known.begin(), known.end(), decision.value), decision.value);
  std::int64_t& judged = judged_[cell.id.str()];
  judged = std::max(judged, decision.step);
}

}  // namespace ditscale::orchestrator
