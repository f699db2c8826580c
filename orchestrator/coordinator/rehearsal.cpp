#include "orchestrator/coordinator/rehearsal.hpp"

#include <algorithm>
#include <limits>
#include <queue>
#include <tuple>
#include <utility>

#include "orchestrator/coordinator/scheduler.hpp"

namespace ditscale::orchestrator {

namespace {

/// What of a trial decides when and where it starts.
Trial outline_of(const Trial& trial) {
  Trial outline;
  outline.cell.trial.train.steps = trial.cell.trial.train.steps;
  outline.cell.trial.resources.priority = trial.cell.trial.resources.priority;
  outline.ask = trial.ask;
  outline.time.training_s = trial.work_left_s(trial.progress.checkpoint_step);
  outline.overtaken = trial.overtaken;
  outline.not_before_s = trial.not_before_s;
  outline.run = trial.run;
  return outline;
}

struct End {
  double at_s = 0;
  std::size_t position = 0;
  bool operator>(const End& other) const { return std::tie(at_s, position) > std::tie(other.at_s, other.position); }
};

class Stage {
 public:
  Stage(Sketch sketch, double now_s, const std::vector<double>& errors)
      : state_(std::move(sketch.state)), now_s_(now_s), errors_(errors) {
    for (const auto& [position, end_s] : sketch.ends_s) {
      shares_[position] = std::move(state_.trials[position].run->shares);
      ends_.push({end_s, position});
    }
  }

  Rehearsal run() {
    Rehearsal rehearsal;
    do {
      for (Placement& placement : place_ready(state_, now_s_)) {
        if (!rehearsal.next) rehearsal.next = {placement.position, now_s_};
        ends_.push({now_s_ + duration_s(placement.position), placement.position});
        shares_[placement.position] = std::move(placement.shares);
      }
    } while (go_on());
    rehearsal.end_s = now_s_;
    return rehearsal;
  }

 private:
  double duration_s(std::size_t position) const {
    return state_.trials[position].remaining_s() * (errors_.empty() ? 1.0 : errors_[position]);
  }

  /// To the next time at which something ends or a retry may start; false when there is none.
  bool go_on() {
    constexpr double kNever = std::numeric_limits<double>::infinity();
    const double end_s = ends_.empty() ? kNever : ends_.top().at_s;
    const double wake_s = state_.waiting.empty() ? kNever : state_.waiting.begin()->first;
    if (end_s == kNever && wake_s == kNever) return false;
    now_s_ = std::max(now_s_, std::min(end_s, wake_s));
    wake_waiting(state_, now_s_);
    while (!ends_.empty() && ends_.top().at_s <= now_s_) {
      end(ends_.top().position);
      ends_.pop();
    }
    return true;
  }

  void end(std::size_t position) {
    const Shares shares = std::move(shares_.extract(position).mapped());
    for (const Share& share : shares) {
      if (state_.nodes.contains(share.agent)) state_.nodes.give_back(share.agent, position, share.devices);
    }
  }

  State state_;
  double now_s_;
  const std::vector<double>& errors_;
  std::map<std::size_t, Shares> shares_;
  std::priority_queue<End, std::vector<End>, std::greater<>> ends_;
};

double predicted_end_s(const State& state, std::size_t position, double now_s) {
  const int leader = state.trials[position].run->leader();
  if (!state.nodes.contains(leader)) return now_s;
  const std::vector<Tenant>& tenants = state.nodes.at(leader).tenants;
  const auto tenant =
      std::find_if(tenants.begin(), tenants.end(), [&](const Tenant& each) { return each.position == position; });
  return tenant == tenants.end() ? now_s : tenant->expected_end_s(now_s);
}

}  // namespace

double expected_end_s(const State& state, std::size_t position, double now_s) {
  constexpr double kTrustedShare = 0.02;
  const Trial& trial = state.trials[position];
  const auto steps = static_cast<double>(std::max<std::int64_t>(1, trial.cell.trial.train.steps));
  const auto made = static_cast<double>(trial.progress.step - trial.run->first_checkpoint_step);
  if (made / steps < kTrustedShare) return predicted_end_s(state, position, now_s);
  const double left_s = trial.work_left_s(trial.progress.step);
  // How long the last scores have been going on is not known.
  if (trial.progress.step >= trial.cell.trial.train.steps) return now_s + left_s;
  const double made_s = trial.work_left_s(trial.run->first_checkpoint_step) - left_s;
  return now_s + left_s * (now_s - trial.run->started_s - trial.run->stood_still_s) / made_s;
}

Sketch sketch_of(const State& state, double now_s) {
  Sketch sketch;
  sketch.state.policy = state.policy;
  sketch.state.order = state.order;
  sketch.state.nodes = state.nodes;
  sketch.state.nodes.wake_rested(std::numeric_limits<double>::infinity());
  std::map<std::size_t, std::size_t> places;
  for (std::size_t position = 0; position < state.trials.size(); ++position) {
    const Trial& trial = state.trials[position];
    if (results::is_final(trial.state)) continue;
    const std::size_t place = sketch.positions.size();
    places[position] = place;
    sketch.positions.push_back(position);
    sketch.state.trials.push_back(outline_of(trial));
    if (trial.run) {
      sketch.state.running.insert(place);
      sketch.ends_s[place] = expected_end_s(state, position, now_s);
    } else {
      enqueue(sketch.state, place, now_s);
    }
  }
  sketch.state.nodes.rename_tenants(places, sketch.ends_s);
  for (const auto& [position, reservation] : state.reservations)
    sketch.state.reservations.emplace(places.at(position), reservation);
  return sketch;
}

Rehearsal rehearse(Sketch sketch, double now_s, const std::vector<double>& errors) {
  std::vector<std::size_t> positions = sketch.positions;
  Rehearsal rehearsal = Stage(std::move(sketch), now_s, errors).run();
  if (rehearsal.next) rehearsal.next->position = positions[rehearsal.next->position];
  return rehearsal;
}

std::vector<Job> jobs_left(const State& state, double now_s) {
  std::vector<Job> jobs;
  for (std::size_t position = 0; position < state.trials.size(); ++position) {
    const Trial& trial = state.trials[position];
    if (results::is_final(trial.state)) continue;
    jobs.push_back({trial.ask, trial.run ? expected_end_s(state, position, now_s) - now_s : trial.remaining_s()});
  }
  return jobs;
}

double bound_left_s(const State& state, double now_s) {
  std::vector<Ask> nodes;
  for (const auto& [unused, node] : state.nodes)
    nodes.push_back({std::ssize(node.all.cpus), std::ssize(node.all.gpus)});
  return makespan_bound_s(nodes, jobs_left(state, now_s));
}

}  // namespace ditscale::orchestrator
