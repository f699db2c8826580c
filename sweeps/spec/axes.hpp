#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "common/json_document.hpp"
#include "common/object_reader.hpp"

namespace ditscale::sweeps {

/// One value that an axis gives to a path, and the place in the sweep file it comes from ("grid.model.width[2]").
struct Setting {
  common::Json value;
  std::string origin;
};

/// What tells one cell from another: settings by path in the trial.
using Assignments = std::map<std::string, Setting>;

/// One factor of the product: the settings it steps through, all of the same paths.
using Factor = std::vector<Assignments>;

/// The axes of a sweep and their product; the last factor turns fastest.
class Axes {
 public:
  /// Reads "grid" (one factor for each path, in alphabetical order), "zip" (one for each group) and "seeds" (the last).
  /// Throws ConfigError when an axis has no list of values, the lengths of a zip group differ, two axes set the same
  /// path, or the product has more than `max_cells` cells.
  Axes(common::ObjectReader& reader, const common::JsonDocument& document, std::size_t max_cells);

  /// True when there is a grid or a zip: without them, what "include" lists is the whole sweep.
  [[nodiscard]] bool any_but_seeds() const { return !factors_.empty(); }
  /// Cells of the product: 1 when there is no axis at all.
  [[nodiscard]] std::size_t size() const { return size_; }
  /// Settings of cell `index` of the product.
  [[nodiscard]] Assignments at(std::size_t index) const;
  /// The seeds as a factor; empty when the file has none.
  [[nodiscard]] const Factor& seeds() const { return seeds_; }
  /// Each path that an axis sets, with the place of its axis ("grid.model.width", "zip[0].model.depth", "seeds").
  [[nodiscard]] const std::map<std::string, std::string>& paths() const { return paths_; }

 private:
  void add_path(const common::JsonDocument& document, const std::string& path, const std::string& place);
  void read_grid(common::ObjectReader& reader, const common::JsonDocument& document);
  void read_zip(common::ObjectReader& reader, const common::JsonDocument& document);
  void read_seeds(common::ObjectReader& reader, const common::JsonDocument& document);
  void count(const common::JsonDocument& document, std::size_t max_cells);

  std::vector<Factor> factors_;
  Factor seeds_;
  std::map<std::string, std::string> paths_;
  std::size_t size_ = 1;
};

}  // namespace ditscale::sweeps
