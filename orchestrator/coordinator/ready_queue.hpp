#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "orchestrator/coordinator/ask.hpp"

namespace ditscale::orchestrator {

/// Trials that differ in their length only.
struct TrialKind {
  std::int64_t priority = 0;
  Ask ask;

  auto operator<=>(const TrialKind&) const = default;
};

/// Trials that could start now, one ordered queue for each kind: longest first, then in the order of the file.
class ReadyQueue {
 public:
  /// (minus remaining seconds, position)
  using Key = std::pair<double, std::size_t>;
  /// `latest_start_s`: after it the trial can no longer reach a checkpoint in time; infinity without a time limit.
  void insert(const TrialKind& kind, Key key, double latest_start_s);
  void erase(const TrialKind& kind, Key key, double latest_start_s);
  [[nodiscard]] bool contains(const TrialKind& kind, Key key) const;

  /// The first trial of a kind that lasts at most `longest_s`; empty when there is none.
  [[nodiscard]] std::optional<std::size_t> first(const TrialKind& kind, double longest_s) const;
  /// A trial whose latest start is before `now_s`; empty when there is none.
  [[nodiscard]] std::optional<std::size_t> too_late(double now_s) const;
  /// None of them is empty.
  [[nodiscard]] const std::map<TrialKind, std::set<Key>>& queues() const { return queues_; }
  [[nodiscard]] bool empty() const { return queues_.empty(); }
  [[nodiscard]] std::size_t size() const;

 private:
  std::map<TrialKind, std::set<Key>> queues_;
  /// (latest start, position), of trials that have one.
  std::set<std::pair<double, std::size_t>> latest_starts_;
};

}  // namespace ditscale::orchestrator
