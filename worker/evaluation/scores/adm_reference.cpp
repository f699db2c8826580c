#include "worker/evaluation/scores/adm_reference.hpp"

#include <algorithm>
#include <vector>

#include "common/error.hpp"
#include "worker/checkpoint/checkpoint_file.hpp"
#include "worker/data/decode_image.hpp"
#include "worker/storage/npz_file.hpp"

namespace ditscale::worker {

namespace fs = std::filesystem;
using common::ConfigError;
using common::CorruptData;

namespace {

/// Images given to the network at once, fewer where they are large.
constexpr std::int64_t kAdmPiece = 500;
constexpr std::uint64_t kAdmPiece_bytes = std::uint64_t{128} << 20;
constexpr std::uint64_t kMostImage_bytes = 3 * std::uint64_t{kMaxPixels};

std::vector<std::int64_t> shape_of_numbers(const NpzFile& file, const std::string& name, const fs::path& path) {
  if (!file.has(name)) throw CorruptData(fmt::format("{}: array {} is missing", path.string(), name));
  const NpyHeader header = file.header(name);
  if (!at::isFloatingType(header.type))
    throw CorruptData(fmt::format("{}: array {} holds no floating-point numbers", path.string(), name));
  return header.shape;
}

/// Held against each other before memory is taken: a packed file can claim a thousand times its size.
GaussianStats read_adm_statistics(const NpzFile& file, const std::string& mean, const std::string& covariance,
                                  const fs::path& path) {
  const auto mean_shape = shape_of_numbers(file, mean, path);
  const auto covariance_shape = shape_of_numbers(file, covariance, path);
  const std::int64_t width = mean_shape.size() == 1 ? mean_shape[0] : 0;
  if (width < 1 || width > Reference::kMostWidth || covariance_shape != std::vector{width, width})
    throw CorruptData(fmt::format("{}: {} of ({}) and {} of ({}) do not fit: needed are (D) and (D, D), D up to {}",
                                  path.string(), mean, fmt::join(mean_shape, ", "), covariance,
                                  fmt::join(covariance_shape, ", "), Reference::kMostWidth));
  return {0, file.read(mean).to(torch::kDouble), file.read(covariance).to(torch::kDouble)};
}

torch::Tensor adm_features(const NpzFile& file, const FeatureNetwork& network, const fs::path& path) {
  const NpyHeader header = file.header("arr_0");
  const bool colour = header.type == at::kByte && header.shape.size() == 4 && header.shape[3] == 3;
  const bool sized = colour && header.num_bytes > 0 &&
                     header.num_bytes / static_cast<std::uint64_t>(header.shape[0]) <= kMostImage_bytes;
  if (!sized)
    throw CorruptData(
        fmt::format("{}: arr_0 is no set of images: {} of ({}) where uint8 of (N, H, W, 3) is needed, up to {} pixels",
                    path.string(), at::toString(header.type), fmt::join(header.shape, ", "), kMaxPixels));
  NpzRows images(path, "arr_0");
  const std::uint64_t image_bytes = header.num_bytes / static_cast<std::uint64_t>(header.shape[0]);
  const auto piece_size =
      std::clamp<std::int64_t>(static_cast<std::int64_t>(kAdmPiece_bytes / image_bytes), 1, kAdmPiece);
  const std::int64_t count = std::min(header.shape[0], Reference::kKeptFeatures);
  std::vector<torch::Tensor> features;
  for (std::int64_t begin = 0; begin < count; begin += piece_size) {
    const torch::Tensor piece = images.rows(begin, std::min(begin + piece_size, count));
    features.push_back(network.features(piece.permute({0, 3, 1, 2}).contiguous()));
  }
  return at::cat(features, 0);
}

}  // namespace

Reference read_adm_reference(const fs::path& path, const FeatureNetwork* network, bool keeps_features) {
  if (network != nullptr && network->name() != kAdmNetwork)
    throw ConfigError(fmt::format("reference {}: was made with the features of {}, not of {}", path.string(),
                                  kAdmNetwork, network->name()));
  const NpzFile file = NpzFile::open(path);
  ReferenceContent content;
  content.name = path.stem().string();
  content.network = kAdmNetwork;
  content.file_digest = file_digest(path);
  content.pooled = read_adm_statistics(file, "mu", "sigma", path);
  if (file.has("mu_s")) content.spatial = read_adm_statistics(file, "mu_s", "sigma_s", path);
  if (network != nullptr) {
    const std::int64_t width = content.pooled.mean.numel();
    if (width != network->width())
      throw ConfigError(fmt::format("reference {}: has features of width {}, {} gives {}", path.string(), width,
                                    network->name(), network->width()));
  }
  if (network != nullptr && keeps_features) {
    if (!file.has("arr_0"))
      throw ConfigError(
          fmt::format("reference {}: has no images (arr_0), which precision, recall and kid need", path.string()));
    content.features = adm_features(file, *network, path);
  }
  return {std::move(content), path.string()};
}

}  // namespace ditscale::worker
