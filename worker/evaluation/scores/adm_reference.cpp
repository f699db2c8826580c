#include "worker/evaluation/scores/adm_reference.hpp"

#include <algorithm>

#include "common/error.hpp"
#include "worker/checkpoint/checkpoint_file.hpp"
#include "worker/storage/npz_file.hpp"

namespace ditscale::worker {

namespace fs = std::filesystem;
using common::ConfigError;
using common::CorruptData;

namespace {

/// Images given to the network at once.
constexpr std::int64_t kAdmPiece = 500;

torch::Tensor read_adm_numbers(const NpzFile& file, const std::string& name, const fs::path& path) {
  if (!file.has(name)) throw CorruptData(fmt::format("{}: array {} is missing", path.string(), name));
  if (!at::isFloatingType(file.header(name).type))
    throw CorruptData(fmt::format("{}: array {} holds no floating-point numbers", path.string(), name));
  return file.read(name).to(torch::kDouble);
}

torch::Tensor adm_features(const NpzFile& file, const FeatureNetwork& network, const fs::path& path) {
  const NpyHeader header = file.header("arr_0");
  const bool colour = header.type == at::kByte && header.shape.size() == 4 && header.shape[3] == 3;
  if (!colour || header.shape[0] == 0)
    throw CorruptData(fmt::format("{}: arr_0 is no set of images: {} of ({}) where uint8 of (N, H, W, 3) is needed",
                                  path.string(), at::toString(header.type), fmt::join(header.shape, ", ")));
  torch::Tensor images = file.read("arr_0");
  images = images.slice(0, 0, Reference::kKeptFeatures);
  std::vector<torch::Tensor> features;
  for (std::int64_t begin = 0; begin < images.size(0); begin += kAdmPiece) {
    const torch::Tensor piece = images.slice(0, begin, begin + kAdmPiece).permute({0, 3, 1, 2}).contiguous();
    features.push_back(network.features(piece));
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
  content.pooled = {0, read_adm_numbers(file, "mu", path), read_adm_numbers(file, "sigma", path)};
  if (file.has("mu_s"))
    content.spatial = GaussianStats{0, read_adm_numbers(file, "mu_s", path), read_adm_numbers(file, "sigma_s", path)};
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
