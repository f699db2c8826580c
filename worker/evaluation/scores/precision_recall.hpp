#pragma once

#include "worker/evaluation/scores/score.hpp"
#include "worker/torch.hpp"

namespace ditscale::worker {

/// Precision and recall of Kynkäänniemi et al. (arXiv 1904.06991): a set's manifold is the union of balls around its
/// feature vectors, each reaching its third nearest neighbour (itself excluded). Squared L2 distances in float64.
inline constexpr std::int64_t kManifoldNeighbours = 3;

/// Share of samples in the manifold of the real images.
[[nodiscard]] Score precision_of(const torch::Tensor& samples, const torch::Tensor& real, const SampleGroups& groups);
/// Share of real images in the manifold of the samples. Without a group, the other samples' balls grow: the error
/// counts that.
[[nodiscard]] Score recall_of(const torch::Tensor& samples, const torch::Tensor& real, const SampleGroups& groups);

}  // namespace ditscale::worker
