#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "analysis/fits/points.hpp"

namespace ditscale::analysis {

struct PointColumns {
  std::string x;
  std::string y;
  /// Empty: there is no second input.
  std::string d;
  /// Empty: nothing further is read.
  std::string extra{};
};

/// Points from a CSV file (see CsvFile). Each row is a run of its own, unless the file has a column "trial" or "run".
/// Rows in which one of the columns is empty or not finite ("nan") are left out; `num_skipped` counts them, and
/// a file without any other is a ConfigError. `extra` gets the further column's numbers.
[[nodiscard]] std::vector<FitPoint> read_csv_points(const std::filesystem::path& file, const PointColumns& columns,
                                                    std::size_t& num_skipped, std::vector<double>* extra = nullptr);

}  // namespace ditscale::analysis
