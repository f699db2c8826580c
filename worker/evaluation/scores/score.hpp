#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "worker/evaluation/scores/jackknife.hpp"

namespace ditscale::worker {

namespace metric {
inline constexpr std::string_view kFid = "fid";
inline constexpr std::string_view kSfid = "sfid";
inline constexpr std::string_view kInceptionScore = "inception_score";
inline constexpr std::string_view kPrecision = "precision";
inline constexpr std::string_view kRecall = "recall";
inline constexpr std::string_view kKid = "kid";
inline constexpr std::string_view kFidInfinity = "fid_infinity";
inline constexpr std::array kAll{kFid, kSfid, kInceptionScore, kPrecision, kRecall, kKid, kFidInfinity};
}  // namespace metric

/// One number, and how far to trust it.
struct Score {
  std::optional<double> value;
  /// By the jackknife over groups of samples; the reference is taken as given.
  std::optional<double> standard_error;
  /// Why one of the two is empty; else empty.
  std::string reason;
  /// What to know of the value: how many splits, say.
  std::string note;
};

/// A score and those without one group each, as a Score.
[[nodiscard]] inline Score with_error(double value, const std::vector<double>& left_out, const SampleGroups& groups) {
  if (const auto error = jackknife(value, left_out, groups)) return {value, error->standard_error, {}, {}};
  return {value, std::nullopt, too_few_for_jackknife(groups), {}};
}

/// What one set of samples scored.
struct Scores {
  std::int64_t num_samples = 0;
  std::map<std::string, Score> by_metric;
  /// Rank of the samples' covariance of pooled features, where a score needed it: below their width it is singular,
  /// and FID biased upwards.
  std::optional<std::int64_t> covariance_rank;
  std::optional<std::int64_t> spatial_covariance_rank;
};

}  // namespace ditscale::worker
