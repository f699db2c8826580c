#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "worker/torch.hpp"

namespace ditscale::worker {

/// Where one parameter stands in a flat buffer.
struct ParameterSlot {
  std::string name;
  std::vector<std::int64_t> shape;
  /// In elements from the buffer's start; a multiple of 16, so that each parameter begins on a cache line.
  std::int64_t offset = 0;
  std::int64_t count = 0;
};

/// The order of a model's parameters in every flat buffer of its state: weights, gradients, moments, EMA.
class FlatLayout {
 public:
  explicit FlatLayout(const torch::nn::Module& model);

  [[nodiscard]] const std::vector<ParameterSlot>& slots() const { return slots_; }
  /// Elements of a buffer, padding included.
  [[nodiscard]] std::int64_t size() const { return size_; }
  /// A buffer of zeros, float32.
  [[nodiscard]] torch::Tensor make_buffer(torch::Device device) const;
  /// Makes the model's parameters views into `weights`, keeping their present values; `weights` must outlive the
  /// model's use.
  void bind_weights(torch::nn::Module& model, const torch::Tensor& weights) const;
  /// Makes the parameters' gradients views into `gradients`: backward adds to them, so zero the buffer before each
  /// step.
  void bind_gradients(torch::nn::Module& model, const torch::Tensor& gradients) const;

 private:
  [[nodiscard]] torch::Tensor view(const torch::Tensor& buffer, const ParameterSlot& slot) const;
  std::vector<ParameterSlot> slots_;
  std::int64_t size_ = 0;
};

}  // namespace ditscale::worker
