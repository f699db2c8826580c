#pragma once

#include "worker/evaluation/scores/score.hpp"
#include "worker/torch.hpp"

namespace ditscale::worker {

/// KID (Bińkowski et al., arXiv 1801.01401): the unbiased squared maximum mean discrepancy under the kernel
/// (x·y / D + 1)³, over all pairs, float64. Of equal distributions it is zero on average, so single values may be
/// negative. Other programs average it over random subsets: the same expectation, with more scatter.
[[nodiscard]] Score kernel_distance(const torch::Tensor& samples, const torch::Tensor& real,
                                    const SampleGroups& groups);

}  // namespace ditscale::worker
