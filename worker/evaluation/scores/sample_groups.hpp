#pragma once

#include <algorithm>
#include <cstdint>

namespace ditscale::worker {

/// How n samples are divided: sample i stands in group floor(i · 20 / n), and each group in pieces of 250 that are
/// added as one. The division knows nothing of batches and ranks, so neither do the sums. Part of what a score means:
/// never change the numbers.
struct SampleGroups {
  static constexpr std::int64_t kGroups = 20;
  static constexpr std::int64_t kPieceSamples = 250;

  std::int64_t num_samples;

  [[nodiscard]] std::int64_t group_of(std::int64_t sample) const { return sample * kGroups / num_samples; }
  /// First sample of a group; of kGroups: the number of samples.
  [[nodiscard]] std::int64_t begin(std::int64_t group) const { return (group * num_samples + kGroups - 1) / kGroups; }
  [[nodiscard]] std::int64_t size(std::int64_t group) const { return begin(group + 1) - begin(group); }
  /// One past the last sample of the piece that `sample` stands in.
  [[nodiscard]] std::int64_t piece_end(std::int64_t sample) const {
    const std::int64_t group = group_of(sample);
    const std::int64_t piece = (sample - begin(group)) / kPieceSamples;
    return std::min(begin(group) + (piece + 1) * kPieceSamples, begin(group + 1));
  }
};

}  // namespace ditscale::worker
