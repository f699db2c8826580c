#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "analysis/fits/bootstrap.hpp"
#include "analysis/statistics/random_stream.hpp"

/// interval_coverage [STUDIES]: how often 95 % intervals cover planted values, for each form and parameter, by
/// bootstrap and by profile likelihood (0 where a parameter has no profile).
namespace {

using namespace ditscale::analysis;

struct Plan {
  Law law;
  std::size_t num_runs;
  double noise;
};

std::vector<FitPoint> simulate(const Plan& plan, std::uint64_t seed) {
  RandomStream random(seed, 17);
  const bool surface = facts_of(plan.law.form).two_inputs;
  std::vector<FitPoint> points;
  for (std::size_t i = 0; i < plan.num_runs; ++i) {
    const double x = 1e6 * std::pow(10, 5 * static_cast<double>(i) / static_cast<double>(plan.num_runs - 1));
    const double n = surface ? 5e7 * std::pow(300, random.uniform()) : x;
    const double d = surface ? 2 * n * std::pow(100, random.uniform()) : 1;
    const std::string name = std::to_string(i);
    points.push_back({n, plan.law.at(n, d) * std::exp(plan.noise * random.normal()), name, name, d});
  }
  return points;
}

void measure(const Plan& plan, int num_studies) {
  const FormFacts& facts = facts_of(plan.law.form);
  std::vector<int> bootstrap(plan.law.size());
  std::vector<int> profile(plan.law.size());
  FitOptions options;
  options.form = plan.law.form;
  options.num_starts = 40;
  const auto covers = [&](const std::optional<Interval>& interval, std::size_t i) {
    return interval && interval->low <= plan.law.values[i] && plan.law.values[i] <= interval->high ? 1 : 0;
  };
  for (int study = 0; study < num_studies; ++study) {
    const auto points = simulate(plan, static_cast<std::uint64_t>(study));
    const Found found = fit_law(points, options).found;
    const auto profiles = LawSearch(points, options.form).profile(found);
    const Bootstrap laws = bootstrap_by_run(points, options, found, 1000, 1);
    for (std::size_t i = 0; i < plan.law.size(); ++i) {
      bootstrap[i] += covers(laws.interval([i](const Law& law) { return law.values[i]; }), i);
      profile[i] += covers(profiles[i], i);
    }
  }
  for (std::size_t i = 0; i < plan.law.size(); ++i) {
    std::printf("%-12s %3zu runs, %4.1f %% noise  %-7s bootstrap %5.1f %%  profile %5.1f %%\n",
                std::string(facts.name).c_str(), plan.num_runs, 100 * plan.noise,
                std::string(facts.parameters[i]).c_str(), 100.0 * bootstrap[i] / num_studies,
                100.0 * profile[i] / num_studies);
  }
  std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
  const int num_studies = argc > 1 ? std::atoi(argv[1]) : 500;
  measure({power_law(137, 0.36), 12, 0.05}, num_studies);
  measure({power_law_with_floor(2, 400, 0.4), 16, 0.01}, num_studies);
  measure({{Form::kBroken, {2.5, 0.1, 0.45, 3e8}}, 20, 0.01}, num_studies);
  measure({{Form::kSaturating, {2.0, 30.0, 0.7, 1e8}}, 20, 0.01}, num_studies);
  measure({{Form::kSurface, {1.69, 406.4, 0.34, 410.7, 0.28}}, 60, 0.005}, num_studies);
}
