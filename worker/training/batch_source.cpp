#include "worker/training/batch_source.hpp"

#include <ATen/Parallel.h>

#include "worker/diffusion/training_times.hpp"
#include "worker/random/normal_batch.hpp"
#include "worker/random/permutation.hpp"
#include "worker/random/philox.hpp"

namespace ditscale::worker {

namespace {

torch::Tensor empty_context(std::int64_t count, const std::vector<std::int64_t>& shape) {
  return shape.empty() ? torch::Tensor() : torch::empty({count, shape[0], shape[1]}, torch::kFloat32);
}

}  // namespace

BatchSource::BatchSource(const ImageSet& images, const sweeps::TrialSpec& trial)
    : images_(images),
      seed_(static_cast<std::uint64_t>(trial.seed)),
      rows_(images, trial),
      class_dropout_(trial.model.class_dropout),
      null_label_(trial.shape().null_label()),
      objective_(trial.objective) {}

std::int64_t BatchSource::row_of(std::int64_t global) const {
  const std::int64_t size = images_.num_images();
  return EpochPermutation(seed_, static_cast<std::uint64_t>(global / size), size).at(global % size);
}

Batch BatchSource::batch(std::int64_t first, std::int64_t count) const {
  Batch batch;
  std::vector<std::int64_t> chosen(static_cast<std::size_t>(count));
  for (std::int64_t i = 0; i < count; ++i) {
    chosen[static_cast<std::size_t>(i)] = row_of(first + i);
    rows_.will_need(chosen[static_cast<std::size_t>(i)]);
  }
  batch.noise = normal_batch(seed_, Purpose::kNoise, first, count, rows_.shape());
  batch.context = empty_context(count, rows_.context_shape());
  batch.x0 = torch::empty_like(batch.noise);
  batch.labels = torch::empty({count}, torch::kInt64);
  batch.t = training_times(objective_, seed_, first, count);
  float* x0 = batch.x0.data_ptr<float>();
  auto* labels = batch.labels.data_ptr<std::int64_t>();
  const auto* all_labels = images_.labels.const_data_ptr<std::int64_t>();
  const std::int64_t stride = count == 0 ? 0 : batch.x0.numel() / count;
  float* context = batch.context.defined() ? batch.context.data_ptr<float>() : nullptr;
  const std::int64_t context_stride = context == nullptr || count == 0 ? 0 : batch.context.numel() / count;
  at::parallel_for(0, count, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const auto index = static_cast<std::uint64_t>(first + i);
      const std::int64_t row = chosen[static_cast<std::size_t>(i)];
      rows_.fill(row, first + i, x0 + i * stride, context == nullptr ? nullptr : context + i * context_stride);
      const bool dropped = PhiloxStream(seed_, Purpose::kLabelDrop, index).uniform() < class_dropout_;
      labels[i] = dropped ? null_label_ : all_labels[row];
    }
  });
  return batch;
}

}  // namespace ditscale::worker
