#include <array>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>
#include <vector>

#include "analysis/fits/bootstrap.hpp"
#include "analysis/fits/isoflop_report.hpp"
#include "analysis/statistics/random_stream.hpp"

/// interval_coverage [STUDIES [MOST_RUNS]]: how often 95 % intervals cover planted values, for each form and parameter,
/// by bootstrap and by profile likelihood (0 where there is none); of studies of at most MOST_RUNS runs.
namespace {

using namespace ditscale::analysis;

struct Plan {
  Law law;
  std::size_t num_runs;
  double noise;
  /// Points of one run share a part of their noise.
  std::size_t points_per_run = 1;
  std::optional<double> huber_delta{};
  double smallest_x = 1e6;
};

std::vector<FitPoint> simulate(const Plan& plan, std::uint64_t seed) {
  RandomStream random(seed, 17);
  const bool surface = facts_of(plan.law.form).two_inputs;
  std::vector<FitPoint> points;
  for (std::size_t run = 0; run < plan.num_runs; ++run) {
    const std::string name = std::to_string(run);
    const double place = static_cast<double>(run) / static_cast<double>(plan.num_runs - 1);
    const double x =
        surface ? 5e7 * std::pow(300, random.uniform()) : plan.smallest_x * std::pow(1e11 / plan.smallest_x, place);
    const double of_run = plan.noise * random.normal();
    for (std::size_t i = 0; i < plan.points_per_run; ++i) {
      // Of a run's points all but the first have a quarter of the noise of their own, and lie further along.
      const double own = i == 0 ? 0 : 0.25 * plan.noise * random.normal();
      const double further = x * std::pow(1.5, static_cast<double>(i));
      const double d = surface ? 2 * x * std::pow(100, random.uniform()) : 1;
      points.push_back({further, plan.law.at(further, d) * std::exp(of_run + own), name, name, d});
    }
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
  options.huber_delta = plan.huber_delta;
  const auto covers = [&](const std::optional<Interval>& interval, std::size_t i) {
    return interval && interval->low <= plan.law.values[i] && plan.law.values[i] <= interval->high ? 1 : 0;
  };
  for (int study = 0; study < num_studies; ++study) {
    const auto points = simulate(plan, static_cast<std::uint64_t>(study));
    const Found found = fit_law(points, options).found;
    const auto profiles = plan.huber_delta || plan.points_per_run > 1
                              ? std::array<std::optional<Interval>, kMostParameters>{}  // of equal, separate points
                              : LawSearch(points, options.form).profile(found);
    const Bootstrap laws = bootstrap_by_run(points, options, found, 1000, 1);
    for (std::size_t i = 0; i < plan.law.size(); ++i) {
      bootstrap[i] += covers(laws.interval([i](const Law& law) { return law.values[i]; }), i);
      profile[i] += covers(profiles[i], i);
    }
  }
  for (std::size_t i = 0; i < plan.law.size(); ++i) {
    std::printf("%-12s %3zu runs of %zu, %4.1f %% noise%s  %-7s bootstrap %5.1f %%  profile %5.1f %%\n",
                std::string(facts.name).c_str(), plan.num_runs, plan.points_per_run, 100 * plan.noise,
                plan.huber_delta ? ", Huber" : "", std::string(facts.parameters[i]).c_str(),
                100.0 * bootstrap[i] / num_studies, 100.0 * profile[i] / num_studies);
  }
  std::fflush(stdout);
}

/// Exponents of N* by isoFLOP minima and by the surface, of six budgets with seven sizes around their optimum. What the
/// minima should find is what they find without noise: their bias is another matter.
void measure_isoflop(const Law& surface, double noise, int num_studies) {
  const Allocation truth = surface_allocation(surface, 6).value();
  std::vector<BudgetPoint> exact;
  for (int budget = 0; budget < 6; ++budget) {
    const double compute = 1e18 * std::pow(3, budget);
    for (int i = -3; i <= 3; ++i) {
      const double n = truth.n_at(compute) * std::pow(1.5, i);
      const double d = compute / (6 * n);
      const std::string name = std::to_string(exact.size());
      exact.push_back({{n, surface.at(n, d), name, name, d}, compute});
    }
  }
  const std::array<double, 2> wanted{allocation_of(budget_minima(exact))->a, truth.a};
  std::array<int, 2> covered{};
  for (int study = 0; study < num_studies; ++study) {
    RandomStream random(static_cast<std::uint64_t>(study), 18);
    std::vector<BudgetPoint> points = exact;
    for (BudgetPoint& point : points) point.point.y *= std::exp(noise * random.normal());
    const IsoflopReport report = make_isoflop_report(points, 400, 1);
    for (std::size_t i = 0; i < covered.size(); ++i) {
      const auto& a = report.approaches[i + 1].a;
      covered[i] += a && a->low <= wanted[i] && wanted[i] <= a->high ? 1 : 0;
    }
  }
  for (std::size_t i = 0; i < covered.size(); ++i) {
    std::printf("isoflop       42 runs of 1, %4.1f %% noise  approach %zu: a  bootstrap %5.1f %%\n", 100 * noise, i + 2,
                100.0 * covered[i] / num_studies);
  }
  std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
  const int num_studies = argc > 1 ? std::atoi(argv[1]) : 500;
  const std::size_t most_runs = argc > 2 ? std::strtoul(argv[2], nullptr, 10) : 1000;
  const Law surface{Form::kSurface, {1.69, 406.4, 0.34, 410.7, 0.28}};
  std::vector<Plan> plans{
      {power_law(137, 0.36), 12, 0.05},
      {power_law_with_floor(2, 400, 0.4), 16, 0.01},
      {{Form::kBroken, {2.5, 0.1, 0.45, 3e8}}, 20, 0.01},
      {{Form::kSaturating, {2.0, 30.0, 0.7, 1e8}}, 20, 0.01},
      {surface, 60, 0.005},
      {surface, 60, 0.005, 1, 1e-3},
      {power_law(137, 0.36), 12, 0.05, 5},
  };
  // Few runs; and a floor that is 0 in the best law of many studies.
  for (const std::size_t num_runs : {3, 4, 5, 6, 8}) plans.push_back({power_law(137, 0.36), num_runs, 0.05});
  for (const std::size_t num_runs : {4, 5, 6, 7, 8}) {
    plans.push_back({power_law_with_floor(5, 1e4, 0.3), num_runs, 0.05, 1, {}, 1e9});
  }
  plans.push_back({power_law_with_floor(1, 1e4, 0.3), 12, 0.05, 1, {}, 1e9});
  for (const Plan& plan : plans) {
    if (plan.num_runs <= most_runs) measure(plan, num_studies);
  }
  if (most_runs >= 42) measure_isoflop(surface, 0.003, num_studies);
}
