// How well trials are predicted: for each model that a study measured, the errors of its attempts when the speed is
// fitted to the attempts of all other models, beside those of the roofline alone.
// Usage: leave_one_out results.db [cpus of each process, 1] [gpus, 0] [processes, 1]
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <map>

#include <fmt/format.h>

#include "common/error.hpp"
#include "results/reader.hpp"

namespace {

using namespace ditscale;

/// Predicted over measured, as the mean of logarithms and the largest deviation from 1.
struct Errors {
  std::vector<double> logs;

  void add(double predicted_s, double measured_s) { logs.push_back(std::log(predicted_s / measured_s)); }
  [[nodiscard]] double factor() const {
    double sum = 0;
    for (const double each : logs) sum += each;
    return std::exp(sum / static_cast<double>(logs.size()));
  }
  [[nodiscard]] double typical() const {
    double squares = 0;
    for (const double each : logs) squares += each * each;
    return std::sqrt(squares / static_cast<double>(logs.size()));
  }
};

void print(const std::string& model, std::size_t runs, double seconds, const Errors& fitted, const Errors& assumed) {
  fmt::print("{:28} {:5} {:10.1f} {:10.2f} {:10.2f} {:10.2f} {:10.2f}\n", model, runs, seconds, fitted.factor(),
             fitted.typical(), assumed.factor(), assumed.typical());
}

int report(const std::vector<sweeps::MeasuredRun>& runs) {
  std::map<std::string, std::vector<sweeps::MeasuredRun>> models;
  for (const sweeps::MeasuredRun& run : runs) models[run.label].push_back(run);
  fmt::print("{} attempts of {} models; errors: factor (predicted over measured), root mean square of its logarithm\n",
             runs.size(), models.size());
  fmt::print("{:28} {:>5} {:>10} {:>21} {:>21}\n", "model", "runs", "seconds", "others fitted", "roofline alone");
  Errors all_fitted;
  Errors all_assumed;
  for (const auto& [model, own] : models) {
    std::vector<sweeps::MeasuredRun> others;
    for (const sweeps::MeasuredRun& run : runs) {
      if (run.label != model) others.push_back(run);
    }
    const sweeps::Speed speed = sweeps::fit_speed(others);
    Errors fitted;
    Errors assumed;
    double seconds = 0;
    for (const sweeps::MeasuredRun& run : own) {
      seconds += run.seconds / static_cast<double>(own.size());
      fitted.add(sweeps::predicted_s(run.roofline, speed), run.seconds);
      assumed.add(sweeps::predicted_s(run.roofline, {}), run.seconds);
    }
    all_fitted.logs.insert(all_fitted.logs.end(), fitted.logs.begin(), fitted.logs.end());
    all_assumed.logs.insert(all_assumed.logs.end(), assumed.logs.begin(), assumed.logs.end());
    print(model, own.size(), seconds, fitted, assumed);
  }
  print("all", runs.size(), 0, all_fitted, all_assumed);
  const sweeps::Speed speed = sweeps::fit_speed(runs);
  fmt::print("fitted to all: work x {:.3g}, launches x {:.3g}\n", speed.work, speed.launches);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const auto number = [&](int place, std::int64_t absent) { return argc > place ? std::atoll(argv[place]) : absent; };
  if (argc < 2) {
    fmt::print(stderr, "usage: leave_one_out results.db [cpus of each process] [gpus] [processes]\n");
    return 2;
  }
  try {
    const results::ResultsReader reader(argv[1]);
    const auto runs = reader.measured_runs(number(2, 1), number(3, 0), number(4, 1));
    if (runs.empty()) {
      fmt::print(stderr, "{}: no attempt on such devices has ended well\n", argv[1]);
      return 1;
    }
    return report(runs);
  } catch (const common::Error& error) {
    fmt::print(stderr, "{}\n", error.what());
    return 1;
  }
}
