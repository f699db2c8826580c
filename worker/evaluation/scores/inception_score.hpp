#pragma once

#include <map>
#include <utility>
#include <vector>

#include "worker/evaluation/scores/score.hpp"
#include "worker/torch.hpp"

namespace ditscale::worker {

/// The Inception Score (Salimans et al., arXiv 1606.03498): exp of the mean divergence of softmax(logits) from their
/// mean, taken in splits of 5,000 consecutive samples (the last may be smaller) and averaged over splits, as ADM's
/// suite does. Keeps sums over splits and groups, float64.
class InceptionScore {
 public:
  static constexpr std::int64_t kSplitSamples = 5'000;

  explicit InceptionScore(std::int64_t num_samples);

  /// One piece of one group; see SampleGroups.
  void add(std::int64_t first_index, const torch::Tensor& logits);  // (n, K)

  /// The note tells the number of splits and the standard deviation over them.
  [[nodiscard]] Score score() const;

 private:
  /// Samples of one split and one group.
  struct Cell {
    double count = 0;
    double information = 0;  // Σ p log p, over samples and classes
    torch::Tensor sum;       // (K)
  };

  void add_cell(std::pair<std::int64_t, std::int64_t> split_and_group, const Cell& cell);
  /// Of each split that has samples outside group `left_out` (-1: outside none).
  [[nodiscard]] std::vector<double> of_splits(std::int64_t left_out) const;

  SampleGroups groups_;
  std::map<std::pair<std::int64_t, std::int64_t>, Cell> cells_;
};

}  // namespace ditscale::worker
