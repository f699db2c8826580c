#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "sweeps/spec/choices.hpp"

namespace ditscale::sweeps {

/// What the stored numbers are: pixels, or the VAE's latents, an eighth of the image's side.
enum class DataSpace { kPixels, kLatents };
template <>
struct Choices<DataSpace> {
  static constexpr std::array<std::pair<DataSpace, std::string_view>, 2> kAll{
      {{DataSpace::kPixels, "pixels"}, {DataSpace::kLatents, "latents"}}};
};

/// The images of a trial.
struct DataSpec {
  /// "fashion_mnist": 28 x 28 grey images in IDX files (Debian's dataset-fashion-mnist).
  /// "imagenet_latents": the paper's latents, in a store.
  /// "store": any store that `worker prepare` made; the fields below "flip" say what is in it.
  std::string name = "fashion_mnist";
  /// Folder of the files, or the store's file; empty means the place where the data's package puts them. Does not
  /// change the identity.
  std::string root;
  /// Side of the original image in pixels: 28 for Fashion-MNIST; 256 or 512 for ImageNet's latents.
  std::int64_t image_size = 28;
  /// Random horizontal flips in training (paper, section 4).
  bool flip = true;

  /// What `worker prepare` printed of a store, so that a sweep can be planned without opening it; the trainer holds the
  /// store against it. For the named data sets these are known and cannot be set.
  DataSpace space = DataSpace::kPixels;
  std::int64_t channels = 1;
  /// 0: no labels.
  std::int64_t num_classes = 10;
  /// Training images.
  std::int64_t num_images = 60'000;
  /// Of the store's content: tells stores of equal sizes apart.
  std::string digest;
  /// Length and width of each image's embedding sequence; 0: none.
  std::int64_t context_tokens = 0;
  std::int64_t context_width = 0;

  [[nodiscard]] bool is_store() const { return name == "store"; }

  bool operator==(const DataSpec&) const = default;
};

}  // namespace ditscale::sweeps
