#pragma once

#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "results/durability.hpp"
#include "results/records.hpp"
#include "sweeps/spec/speed.hpp"

namespace ditscale::results {

/// The one writer of a results database. Every call is one transaction (or part of the caller's `Batch`); a process
/// killed at any line leaves the state before or after the call. Errors of SQLite are SystemError with the file
/// and what to do (disk full, locked, not a database); a database written by a newer ditscale is a ConfigError that
/// names both versions.
class ResultsWriter {
 public:
  /// Opens `path`, creates it when absent, brings an older schema up to date.
  explicit ResultsWriter(const std::filesystem::path& path, Durability durability = Durability::kEach);
  ~ResultsWriter();
  ResultsWriter(const ResultsWriter&) = delete;
  ResultsWriter& operator=(const ResultsWriter&) = delete;

  /// Groups many calls into one transaction: commit() records them; leaving the scope without it undoes them.
  class Batch {
   public:
    explicit Batch(ResultsWriter& writer);
    ~Batch();
    Batch(const Batch&) = delete;
    Batch& operator=(const Batch&) = delete;
    void commit();

   private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
  };

  /// Records the study itself; again replaces the description and the document, never the trials.
  void put_sweep(const std::string& name, const std::string& description, const common::Json& document);
  /// Adds trials that are new; of known ones (same id) label, axes and position are renewed, state and results kept.
  void put_trials(std::span<const TrialRecord> trials);
  void set_trial_state(const common::TrialId& id, TrialState state, const std::string& reason, double time_s);
  void start_attempt(const AttemptRecord& attempt);
  void end_attempt(const common::TrialId& id, common::AttemptNumber number, TrialState state, const std::string& reason,
                   double time_s);
  /// So many seconds more of the attempt's time it was suspended with all the others.
  void add_standstill(const common::TrialId& id, common::AttemptNumber number, double seconds);
  /// Of a trial at a step, once.
  void put_decision(const DecisionRecord& decision);
  /// Lets a trial that was stopped early go on.
  void overrule_decisions(const common::TrialId& id);
  void join_node(const NodeRecord& node);
  void leave_node(int agent, double time_s);
  /// For a coordinator that starts: what its predecessor had is not there any more.
  void leave_stale_nodes();
  /// Takes events in; those known already by (trial, attempt, number) are left out. Projects metrics, evaluations,
  /// checkpoints, samples and the facts of `started`. Returns how many were new. An event of an unknown kind is kept as
  /// it is.
  std::int64_t ingest(std::span<const AttemptEvent> events);

  /// What a coordinator needs to go on after a restart.
  [[nodiscard]] std::vector<TrialStanding> standings() const;
  [[nodiscard]] std::vector<AttemptRecord> attempts() const;
  [[nodiscard]] std::vector<DecisionRecord> decisions() const;
  /// Number of the newest event of an attempt; 0 when there is none.
  [[nodiscard]] std::int64_t last_event(const common::TrialId& id, common::AttemptNumber number) const;
  /// What finished attempts on such devices show of their speed; empty when there are none.
  [[nodiscard]] std::optional<sweeps::Speed> measured_speed(std::int64_t cpus, std::int64_t gpus,
                                                            std::int64_t processes) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace ditscale::results
