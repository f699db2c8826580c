#include "worker/data/image_set.hpp"

#include <cstdint>
#include <filesystem>
#include <string_view>

#include <spdlog/spdlog.h>

#include "common/error.hpp"
#include "common/hash.hpp"
#include "sweeps/spec/data_sets.hpp"
#include "worker/data/idx_file.hpp"
#include "worker/data/store_set.hpp"

namespace ditscale::worker {

namespace fs = std::filesystem;

namespace {

constexpr std::int64_t kFashionTestImages = 10'000;
constexpr char kAdvice[] =
    "install the Debian package dataset-fashion-mnist, or set data.root to a folder with its four IDX files";

fs::path find_file(const fs::path& root, const std::string& name) {
  for (const fs::path& candidate : {root / (name + ".gz"), root / name}) {
    if (fs::exists(candidate)) return candidate;
  }
  throw common::SystemError(fmt::format("{}: neither {}.gz nor {} is there; {}", root.string(), name, name, kAdvice));
}

torch::Tensor read_file(const fs::path& path, const IdxExpectation& expected) {
  try {
    return read_idx(path, expected);
  } catch (const common::CorruptData& error) {
    throw common::CorruptData(fmt::format("{}; {}", error.what(), kAdvice));
  }
}

void check_labels(const torch::Tensor& labels, std::int64_t num_images, std::int64_t num_classes,
                  const fs::path& path) {
  if (labels.size(0) != num_images)
    throw common::CorruptData(
        fmt::format("{}: {} labels for {} images; {}", path.string(), labels.size(0), num_images, kAdvice));
  const std::int64_t largest = labels.max().item<std::int64_t>();
  if (largest >= num_classes)
    throw common::CorruptData(
        fmt::format("{}: label {}, the largest is {}; {}", path.string(), largest, num_classes - 1, kAdvice));
}

std::string digest_of(const torch::Tensor& bytes) {
  return common::hash_hex128({static_cast<const char*>(bytes.const_data_ptr()), bytes.nbytes()});
}

ImageSet load_fashion_mnist(const fs::path& root, const sweeps::DataSetFacts& facts, Split split) {
  const std::string prefix = split == Split::kTrain ? "train" : "t10k";
  const std::int64_t num_images = split == Split::kTrain ? facts.num_images : kFashionTestImages;
  const std::int64_t side = facts.image_sizes.front();
  const fs::path image_file = find_file(root, prefix + "-images-idx3-ubyte");
  const fs::path label_file = find_file(root, prefix + "-labels-idx1-ubyte");
  const torch::Tensor images = read_file(image_file, {num_images, {side, side}});
  const torch::Tensor labels = read_file(label_file, {num_images, {}});
  check_labels(labels, images.size(0), facts.num_classes, label_file);
  if (images.size(0) < num_images)
    spdlog::warn("{} holds {} images, the whole data set has {}", image_file.string(), images.size(0), num_images);
  return {images.unsqueeze(1), labels.to(torch::kLong), common::hash_hex128(digest_of(images) + digest_of(labels))};
}

}  // namespace

ImageSet load_image_set(const sweeps::DataSpec& data, Split split, std::size_t held_in_memory_bytes) {
  if (data.name == "fashion_mnist") {
    const sweeps::DataSetFacts& facts = sweeps::data_set(data.name);
    return load_fashion_mnist(data.root.empty() ? facts.default_root : data.root, facts, split);
  }
  if (split == Split::kTest)
    throw common::ConfigError(fmt::format("data.name {}: a store holds training images alone", data.name));
  return load_store_set(data, held_in_memory_bytes);
}

}  // namespace ditscale::worker
