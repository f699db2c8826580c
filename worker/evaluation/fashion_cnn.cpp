#include "worker/evaluation/fashion_cnn.hpp"

#include <algorithm>
#include <vector>

#include "common/error.hpp"
#include "common/hash.hpp"
#include "worker/evaluation/fashion_cnn_weights.hpp"
#include "worker/storage/hdf5_file.hpp"

namespace ditscale::worker {

namespace {

/// Images whose activations are held at once (50 kB each).
constexpr std::int64_t kBatchImages = 250;

}  // namespace

FashionCnn::FashionCnn() {
  const std::span<const std::byte> bytes = fashion_cnn_weights();
  digest_ = common::hash_hex128({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  const Hdf5File file = Hdf5File::open_image(bytes, "the embedded fashion_cnn.h5");
  const auto parameters = model_.parameters();
  const auto layout = FashionCnnModel::layout();
  for (std::size_t i = 0; i < layout.size(); ++i)
    *parameters[i] = file.read(layout[i].first, torch::kFloat, layout[i].second);
  metadata_ = file.read_text("metadata");
}

ImageFeatures FashionCnn::extract(const torch::Tensor& images, FeatureParts parts) const {
  constexpr std::int64_t kSide = FashionCnnModel::kImageSide;
  const bool fits =
      images.dim() == 4 && images.sizes().slice(1).equals({1, kSide, kSide}) && images.scalar_type() == torch::kByte;
  if (!fits)
    throw common::ConfigError(fmt::format("features {}: needs uint8 images of ({}, {}, {}), got {} of ({})", kName, 1,
                                          kSide, kSide, at::toString(images.scalar_type()),
                                          fmt::join(images.sizes(), ", ")));
  check_has(*this, parts);
  const at::NoGradGuard no_gradients;
  ImageFeatures result{torch::empty({images.size(0), width()}), {}, {}};
  for (std::int64_t begin = 0; begin < images.size(0); begin += kBatchImages) {
    const std::int64_t end = std::min(begin + kBatchImages, images.size(0));
    const torch::Tensor batch = FashionCnnModel::normalise(images.slice(0, begin, end).cpu());
    result.pooled.slice(0, begin, end).copy_(model_.features(model_.pooled(batch)));
  }
  if (parts.logits) result.logits = logits(result.pooled);
  return result;
}

torch::Tensor FashionCnn::logits(const torch::Tensor& features) const {
  const at::NoGradGuard no_gradients;
  return model_.logits(features);
}

}  // namespace ditscale::worker
