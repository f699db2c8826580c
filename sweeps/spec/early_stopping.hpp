#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/json_document.hpp"
#include "common/object_reader.hpp"

namespace ditscale::sweeps {

struct Cell;

/// Asynchronous successive halving (Li et al. 2020, "A System for Massively Parallel Hyperparameter Tuning"), stopping
/// instead of pausing: a trial that reaches one of the steps goes on when it is among the best share of those that have
/// reached it so far.
struct EarlyStopping {
  /// "loss" or "fid"; less is better.
  std::string metric = "loss";
  /// Optimiser steps at which trials are judged, growing.
  std::vector<std::int64_t> at_steps;
  /// Share of the trials that goes on at each of them, rounded up.
  double keep = 0.5;
  /// Axes; only trials with the same values of all of them compete, whatever set those. Empty: all do. By "loss", only
  /// those of one objective: the losses of others have another scale.
  std::vector<std::string> among;

  /// What trials that compete with this one have in common.
  [[nodiscard]] std::string group_of(const Cell& cell) const;
};

/// Strict reading of `value` at `path`. Throws ConfigError.
[[nodiscard]] EarlyStopping read_early_stopping(const common::JsonDocument& document, const common::Json& value,
                                                const std::string& path);

/// Throws ConfigError, at `path`, when `among` names no axis of the cells, no cell has a value to judge
/// between the first of `at_steps` and its end, or a cell has not exactly one score to judge, made while it trains.
void check_early_stopping(const EarlyStopping& rule, const std::vector<Cell>& cells,
                          const common::JsonDocument& document, const std::string& path);

}  // namespace ditscale::sweeps
