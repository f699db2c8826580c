#include "worker/evaluation/inception/inception.hpp"

#include <algorithm>

#include "common/error.hpp"
#include "worker/evaluation/inception/tf1_resize.hpp"
#include "worker/torch.hpp"
#include "worker/vae/exact_convolutions.hpp"

namespace ditscale::worker {

namespace {

constexpr std::int64_t kSide_px = 299;
/// Images at once: on a processor what stays near its caches, on a GPU what fills it (9 MB of activations each).
constexpr std::int64_t kProcessorBatch = 8, kGpuBatch = 64;

void require_colour(const torch::Tensor& images) {
  const bool fits = images.dim() == 4 && images.scalar_type() == torch::kByte && images.size(1) == 3 &&
                    images.size(2) > 0 && images.size(3) > 0;
  if (fits) return;
  const bool grey = images.dim() == 4 && images.size(1) == 1;
  throw common::ConfigError(fmt::format("features {}: needs uint8 colour images (N, 3, H, W), got {} of ({}){}",
                                        Inception::kName, at::toString(images.scalar_type()),
                                        fmt::join(images.sizes(), ", "),
                                        grey ? ": the network was trained on colour, grey images are not scored" : ""));
}

}  // namespace

Inception::Inception(const std::filesystem::path& file, torch::Device device)
    : graph_(load_inception_weights(file, device)), device_(device) {}

ImageFeatures Inception::extract(const torch::Tensor& images, FeatureParts parts) const {
  require_colour(images);
  const torch::NoGradGuard no_gradients;
  const ExactConvolutions exact;
  const std::int64_t count = images.size(0);
  ImageFeatures result{torch::empty({count, width()}), {}, {}};
  if (parts.spatial) result.spatial = torch::empty({count, spatial_width()});
  if (parts.logits) result.logits = torch::empty({count, num_classes()});
  const std::int64_t batch = device_.is_cpu() ? kProcessorBatch : kGpuBatch;
  for (std::int64_t begin = 0; begin < count; begin += batch) {
    const std::int64_t end = std::min(begin + batch, count);
    const torch::Tensor bytes = images.slice(0, begin, end).to(device_);
    const torch::Tensor scaled = (resize_as_tf1(bytes.to(torch::kFloat32), kSide_px) - 128) / 128;
    const InceptionGraph::Maps maps = graph_(scaled.contiguous(at::MemoryFormat::ChannelsLast));
    result.pooled.slice(0, begin, end).copy_(maps.pooled);
    if (parts.spatial)
      result.spatial.slice(0, begin, end)
          .copy_(maps.spatial.narrow(1, 0, kSpatialChannels).permute({0, 2, 3, 1}).flatten(1));
    if (parts.logits) result.logits.slice(0, begin, end).copy_(maps.pooled.matmul(graph_.weights().classes.t()));
  }
  return result;
}

}  // namespace ditscale::worker
