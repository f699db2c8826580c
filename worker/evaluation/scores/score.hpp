#pragma once

#include <array>
#include <cmath>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

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

/// A Score of these; what is not finite, because the features are too large to compute with, is empty.
[[nodiscard]] inline Score finite_score(double value, double standard_error) {
  if (!std::isfinite(value))
    return {std::nullopt, std::nullopt, fmt::format("it came out as {}: the features are too large", value), {}};
  if (!std::isfinite(standard_error))
    return {
        value, std::nullopt, fmt::format("its error came out as {}: the features are too large", standard_error), {}};
  return {value, standard_error, {}, {}};
}

/// A score and those without one group each, as a Score.
[[nodiscard]] inline Score with_error(double value, const std::vector<double>& left_out, const SampleGroups& groups) {
  if (const auto error = jackknife(value, left_out, groups)) return finite_score(value, error->standard_error);
  Score score = finite_score(value, 0);
  score.standard_error = std::nullopt;
  if (score.value) score.reason = too_few_for_jackknife(groups);
  return score;
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
