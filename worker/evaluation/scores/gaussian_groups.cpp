#include "worker/evaluation/scores/gaussian_groups.hpp"

#include <ATen/Parallel.h>

namespace ditscale::worker {

namespace {

/// Why a distance of so many samples is no 1/n from its limit; empty when it is.
std::string no_extrapolation(const SampleGroups& groups, std::int64_t width, std::int64_t rank) {
  if (!allows_jackknife(groups)) return too_few_for_jackknife(groups);
  if (rank < width)
    return fmt::format("the covariance of {} samples is singular (rank {} of {})", groups.num_samples, rank, width);
  const std::int64_t fewest = groups.num_samples - groups.size(0);
  if (fewest <= width + 1)
    return fmt::format("without a group, {} samples are left, and covariances of {} features singular", fewest, width);
  return {};
}

}  // namespace

GaussianGroups::GaussianGroups(std::int64_t num_samples, std::int64_t width) : groups_{num_samples}, width_(width) {
  for (std::int64_t g = 0; g < SampleGroups::kGroups; ++g) sums_.emplace_back(width);
}

void GaussianGroups::add(std::int64_t first_index, const torch::Tensor& features) {
  sums_.at(static_cast<std::size_t>(groups_.group_of(first_index))).add(features);
}

GaussianAccumulator GaussianGroups::whole() const {
  GaussianAccumulator whole(width_);
  for (const GaussianAccumulator& group : sums_) whole.merge(group);
  return whole;
}

std::vector<double> GaussianGroups::left_out(const GaussianAccumulator& whole,
                                             const FrechetReference& reference) const {
  std::vector<double> values(sums_.size());
  at::parallel_for(0, SampleGroups::kGroups, 1, [&](std::int64_t begin, std::int64_t end) {
    for (auto g = static_cast<std::size_t>(begin); g < static_cast<std::size_t>(end); ++g)
      values[g] = reference.value(whole.without(sums_[g]).stats());
  });
  return values;
}

FrechetScores GaussianGroups::scores(const FrechetReference& reference) const {
  const GaussianAccumulator all = whole();
  if (all.num_vectors() < 2) {
    const Score none{std::nullopt, std::nullopt, "a covariance needs two samples", {}};
    return {none, none, 0};
  }
  const FrechetResult frechet = reference.distance(all.stats());
  FrechetScores result{{}, {}, frechet.rank};
  const auto values = allows_jackknife(groups_) ? left_out(all, reference) : std::vector<double>{};
  result.distance = with_error(frechet.value, values, groups_);
  result.extrapolated.reason = no_extrapolation(groups_, width_, frechet.rank);
  if (!result.extrapolated.reason.empty()) return result;
  const auto jackknifed = jackknife(frechet.value, values, groups_);
  result.extrapolated = finite_score(jackknifed->extrapolated, jackknifed->standard_error);
  return result;
}

}  // namespace ditscale::worker
