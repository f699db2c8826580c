#pragma once

#include <cstdint>

#include "sweeps/spec/trial_spec.hpp"
#include "worker/data/image_set.hpp"
#include "worker/torch.hpp"

namespace ditscale::worker {

/// What samples first … first + count - 1 of a model conditioned on embeddings are to show, (count, L, E) float32:
/// those of training images in an order keyed by the sample seed alone, so that all models of a sweep are shown the
/// same. Undefined for other models, whose `images` are not looked at.
[[nodiscard]] torch::Tensor shown_embeddings(const sweeps::TrialSpec& trial, const ImageSet& images,
                                             std::int64_t sample_seed, std::int64_t first, std::int64_t count);

}  // namespace ditscale::worker
