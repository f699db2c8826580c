#include "worker/data/array_source.hpp"

#include <utility>

#include "common/error.hpp"
#include "common/hash.hpp"
#include "worker/data/decode_image.hpp"
#include "worker/data/idx_file.hpp"

namespace ditscale::worker {

namespace fs = std::filesystem;

namespace {

/// Images (N, H, W, C) uint8, C being 1 or 3.
class ArraySource final : public ImageSource {
 public:
  ArraySource(std::string file, torch::Tensor images) : file_(std::move(file)), images_(std::move(images)) {}

  [[nodiscard]] std::string name(std::int64_t index) const override {
    return fmt::format("image {} of {}", index, file_);
  }

  [[nodiscard]] Picture picture(std::int64_t index) const override {
    const std::int64_t channels = images_.size(3);
    Picture result(images_.size(2), images_.size(1));
    const std::int64_t num_pixels = result.width * result.height;
    const std::uint8_t* from = images_.const_data_ptr<std::uint8_t>() + index * num_pixels * channels;
    std::uint8_t* out = result.bytes.get();
    for (std::int64_t i = 0; i < num_pixels; ++i, from += channels, out += kPixel_bytes) {
      for (std::int64_t c = 0; c < 3; ++c) out[c] = from[channels == 3 ? c : 0];
      out[3] = 0xFF;
    }
    return result;
  }

 private:
  std::string file_;
  torch::Tensor images_;
};

torch::Tensor read_images(const fs::path& path) { return read_idx_array(path, 3).unsqueeze(3); }

/// The file that the makers of MNIST-like sets put beside the images, or nothing.
fs::path neighbour_of(const fs::path& images) {
  std::string name = images.filename().string();
  const std::string from = "images-idx3", to = "labels-idx1";
  const std::size_t at = name.find(from);
  if (at == std::string::npos) return {};
  const fs::path labels = images.parent_path() / name.replace(at, from.size(), to);
  return fs::exists(labels) ? labels : fs::path();
}

std::string content_digest_of(const torch::Tensor& tensor) {
  return common::hash_hex128({static_cast<const char*>(tensor.const_data_ptr()), tensor.nbytes()});
}

/// The list of images (N, H, W, C) and labels, which may be undefined.
SourceList list_arrays(const torch::Tensor& images, const torch::Tensor& labels, const std::string& label_file) {
  SourceList list;
  list.num_images = images.size(0);
  list.channels = images.size(3);
  if (images.size(1) == images.size(2)) list.side = images.size(1);
  list.digest = content_digest_of(images);
  check_picture_size(images.size(2), images.size(1));
  if (!labels.defined()) return list;
  if (labels.size(0) != list.num_images)
    throw common::CorruptData(fmt::format("{}: {} labels for {} images", label_file, labels.size(0), list.num_images));
  const torch::Tensor numbers = labels.to(torch::kLong).contiguous();
  list.labels.assign(numbers.const_data_ptr<std::int64_t>(), numbers.const_data_ptr<std::int64_t>() + list.num_images);
  for (std::int64_t c = 0; c <= numbers.max().item<std::int64_t>(); ++c) list.class_names.push_back(std::to_string(c));
  list.digest = common::hash_hex128(list.digest + content_digest_of(numbers));
  return list;
}

}  // namespace

SourceList list_idx(const fs::path& source, fs::path labels) {
  if (labels.empty()) labels = neighbour_of(source);
  const torch::Tensor numbers = labels.empty() ? torch::Tensor() : read_idx_array(labels, 1);
  SourceList list = list_arrays(read_images(source), numbers, labels.string());
  list.kind = SourceKind::kIdx;
  return list;
}

std::unique_ptr<ImageSource> open_idx(const fs::path& source) {
  return std::make_unique<ArraySource>(source.string(), read_images(source));
}

}  // namespace ditscale::worker
