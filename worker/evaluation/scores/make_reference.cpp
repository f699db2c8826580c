#include "worker/evaluation/scores/make_reference.hpp"

#include <algorithm>
#include <optional>
#include <vector>

#include "common/error.hpp"
#include "worker/random/permutation.hpp"

namespace ditscale::worker {

namespace {

/// Images given to the network, and added to the sums, at once. Part of the sums' rounding: never change.
constexpr std::int64_t kReferencePiece = 500;
/// Of the permutation that chooses images.
constexpr std::uint64_t kChoiceSeed = 0;

std::vector<std::int64_t> chosen_images(std::int64_t num_images) {
  const EpochPermutation permutation(kChoiceSeed, 0, num_images);
  std::vector<std::int64_t> chosen;
  for (std::int64_t i = 0; i < std::min(num_images, Reference::kKeptFeatures); ++i) chosen.push_back(permutation.at(i));
  std::sort(chosen.begin(), chosen.end());
  return chosen;
}

/// Rows of the features of images begin … that were chosen.
torch::Tensor chosen_rows(const torch::Tensor& features, std::int64_t begin, const std::vector<std::int64_t>& chosen) {
  const auto first = std::lower_bound(chosen.begin(), chosen.end(), begin);
  const auto last = std::lower_bound(first, chosen.end(), begin + features.size(0));
  const torch::Tensor rows = torch::tensor(std::vector<std::int64_t>(first, last), torch::kLong) - begin;
  return features.index_select(0, rows);
}

}  // namespace

Reference make_reference(const FeatureNetwork& network, ReferenceParts parts, const ReferenceImages& images,
                         const std::function<void(std::int64_t)>& progress) {
  if (images.num_images < 2)
    throw common::ConfigError(
        fmt::format("reference {}: a covariance needs two images, there are {}", images.name, images.num_images));
  check_has(network, {parts.spatial, false});
  GaussianAccumulator pooled(network.width());
  GaussianAccumulator spatial(parts.spatial ? network.spatial_width() : 0);
  const auto chosen = parts.features ? chosen_images(images.num_images) : std::vector<std::int64_t>{};
  std::vector<torch::Tensor> kept;
  for (std::int64_t begin = 0; begin < images.num_images; begin += kReferencePiece) {
    const std::int64_t end = std::min(begin + kReferencePiece, images.num_images);
    const ImageFeatures features = network.extract(images.piece(begin, end), {parts.spatial, false});
    pooled.add(features.pooled);
    if (parts.spatial) spatial.add(features.spatial);
    if (parts.features) kept.push_back(chosen_rows(features.pooled, begin, chosen));
    if (progress) progress(end);
  }
  ReferenceContent content{
      images.name, network.name(), network.digest(), images.num_images, images.digest, pooled.stats(), {}, {}, {}};
  if (parts.spatial) content.spatial = spatial.stats();
  if (parts.features) content.features = at::cat(kept, 0);
  return {std::move(content), images.name};
}

}  // namespace ditscale::worker
