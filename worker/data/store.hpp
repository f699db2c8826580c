#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include <torch/types.h>

#include "common/json_document.hpp"
#include "worker/storage/row_file.hpp"

namespace ditscale::worker {

/// What the header of a store says of its content (docs/formats.md). Everything but source, plan and digest is part of
/// the digest.
struct StoreFacts {
  /// Latents: rows are `moments`, mean and standard deviation of the VAE's posterior; else `images`.
  bool latents = false;
  /// Side of the cropped image in pixels.
  std::int64_t image_size = 0;
  /// Of a pixel, or of a latent (half of what a row of moments has).
  std::int64_t channels = 0;
  /// Side of a row: image_size, or the latent's.
  std::int64_t side = 0;
  /// 0: no labels, all are 0.
  std::int64_t num_classes = 0;
  std::int64_t num_images = 0;
  /// 2 for latents of the image and of its mirror image, else 1: mirrored when it is read.
  std::int64_t flips = 1;
  /// float16 or float32 for moments, uint8 for pixels.
  at::ScalarType type = at::kByte;
  /// Embeddings of each image; 0: none.
  std::int64_t context_tokens = 0;
  std::int64_t context_width = 0;
  at::ScalarType context_type = at::kHalf;
  /// Of latents: the VAE's file, and what a sample is multiplied with before it is trained on.
  std::string vae_digest;
  double scaling_factor = 1.0;

  /// Where the images came from, for people.
  std::string source;
  /// Which preparation made it: tells a command given again from another one.
  std::string plan;
  std::string digest;

  /// "images" or "moments".
  [[nodiscard]] std::string row_name() const { return latents ? "moments" : "images"; }
  [[nodiscard]] std::vector<std::int64_t> row_shape() const;
  [[nodiscard]] bool has_context() const { return context_tokens > 0; }

  bool operator==(const StoreFacts&) const = default;
};

/// A new file at `path` with header, class names and labels; rows, their hashes and the digest are to be written in
/// place. Takes all its space on the disk at once, so that a full disk shows here. On the disk when this returns.
void create_store(const std::filesystem::path& path, const StoreFacts& facts,
                  const std::vector<std::string>& class_names, const torch::Tensor& labels);

/// XXH3, 64 bits, of a row; with an embedding, of the hashes of both.
[[nodiscard]] std::int64_t hash_of_row(std::span<const std::byte> row, std::span<const std::byte> embedding = {});

/// Writes the digest of a store whose rows and hashes are all there, and syncs it: from now on it can be opened.
/// Returns the digest.
std::string finish_store(const std::filesystem::path& path);

/// A finished store. Opening checks that the header is sound and every array has the type, shape and bytes it needs,
/// and that digest, header, labels and row hashes belong together; rows are checked against their hashes as they are
/// read. Throws CorruptData or SystemError, naming the file. Any thread may read.
class Store {
 public:
  explicit Store(const std::filesystem::path& path);

  [[nodiscard]] const StoreFacts& facts() const { return facts_; }
  [[nodiscard]] const std::vector<std::string>& class_names() const { return class_names_; }
  [[nodiscard]] const torch::Tensor& labels() const { return labels_; }  // (N) int64
  [[nodiscard]] std::size_t row_bytes() const { return rows_.row_bytes(); }
  [[nodiscard]] std::size_t context_bytes() const { return facts_.has_context() ? context_.front().row_bytes() : 0; }

  /// Reads a row of images or moments, and its embedding where `context` is not empty (its size is context_bytes()).
  void read(std::int64_t row, std::span<std::byte> out, std::span<std::byte> context) const;
  /// Rows first … first + count - 1, (count, row shape…).
  [[nodiscard]] torch::Tensor rows(std::int64_t first, std::int64_t count) const;
  void will_need(std::int64_t row) const noexcept;

  /// Reads everything once and compares it with its hashes.
  void verify() const;

 private:
  std::filesystem::path path_;
  StoreFacts facts_;
  std::vector<std::string> class_names_;
  torch::Tensor labels_, hashes_;
  RowFile rows_;
  /// One, or none.
  std::vector<RowFile> context_;
};

/// The "data" object of a sweep file that names this store.
[[nodiscard]] common::Json data_object(const std::filesystem::path& path, const StoreFacts& facts);

}  // namespace ditscale::worker
