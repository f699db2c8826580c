#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "analysis/fits/points.hpp"

namespace ditscale::analysis {

/// Points from a CSV file with a header (RFC 4180: quoted fields, doubled quotes). Each row is a run of its own, unless
/// the file has a column "trial" or "run". Rows whose x or y is empty are skipped. Throws ConfigError with file and
/// line: a column that is not there (naming those that are), a row of another length, a field that is no number.
[[nodiscard]] std::vector<FitPoint> read_csv_points(const std::filesystem::path& file, const std::string& x_column,
                                                    const std::string& y_column);

}  // namespace ditscale::analysis
