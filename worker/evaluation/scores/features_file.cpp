#include "worker/evaluation/scores/features_file.hpp"

#include <utility>
#include <vector>

#include "common/error.hpp"
#include "worker/storage/npz_file.hpp"

namespace ditscale::worker {

namespace fs = std::filesystem;
using common::CorruptData;

namespace {

/// Undefined where the file has none.
torch::Tensor read_part(const NpzFile& file, const std::string& name, std::int64_t num_images, const fs::path& path) {
  if (!file.has(name)) return {};
  const NpyHeader header = file.header(name);
  const bool fits = header.shape.size() == 2 && header.shape[0] > 0 && header.shape[1] > 0 &&
                    header.shape[1] <= Reference::kMostWidth && at::isFloatingType(header.type) &&
                    (num_images == 0 || header.shape[0] == num_images);
  if (!fits)
    throw CorruptData(
        fmt::format("{}: array {} is {} of ({}) where floating-point numbers of ({}, width up to "
                    "{}) are needed",
                    path.string(), name, at::toString(header.type), fmt::join(header.shape, ", "),
                    num_images == 0 ? "images" : std::to_string(num_images), Reference::kMostWidth));
  torch::Tensor values = file.read(name);
  if (!values.isfinite().all().item<bool>())
    throw CorruptData(fmt::format("{}: array {} holds a NaN or an infinity", path.string(), name));
  return values;
}

/// A text as bytes; empty where there is none.
std::string read_text(const NpzFile& file, const char* name, const fs::path& path) {
  if (!file.has(name)) return {};
  const NpyHeader header = file.header(name);
  if (header.type != at::kByte || header.shape.size() != 1 || header.num_bytes > 1000)
    throw CorruptData(fmt::format("{}: array {} is no short text in bytes", path.string(), name));
  const torch::Tensor bytes = file.read(name);
  return {static_cast<const char*>(bytes.const_data_ptr()), bytes.nbytes()};
}

/// ASCII as uint8: npz files of numbers have no texts that can be read without pickle.
torch::Tensor bytes_of(const std::string& text) {
  return torch::tensor(std::vector<std::uint8_t>(text.begin(), text.end()), torch::kByte);
}

GaussianStats statistics_of(const torch::Tensor& features) {
  GaussianAccumulator sums(features.size(1));
  sums.add(features);
  return sums.stats();
}

}  // namespace

FeatureWidths FeatureSet::widths() const {
  const auto width = [](const torch::Tensor& part) { return part.defined() ? part.size(1) : 0; };
  return {width(features.pooled), width(features.spatial), width(features.logits)};
}

void write_features(const fs::path& path, const FeatureSet& set) {
  std::vector<std::pair<std::string, torch::Tensor>> arrays{{"pooled", set.features.pooled}};
  if (set.features.spatial.defined()) arrays.emplace_back("spatial", set.features.spatial);
  if (set.features.logits.defined()) arrays.emplace_back("logits", set.features.logits);
  if (!set.network.empty()) arrays.emplace_back("network", bytes_of(set.network));
  if (!set.digest.empty()) arrays.emplace_back("digest", bytes_of(set.digest));
  write_npz(path, arrays);
}

FeatureSet read_features(const fs::path& path) {
  const NpzFile file = NpzFile::open(path);
  FeatureSet set;
  set.features.pooled = read_part(file, "pooled", 0, path);
  if (!set.features.pooled.defined()) throw CorruptData(fmt::format("{}: array pooled is missing", path.string()));
  set.features.spatial = read_part(file, "spatial", set.num_images(), path);
  set.features.logits = read_part(file, "logits", set.num_images(), path);
  set.network = read_text(file, "network", path);
  set.digest = read_text(file, "digest", path);
  return set;
}

Reference reference_of(const FeatureSet& set, const std::string& name) {
  if (set.num_images() < 2)
    throw common::ConfigError(fmt::format("reference {}: a covariance needs two images, there is one", name));
  ReferenceContent content;
  content.name = name;
  content.network = set.network;
  content.network_digest = set.digest;
  content.num_images = set.num_images();
  content.pooled = statistics_of(set.features.pooled);
  if (set.features.spatial.defined()) content.spatial = statistics_of(set.features.spatial);
  content.features = set.features.pooled.to(torch::kFloat);
  return {std::move(content), name};
}

}  // namespace ditscale::worker
