#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "common/json_document.hpp"
#include "sweeps/spec/early_stopping.hpp"
#include "sweeps/spec/trial_spec.hpp"

namespace ditscale::sweeps {

/// One cell of the grid.
struct Cell {
  TrialSpec trial;
  common::TrialId id;
  /// What this cell's axes were set to, by path: how people tell cells apart.
  std::map<std::string, common::Json> axes;
  /// "model.patch=4 model.width=128".
  [[nodiscard]] std::string label() const;
};

/// A cell of the product that does not run, and why.
struct ExcludedCell {
  std::map<std::string, common::Json> axes;
  std::string reason;
};

/// A sweep file, expanded. Cells have distinct ids. First the product: axes in alphabetical order of their paths, then
/// zip groups, then seeds, the last turning fastest, values in the order of the file. Then the included cells.
struct Sweep {
  std::string name;
  std::string description;
  std::vector<Cell> cells;
  std::vector<ExcludedCell> excluded;
  std::optional<EarlyStopping> early_stopping = std::nullopt;
};

/// Largest number of cells a sweep may have.
inline constexpr std::size_t kMaxCells = 1'000'000;

/// Expands a sweep document (docs/sweeps.md):
/// - name, description: the name is a folder's name: letters, digits, '_', '-', '.'
/// - base: a trial; what it leaves out has the defaults of TrialSpec
/// - grid: {path: [values…]}, the product of all axes
/// - zip: [{path: [values…], …}, …]: in each group the axes advance together; groups multiply with the grid
/// - include: [{path: value, …}, …]: further cells, over base; the whole sweep when there is neither grid nor zip
/// - exclude: [{path: value, …}, …]: cells of the product whose trial has all these values
/// - early_stopping: {metric, at_steps, keep, among}: trials that fall behind are stopped
/// - seeds: [0, 1, …] or a count: every cell is repeated with each seed, but included ones that set their own
///
/// `assignments` ("train.steps=100", "grid.model.width=[64]", "name=other") are applied first.
/// Throws ConfigError with file, line, JSON path, found, allowed; an impossible cell is an error that names the cell.
/// Throws UsageError for an assignment that is none.
[[nodiscard]] Sweep expand_sweep(common::JsonDocument document, const std::vector<std::string>& assignments = {});

/// The same from a file.
[[nodiscard]] Sweep load_sweep(const std::filesystem::path& path, const std::vector<std::string>& assignments = {});

}  // namespace ditscale::sweeps
