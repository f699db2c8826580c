#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "common/event.hpp"
#include "results/records.hpp"
#include "sweeps/spec/early_stopping.hpp"

namespace ditscale::orchestrator {

/// The memory of early stopping (see sweeps::EarlyStopping): the values that trials had at the steps where they are
/// judged. A decision depends on what was known then, and is made once.
class Halving {
 public:
  explicit Halving(sweeps::EarlyStopping rule) : rule_(std::move(rule)) {}

  /// What the trial's event decides, at every step that it has reached and was not judged at before; nothing after a
  /// decision to stop, overruled or not, and nothing once the training is done.
  [[nodiscard]] std::vector<results::DecisionRecord> judge(const sweeps::Cell& cell, const common::Event& event,
                                                           double now_s);
  /// Takes in a decision on record; one by another metric says nothing here.
  void remember(const sweeps::Cell& cell, const results::DecisionRecord& decision);

 private:
  struct Rung {
    std::string group;
    std::int64_t step = 0;
    auto operator<=>(const Rung&) const = default;
  };

  [[nodiscard]] results::DecisionRecord decide(const sweeps::Cell& cell, std::int64_t step, double value, double now_s);

  sweeps::EarlyStopping rule_;
  /// Sorted.
  std::map<Rung, std::vector<double>> values_;
  /// The last step at which a trial was judged.
  std::map<std::string, std::int64_t> judged_;
  /// Trials that are not judged any more: a decision stopped them (they may log more before they hear of it), or
  /// someone let them go on in spite of it.
  std::set<std::string> settled_;
};

}  // namespace ditscale::orchestrator
