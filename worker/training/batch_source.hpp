#pragma once

#include <cstdint>

#include "sweeps/spec/trial_spec.hpp"
#include "worker/data/image_set.hpp"
#include "worker/torch.hpp"
#include "worker/training/image_rows.hpp"

namespace ditscale::worker {

/// Everything random about some training images, drawn.
struct Batch {
  torch::Tensor x0;       // (N, C, S, S) float32: pixels in [-1, 1] or scaled latents, flipped or not
  torch::Tensor labels;   // (N) int64, the null label where dropped
  torch::Tensor t;        // (N) timesteps, int64; of a flow times in [0, 1], float32
  torch::Tensor noise;    // (N, C, S, S) float32
  torch::Tensor context;  // (N, L, E) float32 embeddings; undefined when the images have none
};

/// Training images by global index. Image g of the study is element g mod size of the permutation of epoch g div size,
/// and its flip, posterior sample, label drop, timestep and noise come from counters keyed by (seed, purpose, g): so a
/// batch depends on nothing but the images seen before it, on any number of processes and after any interruption.
class BatchSource {
 public:
  /// `images` must outlive the source.
  BatchSource(const ImageSet& images, const sweeps::TrialSpec& trial);

  /// Images first … first + count - 1, on the processor.
  [[nodiscard]] Batch batch(std::int64_t first, std::int64_t count) const;
  /// Whether making a batch may wait for the disk.
  [[nodiscard]] bool on_disk() const { return rows_.on_disk(); }

 private:
  [[nodiscard]] std::int64_t row_of(std::int64_t global) const;

  const ImageSet& images_;
  std::uint64_t seed_;
  ImageRows rows_;
  double class_dropout_;
  std::int64_t null_label_;
  sweeps::ObjectiveSpec objective_;
};

}  // namespace ditscale::worker
