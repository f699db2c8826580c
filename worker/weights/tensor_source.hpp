#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <torch/types.h>

#include "worker/weights/safetensors.hpp"

namespace ditscale::worker {

/// Values of a tensor of that shape, whose sizes are 0 or more; empty when no number holds them (sizes of 0 taken for
/// 1: what a file claims is refused before it is multiplied out elsewhere).
[[nodiscard]] std::optional<std::int64_t> num_values(const std::vector<std::int64_t>& shape);

/// Named tensors in a file of some format. Types and shapes are known, and held against the file's size, before any
/// value is read.
class TensorSource {
 public:
  virtual ~TensorSource() = default;

  [[nodiscard]] virtual const std::vector<std::string>& names() const = 0;
  [[nodiscard]] virtual const std::vector<std::int64_t>& shape(const std::string& name) const = 0;
  [[nodiscard]] virtual at::ScalarType type(const std::string& name) const = 0;
  /// The values on the CPU, in C order, in the file's type.
  [[nodiscard]] virtual torch::Tensor read(const std::string& name) = 0;
  /// What the file says beside its tensors.
  [[nodiscard]] virtual const TextMap& metadata() const = 0;
  /// Which part of the file the tensors are: "ema", or empty for the whole.
  [[nodiscard]] virtual const std::string& key() const = 0;
};

/// Opens a .pt or .bin file of torch.save (of versions before 1.6 a plain state dict alone), or a safetensors file,
/// told by its first bytes. `key` chooses the state dict of a .pt ("ema", "trainer/model"); empty: the file's only one,
/// or the first of ema, model, state_dict. Throws CorruptData when the file cannot be trusted, UsageError for a key it
/// does not have.
[[nodiscard]] std::unique_ptr<TensorSource> open_tensor_source(const std::filesystem::path& file,
                                                               const std::string& key);

}  // namespace ditscale::worker
