#include "worker/vae/vae.hpp"

#include <algorithm>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "common/error.hpp"
#include "worker/torch.hpp"
#include "worker/vae/exact_convolutions.hpp"

namespace ditscale::worker {

namespace {

constexpr double kMinLogVariance = -30, kMaxLogVariance = 20;

/// `work` on slices of `size` pictures, moved to the device in the layout that convolutions like.
template <typename Work>
torch::Tensor in_slices(const torch::Tensor& batch, std::int64_t size, torch::Device device, const Work& work) {
  const torch::NoGradGuard no_gradients;
  const ExactConvolutions exact;
  std::vector<torch::Tensor> results;
  for (std::int64_t at = 0; at < batch.size(0); at += size) {
    const torch::Tensor slice = batch.narrow(0, at, std::min(size, batch.size(0) - at)).to(device, torch::kFloat32);
    results.push_back(work(slice.contiguous(at::MemoryFormat::ChannelsLast)).contiguous());
  }
  return results.size() == 1 ? results.front() : torch::cat(results);
}

void require_shape(const torch::Tensor& x, const char* what, std::int64_t channels, std::int64_t multiple) {
  const bool fits = x.dim() == 4 && x.is_floating_point() && x.size(0) > 0 && x.size(1) == channels && x.size(2) > 0 &&
                    x.size(3) > 0 && x.size(2) % multiple == 0 && x.size(3) % multiple == 0;
  if (fits) return;
  throw common::ConfigError(
      fmt::format("{} of {} ({}): the VAE takes floating-point numbers (N, {}, height, width), sides divisible by {}",
                  what, at::toString(x.scalar_type()), fmt::join(x.sizes(), ", "), channels, multiple));
}

}  // namespace

Vae::Vae(const VaeWeights& weights, torch::Device device, std::int64_t activation_bytes)
    : config_(weights.config),
      digest_(weights.digest),
      device_(device),
      activation_bytes_(activation_bytes),
      encoder_(weights),
      decoder_(weights) {}

Vae Vae::load(const std::filesystem::path& path, torch::Device device, std::int64_t activation_bytes) {
  return {load_vae_weights(path, device), device, activation_bytes};
}

std::int64_t Vae::slice_size(std::int64_t pixels) const {
  // At its full size the decoder works on the channels of the second level: a residual block's input, its two
  // convolutions with their normalised inputs and the library's scratch. Measured at 512 pixels: 1.5 GiB a picture.
  constexpr std::int64_t kLiveTensors = 6;
  const auto& widths = config_.block_out_channels;
  const std::int64_t widest = widths.size() > 1 ? std::max(widths[0], widths[1]) : widths[0];
  const std::int64_t picture_bytes = kLiveTensors * pixels * widest * static_cast<std::int64_t>(sizeof(float));
  return std::max<std::int64_t>(1, activation_bytes_ / picture_bytes);
}

torch::Tensor Vae::encode_moments(const torch::Tensor& images) const {
  require_shape(images, "images", config_.image_channels, downsampling());
  return in_slices(images, slice_size(images.size(2) * images.size(3)), device_, [&](const torch::Tensor& slice) {
    torch::Tensor moments = encoder_(slice);
    moments.narrow(1, latent_channels(), latent_channels()).clamp_(kMinLogVariance, kMaxLogVariance);
    return moments;
  });
}

torch::Tensor Vae::decode(const torch::Tensor& latents) const {
  require_shape(latents, "latents", latent_channels(), 1);
  const std::int64_t pixels = latents.size(2) * latents.size(3) * downsampling() * downsampling();
  return in_slices(latents, slice_size(pixels), device_, [&](const torch::Tensor& slice) { return decoder_(slice); });
}

torch::Tensor sample_posterior(const torch::Tensor& moments, const torch::Tensor& noise) {
  const auto parts = moments.chunk(2, 1);
  return parts[0] + (0.5 * parts[1]).exp() * noise;
}

}  // namespace ditscale::worker
