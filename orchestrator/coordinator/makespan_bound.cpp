#include "orchestrator/coordinator/makespan_bound.hpp"

#include <algorithm>
#include <functional>
#include <utility>

namespace ditscale::orchestrator {

namespace {

/// (seconds, devices of one sort), longest first.
using Loads = std::vector<std::pair<double, std::int64_t>>;

double area_s(const Loads& loads, std::int64_t devices) {
  double device_seconds = 0;
  for (const auto& [seconds, width] : loads) device_seconds += seconds * static_cast<double>(width);
  return device_seconds / static_cast<double>(devices);
}

double wide_jobs_s(const Loads& loads, std::int64_t devices) {
  double sum_s = 0;
  for (const auto& [seconds, width] : loads) sum_s += 2 * width > devices ? seconds : 0.0;
  return sum_s;
}

double too_many_at_once_s(const Loads& loads, std::int64_t devices) {
  std::int64_t width = 0;
  for (std::size_t i = 0; i < loads.size(); ++i) {
    width += loads[i].second;
    if (width > devices && i > 0) return loads[i].first + loads[i - 1].first;
  }
  return 0;
}

double bound_s(Loads loads, std::int64_t devices) {
  if (loads.empty() || devices == 0) return 0;
  std::sort(loads.begin(), loads.end(), std::greater<>());
  return std::max(
      {loads.front().first, area_s(loads, devices), wide_jobs_s(loads, devices), too_many_at_once_s(loads, devices)});
}

}  // namespace

double makespan_bound_s(const std::vector<Ask>& nodes, const std::vector<Job>& jobs) {
  std::int64_t cpus = 0;
  std::int64_t gpus = 0;
  for (const Ask& node : nodes) {
    cpus += node.cpus;
    gpus += node.gpus;
  }
  Loads cpu_loads;
  Loads gpu_loads;
  for (const Job& job : jobs) {
    cpu_loads.emplace_back(job.seconds, job.ask.total_cpus());
    if (job.ask.gpus > 0) gpu_loads.emplace_back(job.seconds, job.ask.total_gpus());
  }
  return std::max(bound_s(std::move(cpu_loads), cpus), bound_s(std::move(gpu_loads), gpus));
}

}  // namespace ditscale::orchestrator
