#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include <torch/types.h>

namespace ditscale::worker {

/// Shape of every image of a set.
struct ImageShape {
  std::int64_t channels = 0;
  std::int64_t height = 0;
  std::int64_t width = 0;

  bool operator==(const ImageShape&) const = default;
};

/// Images to be scored or described, all of one shape and in a fixed order, wherever they lie. Memory holds a piece at
/// a time, but for IDX files, which are small.
class ImageInput {
 public:
  virtual ~ImageInput() = default;

  /// What people call the set: its path.
  [[nodiscard]] const std::string& source() const { return source_; }
  [[nodiscard]] std::int64_t num_images() const { return num_images_; }
  [[nodiscard]] const ImageShape& shape() const { return shape_; }
  /// Images of a piece of about 64 MiB, at most 256.
  [[nodiscard]] std::int64_t piece_size() const;
  /// Images begin … end - 1 (or the last), (n, C, H, W) uint8. Any order; rising is fastest. Throws ConfigError for an
  /// image of another shape than the first's, CorruptData for a damaged one, each naming it.
  [[nodiscard]] torch::Tensor piece(std::int64_t begin, std::int64_t end);

 protected:
  ImageInput(std::string source, std::int64_t num_images, const ImageShape& shape);

 private:
  [[nodiscard]] virtual torch::Tensor read(std::int64_t begin, std::int64_t end) = 0;

  std::string source_;
  std::int64_t num_images_;
  ImageShape shape_;
};

/// Opens
/// - a folder of .jpg, .jpeg and .png files, also in folders below it, ordered by the bytes of their paths (a folder
///   before its neighbours' content, as `worker prepare --list` prints them); always three channels, a grey file having
///   three equal ones, as Pillow's convert("RGB"); decoded by `num_threads` threads;
/// - an npz file with `arr_0` or `images`: uint8 (N, H, W, C), C being 1 or 3, or (N, H, W);
/// - an IDX file of grey images, plain or gzip;
/// - a store of pixels (`worker prepare`).
/// Throws UsageError for an empty folder and for what is none of these, ConfigError for a store of latents, CorruptData
/// or SystemError for files that cannot be read.
[[nodiscard]] std::unique_ptr<ImageInput> open_image_input(const std::filesystem::path& source, int num_threads);

}  // namespace ditscale::worker
