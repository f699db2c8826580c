#include "worker/evaluation/sample_images.hpp"

#include <algorithm>
#include <vector>

#include <fmt/format.h>

#include "worker/evaluation/gaussian_stats.hpp"

namespace ditscale::worker {

torch::Tensor sample_images(const Sampler& sampler, std::int64_t first, const torch::Tensor& labels, const Vae* vae,
                            const torch::Tensor& context, const Sampler::Observer& observe) {
  std::vector<torch::Tensor> batches;
  for (std::int64_t at = 0; at < labels.size(0); at += kSampleBatch) {
    const std::int64_t count = std::min(kSampleBatch, labels.size(0) - at);
    const torch::Tensor shown = context.defined() ? context.narrow(0, at, count) : context;
    const torch::Tensor samples = sampler.sample(first + at, labels.narrow(0, at, count), shown, observe);
    if (!torch::isfinite(samples).all().item<bool>()) {
      throw NotFinite(
          fmt::format("samples {} to {} have values that are not finite", first + at, first + at + count - 1));
    }
    const torch::Tensor pictures = vae == nullptr ? samples : vae->decode(samples / vae->scaling_factor());
    batches.push_back(to_bytes(pictures).to(torch::kCPU));
  }
  return torch::cat(batches);
}

}  // namespace ditscale::worker
