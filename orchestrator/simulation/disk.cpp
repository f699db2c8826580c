#include "orchestrator/simulation/disk.hpp"

#include <algorithm>

namespace ditscale::orchestrator {

namespace {

struct Recorder {
  Disk& disk;

  void operator()(const PutAttempt& put) { disk.records[put.record.trial].attempts.push_back({put.record, {}}); }
  void operator()(const EndAttempt& end) {
    std::vector<PastAttempt>& attempts = disk.records[end.trial].attempts;
    // Nearly always the newest of many.
    const auto attempt = std::find_if(attempts.rbegin(), attempts.rend(),
                                      [&](const PastAttempt& each) { return each.record.number == end.attempt; });
    if (attempt == attempts.rend()) return;
    attempt->record.state = end.state;
    attempt->record.reason = end.reason;
    attempt->record.ended_s = end.time_s;
  }
  void operator()(const SetTrialState& set) {
    PastTrial& trial = disk.records[set.trial];
    trial.state = set.state;
    trial.reason = set.reason;
  }
  template <typename Other>
  void operator()(const Other&) {}
};

}  // namespace

void Disk::record(const Actions& actions) {
  for (const Action& action : actions) std::visit(Recorder{*this}, action);
}

std::unordered_map<common::TrialId, PastTrial> Disk::past() const {
  auto past = records;
  for (auto& [id, trial] : past) {
    for (PastAttempt& attempt : trial.attempts) {
      const auto file = event_files.find({id, attempt.record.number});
      if (file != event_files.end()) attempt.events = file->second;
    }
  }
  return past;
}

}  // namespace ditscale::orchestrator
