#include "worker/evaluation/scores/jackknife.hpp"

#include <cmath>

#include "common/error.hpp"

namespace ditscale::worker {

std::optional<Jackknife> jackknife(double whole, const std::vector<double>& left_out, const SampleGroups& groups) {
  if (!allows_jackknife(groups)) return std::nullopt;
  constexpr auto kGroups = static_cast<double>(SampleGroups::kGroups);
  DITSCALE_CHECK(left_out.size() == SampleGroups::kGroups, "{} groups left out", left_out.size());
  const auto n = static_cast<double>(groups.num_samples);
  double extrapolated = kGroups * whole;
  for (std::int64_t g = 0; g < SampleGroups::kGroups; ++g)
    extrapolated -= (1 - static_cast<double>(groups.size(g)) / n) * left_out[static_cast<std::size_t>(g)];
  double variance = 0;
  for (std::int64_t g = 0; g < SampleGroups::kGroups; ++g) {
    const double share = n / static_cast<double>(groups.size(g));
    const double pseudo_value = share * whole - (share - 1) * left_out[static_cast<std::size_t>(g)];
    variance += (pseudo_value - extrapolated) * (pseudo_value - extrapolated) / (share - 1);
  }
  return Jackknife{std::sqrt(variance / kGroups), extrapolated};
}

std::string too_few_for_jackknife(const SampleGroups& groups) {
  return fmt::format("{} samples are fewer than two in each of {} groups", groups.num_samples, SampleGroups::kGroups);
}

}  // namespace ditscale::worker
