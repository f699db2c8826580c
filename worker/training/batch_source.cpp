#include "worker/training/batch_source.hpp"

#include <ATen/Parallel.h>

#include "worker/random/normal_batch.hpp"
#include "worker/random/permutation.hpp"
#include "worker/random/philox.hpp"

namespace ditscale::worker {

BatchSource::BatchSource(const ImageSet& images, const sweeps::TrialSpec& trial)
    : images_(images),
      seed_(static_cast<std::uint64_t>(trial.seed)),
      flip_(trial.data.flip),
      class_dropout_(trial.model.class_dropout),
      num_classes_(trial.input().num_classes),
      num_timesteps_(trial.objective.num_timesteps) {}

std::int64_t BatchSource::row_of(std::int64_t global) const {
  const std::int64_t size = images_.images.size(0);
  return EpochPermutation(seed_, static_cast<std::uint64_t>(global / size), size).at(global % size);
}

void BatchSource::fill_image(std::int64_t global, float* out) const {
  const std::int64_t height = images_.images.size(2) * images_.images.size(1), width = images_.images.size(3);
  const auto* pixels = images_.images.const_data_ptr<std::uint8_t>() + row_of(global) * height * width;
  const bool flip = flip_ && PhiloxStream(seed_, Purpose::kFlip, static_cast<std::uint64_t>(global)).uniform() < 0.5;
  for (std::int64_t row = 0; row < height; ++row) {
    for (std::int64_t column = 0; column < width; ++column) {
      const std::int64_t from = flip ? width - 1 - column : column;
      out[row * width + column] = static_cast<float>(pixels[row * width + from]) * (1.0F / 127.5F) - 1.0F;
    }
  }
}

Batch BatchSource::batch(std::int64_t first, std::int64_t count) const {
  Batch batch;
  const std::vector<std::int64_t> shape(images_.images.sizes().begin() + 1, images_.images.sizes().end());
  batch.noise = normal_batch(seed_, Purpose::kNoise, first, count, shape);
  batch.x0 = torch::empty_like(batch.noise);
  batch.labels = torch::empty({count}, torch::kInt64);
  batch.t = torch::empty({count}, torch::kInt64);
  float* x0 = batch.x0.data_ptr<float>();
  auto* labels = batch.labels.data_ptr<std::int64_t>();
  auto* t = batch.t.data_ptr<std::int64_t>();
  const auto* all_labels = images_.labels.const_data_ptr<std::int64_t>();
  const std::int64_t stride = count == 0 ? 0 : batch.x0.numel() / count;
  at::parallel_for(0, count, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const auto index = static_cast<std::uint64_t>(first + i);
      fill_image(first + i, x0 + i * stride);
      const bool dropped = PhiloxStream(seed_, Purpose::kLabelDrop, index).uniform() < class_dropout_;
      labels[i] = dropped ? num_classes_ : all_labels[row_of(first + i)];
      t[i] = PhiloxStream(seed_, Purpose::kTimestep, index).below(num_timesteps_);
    }
  });
  return batch;
}

}  // namespace ditscale::worker
