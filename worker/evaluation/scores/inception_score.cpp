#include "worker/evaluation/scores/inception_score.hpp"

#include <cmath>
#include <numeric>

#include "common/error.hpp"

namespace ditscale::worker {

namespace {

constexpr std::int64_t kNoGroup = -1;

double mean_of(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

double deviation_of(const std::vector<double>& values) {
  const double mean = mean_of(values);
  double sum = 0;
  for (const double value : values) sum += (value - mean) * (value - mean);
  return std::sqrt(sum / static_cast<double>(values.size()));
}

}  // namespace

InceptionScore::InceptionScore(std::int64_t num_samples) : groups_{num_samples} {}

void InceptionScore::add(std::int64_t first_index, const torch::Tensor& logits) {
  const torch::Tensor log_p = at::log_softmax(logits.to(torch::kDouble), 1);  // (n, K)
  for (std::int64_t begin = 0; begin < logits.size(0);) {
    const std::int64_t split = (first_index + begin) / kSplitSamples;
    const std::int64_t end = std::min(logits.size(0), (split + 1) * kSplitSamples - first_index);
    const torch::Tensor part = log_p.slice(0, begin, end);
    const torch::Tensor p = part.exp();
    add_cell({split, groups_.group_of(first_index + begin)},
             {static_cast<double>(end - begin), p.mul(part).sum().item<double>(), p.sum(0)});
    begin = end;
  }
}

void InceptionScore::add_cell(std::pair<std::int64_t, std::int64_t> split_and_group, const Cell& cell) {
  Cell& total = cells_[split_and_group];
  total.count += cell.count;
  total.information += cell.information;
  total.sum = total.sum.defined() ? total.sum + cell.sum : cell.sum.clone();
}

std::vector<double> InceptionScore::of_splits(std::int64_t left_out) const {
  std::map<std::int64_t, Cell> splits;
  for (const auto& [place, cell] : cells_) {
    if (place.second == left_out) continue;
    Cell& split = splits[place.first];
    split.count += cell.count;
    split.information += cell.information;
    split.sum = split.sum.defined() ? split.sum + cell.sum : cell.sum;
  }
  std::vector<double> scores;
  for (const auto& [index, split] : splits) {
    const torch::Tensor mean = split.sum / split.count;
    const double entropy = -at::xlogy(mean, mean).sum().item<double>();
    scores.push_back(std::exp(split.information / split.count + entropy));
  }
  return scores;
}

Score InceptionScore::score() const {
  const std::vector<double> splits = of_splits(kNoGroup);
  if (splits.empty()) return {std::nullopt, std::nullopt, "there are no samples", {}};
  std::vector<double> without;
  if (allows_jackknife(groups_)) {
    for (std::int64_t g = 0; g < SampleGroups::kGroups; ++g) without.push_back(mean_of(of_splits(g)));
  }
  Score score = with_error(mean_of(splits), without, groups_);
  score.note = groups_.num_samples < kSplitSamples
                   ? fmt::format("one split of {} samples, where {} are usual", groups_.num_samples, kSplitSamples)
                   : fmt::format("{} splits of {} samples, standard deviation {:.4g} over them", splits.size(),
                                 kSplitSamples, deviation_of(splits));
  return score;
}

}  // namespace ditscale::worker
