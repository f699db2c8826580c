#include "worker/data/array_source.hpp"

#include <algorithm>
#include <utility>

#include "common/error.hpp"
#include "common/hash.hpp"
#include "worker/data/decode_image.hpp"
#include "worker/data/idx_file.hpp"
#include "worker/storage/npz_file.hpp"

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

/// The first of `names` that the file has, or empty.
std::string first_of(const NpzFile& file, const std::vector<std::string>& names) {
  const auto found = std::find_if(names.begin(), names.end(), [&](const std::string& name) { return file.has(name); });
  return found == names.end() ? "" : *found;
}

/// (N, H, W, C).
torch::Tensor read_npz_images(const fs::path& path) {
  const NpzFile file = NpzFile::open(path);
  const std::string name = first_of(file, {"images", "arr_0"});
  if (name.empty())
    throw common::UsageError(
        fmt::format("{}: it has neither images nor arr_0, but {}", path.string(), fmt::join(file.names(), ", ")));
  const NpyHeader header = file.header(name);
  const auto& shape = header.shape;
  const bool grey = shape.size() == 3, colour = shape.size() == 4 && (shape[3] == 1 || shape[3] == 3);
  if (header.type != at::kByte || !(grey || colour) || header.num_bytes == 0)
    throw common::UsageError(
        fmt::format("{}: {} is {} of shape ({}); needed is uint8 (N, H, W), (N, H, W, 1) or (N, H, "
                    "W, 3)",
                    path.string(), name, at::toString(header.type), fmt::join(shape, ", ")));
  const torch::Tensor images = file.read(name);
  return grey ? images.unsqueeze(3) : images;
}

/// Undefined when there are none.
torch::Tensor read_npz_labels(const fs::path& path) {
  constexpr std::int64_t kMaxClasses = 1 << 24;
  const NpzFile file = NpzFile::open(path);
  const std::string name = first_of(file, {"labels", "arr_1"});
  if (name.empty()) return {};
  const torch::Tensor labels = file.read(name);
  const bool whole = at::isIntegralType(labels.scalar_type(), /*includeBool=*/false);
  if (labels.dim() != 1 || !whole || labels.numel() == 0 || labels.min().item<std::int64_t>() < 0 ||
      labels.max().item<std::int64_t>() >= kMaxClasses)
    throw common::UsageError(
        fmt::format("{}: {} is {} of shape ({}); needed are whole numbers from 0, one for each image", path.string(),
                    name, at::toString(labels.scalar_type()), fmt::join(labels.sizes(), ", ")));
  return labels;
}

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

SourceList list_npz(const fs::path& source) {
  SourceList list = list_arrays(read_npz_images(source), read_npz_labels(source), source.string());
  list.kind = SourceKind::kNpz;
  return list;
}

std::unique_ptr<ImageSource> open_npz(const fs::path& source) {
  return std::make_unique<ArraySource>(source.string(), read_npz_images(source));
}

}  // namespace ditscale::worker
