#include "worker/evaluation/sample_images.hpp"

#include <algorithm>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "worker/evaluation/gaussian_stats.hpp"

namespace ditscale::worker {

namespace {

void check_finite(const torch::Tensor& x, std::string_view what, std::int64_t first) {
  if (torch::isfinite(x).all().item<bool>()) return;
  throw NotFinite(fmt::format("{} {} to {} have values that are not finite", what, first, first + x.size(0) - 1));
}

}  // namespace

torch::Tensor sample_images(const Sampler& sampler, std::int64_t first, const torch::Tensor& labels, const Vae* vae,
                            const torch::Tensor& context, const Sampler::Observer& observe) {
  std::vector<torch::Tensor> batches;
  for (std::int64_t at = 0; at < labels.size(0); at += kSampleBatch) {
    const std::int64_t count = std::min(kSampleBatch, labels.size(0) - at);
    const torch::Tensor shown = context.defined() ? context.narrow(0, at, count) : context;
    const torch::Tensor samples = sampler.sample(first + at, labels.narrow(0, at, count), shown, observe);
    check_finite(samples, "samples", first + at);
    torch::Tensor pictures = samples;
    if (vae != nullptr) {
      pictures = vae->decode(samples / vae->scaling_factor());
      check_finite(pictures, "the pictures decoded of samples", first + at);
    }
    batches.push_back(to_bytes(pictures).to(torch::kCPU));
  }
  return torch::cat(batches);
}

}  // namespace ditscale::worker
