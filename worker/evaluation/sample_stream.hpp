#pragma once

#include <cstdint>
#include <functional>

#include "sweeps/spec/evaluate_spec.hpp"
#include "worker/distributed/communicator.hpp"
#include "worker/evaluation/feature_network.hpp"
#include "worker/evaluation/sample_images.hpp"
#include "worker/sampling/sampler.hpp"
#include "worker/torch.hpp"
#include "worker/vae/vae.hpp"

namespace ditscale::worker {

/// What turns a sampler's samples into features; all must outlive the stream.
struct SampleParts {
  const Sampler& sampler;
  const sweeps::EvaluateSpec& settings;
  /// Null: the samples are only to be looked at.
  const FeatureNetwork* network = nullptr;
  FeatureParts wanted;
  /// Null for pixels.
  const Vae* decoder = nullptr;
  /// Embeddings of samples first … first + count - 1, undefined where the model has none.
  std::function<torch::Tensor(std::int64_t first, std::int64_t count)> context;
};

/// Draws the samples of one score and looks at them with a feature network, kSampleBatch at a time on each rank. A
/// sample and its features depend on its number alone, not on the ranks.
class SampleStream {
 public:
  SampleStream(SampleParts parts, Communicator& communicator, torch::Device device)
      : parts_(std::move(parts)), communicator_(communicator), device_(device) {}

  /// Sees the images (n, C, S, S) uint8 that this rank drew.
  using Observer = std::function<void(std::int64_t first, const torch::Tensor& images)>;

  /// Samples drawn by one call of `next` over all ranks, at most.
  [[nodiscard]] std::int64_t stride() const { return communicator_.size() * kSampleBatch; }

  /// Features of the samples from `first` on, min(stride(), those left) of them, on every rank; without a network the
  /// pooled ones are a column of zeros. Throws NotFinite, on every rank, when a sample has a NaN or an infinity.
  /// *Collective: all ranks.*
  [[nodiscard]] ImageFeatures next(std::int64_t first, const Observer& observe);

  /// Images of samples first … first + count - 1, drawn on this rank alone.
  [[nodiscard]] torch::Tensor images(std::int64_t first, std::int64_t count);

  /// Samples this rank drew so far.
  [[nodiscard]] std::int64_t num_drawn() const { return num_drawn_; }

 private:
  /// Of this rank's samples of the round; rows of NaN where they are not finite.
  [[nodiscard]] ImageFeatures mine(std::int64_t first, const Observer& observe);
  [[nodiscard]] torch::Tensor gathered(const torch::Tensor& rows, std::int64_t width, std::int64_t count);

  SampleParts parts_;
  Communicator& communicator_;
  torch::Device device_;
  std::int64_t num_drawn_ = 0;
};

}  // namespace ditscale::worker
