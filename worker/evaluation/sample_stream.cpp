#include "worker/evaluation/sample_stream.hpp"

#include <algorithm>
#include <limits>

#include <fmt/format.h>

#include "worker/distributed/gather_rows.hpp"
#include "worker/evaluation/gaussian_stats.hpp"

namespace ditscale::worker {

torch::Tensor SampleStream::images(std::int64_t first, std::int64_t count) {
  const torch::Tensor labels = parts_.sampler.labels(parts_.settings.labels, first, count);
  const torch::Tensor drawn =
      sample_images(parts_.sampler, first, labels, parts_.decoder, parts_.context(first, count));
  num_drawn_ += count;
  return drawn;
}

ImageFeatures SampleStream::mine(std::int64_t first, const Observer& observe) {
  const std::int64_t count = std::clamp<std::int64_t>(parts_.settings.num_samples - first, 0, kSampleBatch);
  if (count == 0) return {};
  try {
    const torch::Tensor drawn = images(first, count);
    observe(first, drawn);
    return parts_.network == nullptr ? ImageFeatures{} : parts_.network->extract(drawn, parts_.wanted);
  } catch (const NotFinite&) {
    if (communicator_.size() == 1) throw;
    // The other ranks wait for rows: they, and this one, find these.
    const auto nothing = [&](std::int64_t width) {
      return torch::full({count, width}, std::numeric_limits<float>::quiet_NaN());
    };
    const FeatureNetwork* network = parts_.network;
    if (network == nullptr) return {nothing(1), {}, {}};
    return {nothing(network->width()), nothing(network->spatial_width()), nothing(network->num_classes())};
  }
}

torch::Tensor SampleStream::gathered(const torch::Tensor& rows, std::int64_t width, std::int64_t count) {
  torch::Tensor whole = torch::zeros({kSampleBatch, width});
  if (rows.defined()) whole.narrow(0, 0, rows.size(0)).copy_(rows);
  return gather_rows(communicator_, whole, device_).narrow(0, 0, count);
}

ImageFeatures SampleStream::next(std::int64_t first, const Observer& observe) {
  const ImageFeatures own = mine(first + communicator_.rank() * kSampleBatch, observe);
  const std::int64_t count = std::min(stride(), parts_.settings.num_samples - first);
  const FeatureNetwork* network = parts_.network;
  // Without a network one column says whether the samples are finite.
  ImageFeatures all{gathered(own.pooled, network == nullptr ? 1 : network->width(), count), {}, {}};
  if (!all.pooled.isfinite().all().item<bool>()) {
    throw NotFinite(
        fmt::format("of samples {} to {} some, or their features, are not finite", first, first + count - 1));
  }
  if (network == nullptr) return all;
  if (parts_.wanted.spatial) all.spatial = gathered(own.spatial, network->spatial_width(), count);
  if (parts_.wanted.logits) all.logits = gathered(own.logits, network->num_classes(), count);
  return all;
}

}  // namespace ditscale::worker
