#pragma once

#include <cstdint>

#include "worker/sampling/sampler.hpp"
#include "worker/torch.hpp"
#include "worker/vae/vae.hpp"

namespace ditscale::worker {

/// Images sampled at once. Part of no setting: the noise of a sample does not depend on it.
inline constexpr std::int64_t kSampleBatch = 200;

/// Samples first … first + count - 1 with the given labels (count), and embeddings (count, L, E) where the model is
/// conditioned on them, as bytes on the processor, drawn in batches of at
/// most kSampleBatch. With a `vae` the samples are latents, which it decodes after division by its scaling factor.
/// Throws NotFinite, naming the batch, when a sample or its picture has a NaN or an infinity. `observe` sees each step
/// of each batch.
[[nodiscard]] torch::Tensor sample_images(const Sampler& sampler, std::int64_t first, const torch::Tensor& labels,
                                          const Vae* vae = nullptr, const torch::Tensor& context = {},
                                          const Sampler::Observer& observe = {});

}  // namespace ditscale::worker
