#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "sweeps/spec/trial_spec.hpp"
#include "worker/data/image_set.hpp"

namespace ditscale::worker {

/// Turns rows of an image set into what a model trains on: pixels in [-1, 1], mirrored or not; or latents, sampled from
/// the stored posterior of the image or of its mirror image and scaled (0.18215 times (mean + deviation times noise)
/// for the VAE of the paper). What is random about image `global` of a study comes from counters keyed by (seed,
/// purpose, global). Any thread may call; throws what Store::read throws.
class ImageRows {
 public:
  /// `images` must outlive it.
  ImageRows(const ImageSet& images, const sweeps::TrialSpec& trial);

  /// Of one image: (C, S, S).
  [[nodiscard]] const std::vector<std::int64_t>& shape() const { return shape_; }
  /// Of one image's embeddings: (L, E); empty when there are none.
  [[nodiscard]] const std::vector<std::int64_t>& context_shape() const { return context_shape_; }
  /// Whether a row may have to come from the disk.
  [[nodiscard]] bool on_disk() const { return images_.store != nullptr; }

  /// `x0` and `context` (null when there are no embeddings) are float32 of those shapes.
  void fill(std::int64_t row, std::int64_t global, float* x0, float* context) const;
  /// Asks the disk for a row ahead of its reading.
  void will_need(std::int64_t row) const noexcept;

 private:
  [[nodiscard]] bool flipped(std::int64_t global) const;
  void fill_pixels(const std::uint8_t* pixels, bool flip, float* x0) const;
  void fill_latents(const std::byte* moments, std::int64_t global, bool flip, float* x0) const;
  void fill_stored(std::int64_t row, std::int64_t global, float* x0, float* context) const;

  const ImageSet& images_;
  std::uint64_t seed_;
  bool flip_;
  std::vector<std::int64_t> shape_, context_shape_;
};

}  // namespace ditscale::worker
