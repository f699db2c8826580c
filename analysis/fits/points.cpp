#include "analysis/fits/points.hpp"

#include <unordered_map>

namespace ditscale::analysis {

namespace {

std::vector<double> all_of(std::span<const FitPoint> points, double FitPoint::*member) {
  std::vector<double> values;
  for (const FitPoint& point : points) values.push_back(point.*member);
  return values;
}

}  // namespace

std::vector<double> xs_of(std::span<const FitPoint> points) { return all_of(points, &FitPoint::x); }
std::vector<double> ds_of(std::span<const FitPoint> points) { return all_of(points, &FitPoint::d); }
std::vector<double> ys_of(std::span<const FitPoint> points) { return all_of(points, &FitPoint::y); }

std::vector<std::string> runs_of(std::span<const FitPoint> points) {
  std::unordered_map<std::string, std::size_t> numbers;
  std::vector<std::string> runs;
  for (const FitPoint& point : points) {
    if (numbers.emplace(point.run, runs.size()).second) runs.push_back(point.run);
  }
  return runs;
}

std::vector<std::size_t> run_numbers(std::span<const FitPoint> points) {
  std::unordered_map<std::string, std::size_t> numbers;
  std::vector<std::size_t> result;
  for (const FitPoint& point : points) result.push_back(numbers.emplace(point.run, numbers.size()).first->second);
  return result;
}

}  // namespace ditscale::analysis
