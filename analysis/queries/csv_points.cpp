#include "analysis/queries/csv_points.hpp"

#include <cmath>

#include "analysis/queries/csv_file.hpp"
#include "common/error.hpp"

namespace ditscale::analysis {

std::vector<FitPoint> read_csv_points(const std::filesystem::path& file, const PointColumns& columns,
                                      std::size_t& num_skipped, std::vector<double>* extra) {
  const CsvFile csv(file);
  const std::size_t x = csv.require(columns.x);
  const std::size_t y = csv.require(columns.y);
  const bool has_d = !columns.d.empty();
  const std::size_t d = has_d ? csv.require(columns.d) : 0;
  const bool has_extra = !columns.extra.empty();
  const std::size_t further = has_extra ? csv.require(columns.extra) : 0;
  const auto trial = csv.find("trial");
  const auto run = trial ? trial : csv.find("run");
  std::vector<FitPoint> points;
  num_skipped = 0;
  for (const CsvFile::Row& row : csv.rows()) {
    const auto number = [&](std::size_t column) { return csv.number(row, column).value_or(std::nan("")); };
    const std::string line = fmt::format("line {}", row.line);
    const FitPoint point{number(x), number(y), line, run ? row.fields[*run] : line, has_d ? number(d) : 1};
    const double more = has_extra ? number(further) : 0;
    if (std::isfinite(point.x) && std::isfinite(point.y) && std::isfinite(point.d) && std::isfinite(more)) {
      if (extra != nullptr) extra->push_back(more);
      points.push_back(point);
    } else {
      ++num_skipped;
    }
  }
  if (points.empty()) {
    std::vector<std::string> names{columns.x, columns.y};
    if (has_d) names.push_back(columns.d);
    if (has_extra) names.push_back(columns.extra);
    throw common::ConfigError(
        fmt::format("{}: none of its {} rows has a number in each of the columns {}; fill them in, or name others",
                    file.string(), num_skipped, fmt::join(names, ", ")));
  }
  return points;
}

}  // namespace ditscale::analysis
