#include "worker/evaluation/scores/score_collector.hpp"

#include <algorithm>
#include <utility>

#include "common/error.hpp"
#include "worker/evaluation/scores/kernel_distance.hpp"
#include "worker/evaluation/scores/precision_recall.hpp"

namespace ditscale::worker {

using common::ConfigError;

namespace {

void refuse_non_finite(const torch::Tensor& part, std::string_view what, std::int64_t first_index) {
  if (!part.defined()) return;
  const torch::Tensor finite = part.isfinite().all(1);
  if (finite.all().item<bool>()) return;
  const std::int64_t first = finite.to(torch::kByte).argmin().item<std::int64_t>();
  throw NotFinite(fmt::format("the {} of image {} hold a NaN or an infinity", what, first_index + first));
}

torch::Tensor part_of(const torch::Tensor& part, std::int64_t begin, std::int64_t end) {
  return part.defined() ? part.slice(0, begin, end) : part;
}

/// One part of the images of a piece, under each other.
torch::Tensor joined(const std::vector<ImageFeatures>& images, torch::Tensor ImageFeatures::*part) {
  if (!(images.front().*part).defined()) return {};
  std::vector<torch::Tensor> tensors;
  for (const ImageFeatures& some : images) tensors.push_back(some.*part);
  return at::cat(tensors, 0);
}

void check_part(const torch::Tensor& part, std::int64_t count, std::int64_t width, std::string_view what) {
  DITSCALE_CHECK(part.defined() && part.sizes().equals({count, width}), "{} of ({}) where ({}, {}) is needed", what,
                 part.defined() ? fmt::format("{}", fmt::join(part.sizes(), ", ")) : "nothing", count, width);
}

}  // namespace

FeatureParts ScoreRequest::parts() const { return {has(metric::kSfid), has(metric::kInceptionScore)}; }

bool ScoreRequest::keeps_features() const {
  return has(metric::kPrecision) || has(metric::kRecall) || has(metric::kKid);
}

void ScoreRequest::check() const {
  if (metrics.empty())
    throw ConfigError(fmt::format("no score is asked for; allowed: {}", fmt::join(metric::kAll, ", ")));
  for (const std::string& name : metrics) {
    if (std::find(metric::kAll.begin(), metric::kAll.end(), name) == metric::kAll.end())
      throw ConfigError(
          fmt::format("score {}: there is none of that name; allowed: {}", name, fmt::join(metric::kAll, ", ")));
  }
}

FeatureWidths FeatureWidths::of(const FeatureNetwork& network, FeatureParts wanted) {
  return {network.width(), wanted.spatial ? network.spatial_width() : 0, wanted.logits ? network.num_classes() : 0};
}

void check_reference(const ScoreRequest& request, const FeatureWidths& widths, const Reference* reference) {
  const bool only_inception = request.metrics.size() == 1 && request.has(metric::kInceptionScore);
  if (only_inception) return;
  if (reference == nullptr) throw ConfigError("every score but inception_score needs a reference");
  const ReferenceContent& content = reference->content();
  if (reference->width() != widths.pooled)
    throw ConfigError(fmt::format("reference {}: has features of width {}, the samples' have {}", content.name,
                                  reference->width(), widths.pooled));
  if (request.has(metric::kSfid) && !content.spatial)
    throw ConfigError(fmt::format("reference {}: has no spatial statistics, which sfid needs", content.name));
  if (request.has(metric::kSfid) && content.spatial->mean.size(0) != widths.spatial)
    throw ConfigError(fmt::format("reference {}: has spatial features of width {}, the samples' have {}", content.name,
                                  content.spatial->mean.size(0), widths.spatial));
  if (request.keeps_features() && !content.features.defined())
    throw ConfigError(fmt::format(
        "reference {}: holds no features of single images, which precision, recall and kid need", content.name));
}

ScoreCollector::ScoreCollector(ScoreRequest request, std::int64_t num_samples, FeatureWidths widths)
    : request_(std::move(request)), groups_{num_samples}, widths_(widths) {
  request_.check();
  DITSCALE_CHECK(num_samples > 0, "scores of {} samples", num_samples);
  if (request_.has(metric::kSfid) && widths.spatial == 0)
    throw ConfigError("sfid needs spatial features: there are none");
  if (request_.has(metric::kInceptionScore) && widths.logits == 0)
    throw ConfigError("inception_score needs logits: there are none");
  if (request_.has(metric::kFid) || request_.has(metric::kFidInfinity)) pooled_.emplace(num_samples, widths.pooled);
  if (request_.has(metric::kSfid)) spatial_.emplace(num_samples, widths.spatial);
  if (request_.has(metric::kInceptionScore)) inception_.emplace(num_samples);
}

void ScoreCollector::add(std::int64_t first_index, const ImageFeatures& features) {
  const std::int64_t count = features.pooled.size(0);
  DITSCALE_CHECK(first_index >= 0 && first_index + count <= groups_.num_samples, "samples {} to {} of {}", first_index,
                 first_index + count, groups_.num_samples);
  check_part(features.pooled, count, widths_.pooled, "pooled features");
  if (spatial_) check_part(features.spatial, count, widths_.spatial, "spatial features");
  if (inception_) check_part(features.logits, count, widths_.logits, "logits");
  refuse_non_finite(features.pooled, "features", first_index);
  if (spatial_) refuse_non_finite(features.spatial, "spatial features", first_index);
  if (inception_) refuse_non_finite(features.logits, "logits", first_index);
  if (open_samples_ > 0 && open_first_ + open_samples_ != first_index) end_piece();
  for (std::int64_t begin = 0; begin < count;) {
    if (open_samples_ == 0) open_first_ = first_index + begin;
    const std::int64_t piece_end = groups_.piece_end(first_index + begin);
    const std::int64_t end = std::min(count, piece_end - first_index);
    open_.push_back({part_of(features.pooled, begin, end), part_of(features.spatial, begin, end),
                     part_of(features.logits, begin, end)});
    open_samples_ += end - begin;
    if (first_index + end == piece_end) end_piece();
    begin = end;
  }
  num_added_ += count;
}

void ScoreCollector::end_piece() {
  if (open_samples_ == 0) return;
  add_piece(open_first_, {joined(open_, &ImageFeatures::pooled), joined(open_, &ImageFeatures::spatial),
                          joined(open_, &ImageFeatures::logits)});
  open_.clear();
  open_samples_ = 0;
}

void ScoreCollector::add_piece(std::int64_t first_index, const ImageFeatures& piece) {
  if (pooled_) pooled_->add(first_index, piece.pooled);
  if (spatial_) spatial_->add(first_index, piece.spatial);
  if (inception_) inception_->add(first_index, piece.logits);
  if (!request_.keeps_features()) return;
  torch::Tensor kept = piece.pooled.to(torch::kCPU, torch::kFloat).contiguous();
  refuse_non_finite(kept, "features in float32", first_index);  // float64 ones may be larger than that can hold
  kept_[first_index] = std::move(kept);
}

torch::Tensor ScoreCollector::kept_features() const {
  std::vector<torch::Tensor> pieces;
  for (const auto& [first, features] : kept_) pieces.push_back(features);
  return at::cat(pieces, 0);
}

void ScoreCollector::score_neighbours(const Reference& reference, Scores& scores) const {
  const torch::Tensor samples = kept_features();
  const torch::Tensor& real = reference.content().features;
  if (request_.has(metric::kPrecision))
    scores.by_metric.emplace(metric::kPrecision, precision_of(samples, real, groups_));
  if (request_.has(metric::kRecall)) scores.by_metric.emplace(metric::kRecall, recall_of(samples, real, groups_));
  if (request_.has(metric::kKid)) scores.by_metric.emplace(metric::kKid, kernel_distance(samples, real, groups_));
}

Scores ScoreCollector::finish(const Reference* reference) {
  end_piece();
  DITSCALE_CHECK(num_added_ == groups_.num_samples, "scores of {} samples, of which {} came", groups_.num_samples,
                 num_added_);
  check_reference(request_, widths_, reference);
  const at::NoGradGuard no_gradients;
  Scores scores;
  scores.num_samples = num_added_;
  if (pooled_) {
    const FrechetScores frechet = pooled_->scores(reference->pooled());
    scores.covariance_rank = frechet.rank;
    if (request_.has(metric::kFid)) scores.by_metric.emplace(metric::kFid, frechet.distance);
    if (request_.has(metric::kFidInfinity)) scores.by_metric.emplace(metric::kFidInfinity, frechet.extrapolated);
  }
  if (spatial_) {
    const FrechetScores frechet = spatial_->scores(reference->spatial());
    scores.spatial_covariance_rank = frechet.rank;
    scores.by_metric.emplace(metric::kSfid, frechet.distance);
  }
  if (inception_) scores.by_metric.emplace(metric::kInceptionScore, inception_->score());
  if (request_.keeps_features()) score_neighbours(*reference, scores);
  return scores;
}

}  // namespace ditscale::worker
