#include "orchestrator/coordinator/study.hpp"

#include <algorithm>
#include <chrono>
#include <set>
#include <thread>

#include <spdlog/spdlog.h>

#include "common/atomic_file.hpp"
#include "common/error.hpp"
#include "common/text.hpp"
#include "orchestrator/coordinator/event_file.hpp"
#include "sweeps/spec/arithmetic.hpp"

namespace ditscale::orchestrator {

using common::Json;
using results::TrialState;

namespace {

/// Of trials, in memory at a time.
constexpr std::size_t kMostRecords = 256;

common::FileLock lock_study(const common::StudyPaths& paths) {
  common::make_folder(paths.trials());
  auto lock = common::FileLock::try_acquire(paths.lock());
  // Once more, for who asks whether it is held (`status`) is in the way for a moment.
  for (int again = 0; !lock && again < 10; ++again) {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    lock = common::FileLock::try_acquire(paths.lock());
  }
  if (!lock) {
    throw common::ConfigError(fmt::format(
        "{}: another `orchestrator run` works on this study now. Wait for it, stop it (`orchestrator cancel`), "
        "or give this one another folder with --runs",
        paths.folder.string()));
  }
  return std::move(*lock);
}

/// Which cells there are. What each of them resolves to stands in its trial's record.
Json document_of(const sweeps::Sweep& sweep) {
  Json cells = Json::array();
  for (const sweeps::Cell& cell : sweep.cells) {
    cells.push_back({{"id", cell.id.str()}, {"label", cell.label()}, {"axes", cell.axes}});
  }
  Json excluded = Json::array();
  for (const sweeps::ExcludedCell& cell : sweep.excluded) {
    excluded.push_back({{"axes", cell.axes}, {"reason", cell.reason}});
  }
  return {{"name", sweep.name}, {"description", sweep.description}, {"cells", cells}, {"excluded", excluded}};
}

/// Turns one action into its record; messages are none of the database's business.
struct Recorder {
  results::ResultsWriter& writer;
  std::vector<results::AttemptEvent> events;

  void operator()(PutAttempt& put) { flush(), writer.start_attempt(put.record); }
  void operator()(EndAttempt& end) {
    flush();
    writer.end_attempt(end.trial, end.attempt, end.state, end.reason, end.time_s);
  }
  void operator()(SetTrialState& set) {
    flush();
    writer.set_trial_state(set.trial, set.state, set.reason, set.time_s);
  }
  void operator()(CountStandstill& count) { writer.add_standstill(count.trial, count.attempt, count.seconds); }
  void operator()(PutDecision& put) { flush(), writer.put_decision(put.record); }
  void operator()(JoinNode& join) { writer.join_node(join.record); }
  void operator()(LeaveNode& leave) { writer.leave_node(leave.agent, leave.time_s); }
  void operator()(Ingest& ingest) { events.push_back(std::move(ingest.event)); }
  void operator()(StartTrainer&) {}
  void operator()(StopTrainer&) {}
  void operator()(RestNode&) {}
  void operator()(GiveUp&) {}
  void operator()(Finish&) {}

  void flush() {
    if (!events.empty()) writer.ingest(events);
    events.clear();
  }
};

std::set<std::int32_t> numbers_in(const std::filesystem::path& attempts) {
  std::set<std::int32_t> numbers;
  std::error_code missing;
  for (const auto& entry : std::filesystem::directory_iterator(attempts, missing)) {
    const auto number = common::number_from<std::int32_t>(entry.path().filename().string());
    if (number && *number > 0) numbers.insert(*number);
  }
  return numbers;
}

results::AttemptRecord unrecorded(const common::TrialId& trial, std::int32_t number,
                                  const std::vector<common::Event>& events) {
  results::AttemptRecord record;
  record.trial = trial;
  record.number = common::AttemptNumber{number};
  record.devices = "not on record";
  if (!events.empty()) record.started_s = events.front().time_s;
  return record;
}

bool is_record(const Action& action) {
  return !std::holds_alternative<StartTrainer>(action) && !std::holds_alternative<StopTrainer>(action) &&
         !std::holds_alternative<RestNode>(action) && !std::holds_alternative<GiveUp>(action) &&
         !std::holds_alternative<Finish>(action);
}

}  // namespace

results::TrialRecord record_of(const sweeps::Cell& cell, std::int64_t position) {
  const sweeps::ModelShape shape = cell.trial.shape();
  const sweeps::ParameterCount parameters = sweeps::count_parameters(shape);
  results::TrialRecord record;
  record.id = cell.id;
  record.label = cell.label();
  record.axes = cell.axes;
  record.spec = cell.trial.to_json();
  record.total_parameters = parameters.total;
  record.trainable_parameters = parameters.trainable;
  record.forward_macs = sweeps::forward_macs(shape);
  record.training_flops = sweeps::training_flops_per_image(shape) * static_cast<double>(cell.trial.train.steps) *
                          static_cast<double>(cell.trial.train.global_batch);
  record.position = position;
  return record;
}

Study::Study(const common::StudyPaths& paths, const sweeps::Sweep& sweep) : paths_(paths), lock_(lock_study(paths)) {
  writer_ = std::make_unique<results::ResultsWriter>(paths_.database(), results::Durability::kPrefix);
  for (const sweeps::Cell& cell : sweep.cells) specs_.emplace(cell.id, &cell.trial);
  put_cells(sweep);
  adopt_attempts();
}

void Study::put_cells(const sweeps::Sweep& sweep) {
  const Json document = document_of(sweep);
  results::ResultsWriter::Batch batch(*writer_);
  writer_->put_sweep(sweep.name, sweep.description, document);
  writer_->leave_stale_nodes();
  for (std::size_t position = 0; position < sweep.cells.size();) {
    // A part at a time: the records of a large sweep are larger than its cells.
    std::vector<results::TrialRecord> records;
    for (; position < sweep.cells.size() && records.size() < kMostRecords; ++position) {
      records.push_back(record_of(sweep.cells[position], static_cast<std::int64_t>(position)));
    }
    writer_->put_trials(records);
  }
  batch.commit();
  num_foreign_ = writer_->standings().size() - sweep.cells.size();
  common::replace_file(paths_.sweep_json(), document.dump(2) + "\n");
}

void Study::adopt_attempts() {
  std::unordered_map<common::TrialId, std::set<std::int32_t>> recorded;
  for (const results::AttemptRecord& attempt : writer_->attempts()) {
    recorded[attempt.trial].insert(common::to_int(attempt.number));
  }
  for (const auto& [trial, unused] : specs_) {
    const std::set<std::int32_t>& known = recorded[trial];
    const common::TrialPaths folder = paths_.trial(trial);
    // Numbers go up one by one and are recorded first: unless the next one is there, nothing is unknown.
    const common::AttemptNumber next{known.empty() ? 1 : *known.rbegin() + 1};
    std::error_code unreadable;
    if (!std::filesystem::exists(known.empty() ? folder.attempts() : folder.attempt(next), unreadable)) continue;
    for (const std::int32_t number : numbers_in(folder.attempts())) {
      if (known.count(number) != 0) continue;
      spdlog::warn("trial {}: attempt {} has a folder but no record; taken in from its files", trial.str(), number);
      writer_->start_attempt(unrecorded(trial, number, events_of(trial, common::AttemptNumber{number}, 0)));
    }
  }
}

std::unordered_map<common::TrialId, PastTrial> Study::past() const {
  std::unordered_map<common::TrialId, PastTrial> past;
  for (const results::TrialStanding& trial : writer_->standings()) {
    if (specs_.count(trial.id) != 0) past[trial.id] = {trial.state, trial.reason, {}};
  }
  for (const results::AttemptRecord& attempt : writer_->attempts()) {
    const auto trial = past.find(attempt.trial);
    if (trial != past.end()) trial->second.attempts.push_back({attempt, {}});
  }
  for (results::DecisionRecord& decision : writer_->decisions()) {
    const auto trial = past.find(decision.trial);
    if (trial != past.end()) trial->second.decisions.push_back(std::move(decision));
  }
  for (auto& [unused, trial] : past) {
    std::sort(trial.attempts.begin(), trial.attempts.end(),
              [](const PastAttempt& a, const PastAttempt& b) { return a.record.number < b.record.number; });
    for (PastAttempt& attempt : trial.attempts) {
      const results::AttemptRecord& record = attempt.record;
      // The trainer of a lost attempt may have gone on after its end was recorded, until the next attempt started.
      const bool newest = &attempt == &trial.attempts.back();
      const bool open = record.state == TrialState::kRunning || (record.state == TrialState::kLost && newest);
      // With the newest one on record: it may be the outcome, and it is the last sign of life.
      if (open) attempt.events = events_of(record.trial, record.number, record.last_event - 1);
    }
  }
  return past;
}

void Study::record(Actions& actions) {
  if (std::none_of(actions.begin(), actions.end(), is_record)) return;
  results::ResultsWriter::Batch batch(*writer_);
  Recorder recorder{*writer_, {}};
  for (Action& action : actions) std::visit(recorder, action);
  recorder.flush();
  batch.commit();
}

void Study::prepare(const StartTrainer& start) {
  const common::TrialPaths trial = paths_.trial(start.trial);
  for (const auto& folder : {trial.folder, trial.attempts(), trial.attempt(start.attempt)}) common::make_folder(folder);
  common::replace_file(trial.trial_json(), specs_.at(start.trial)->to_json().dump(2) + "\n");
}

std::int64_t Study::last_event(const common::TrialId& trial, common::AttemptNumber attempt) const {
  return writer_->last_event(trial, attempt);
}

std::vector<common::Event> Study::events_of(const common::TrialId& trial, common::AttemptNumber attempt,
                                            std::int64_t after) const {
  const std::filesystem::path path = paths_.trial(trial).events(attempt);
  EventFile file = read_event_file(path, after);
  if (file.num_unreadable > 0) spdlog::warn("{}: {} lines are no events; skipped", path.string(), file.num_unreadable);
  return std::move(file.events);
}

std::optional<sweeps::Speed> Study::measured_speed(const Ask& ask) const {
  return writer_->measured_speed(ask.cpus, ask.total_gpus(), ask.processes);
}

}  // namespace ditscale::orchestrator
