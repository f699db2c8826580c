#pragma once

#include <string>

#include "worker/torch.hpp"

namespace ditscale::worker {

enum class Precision { kFp32, kBf16 };
[[nodiscard]] std::string to_name(Precision precision);

/// "auto" (a GPU when one is visible), "cpu" or "cuda"; rank `local_rank` takes that GPU. Throws ConfigError when it is
/// not there.
[[nodiscard]] torch::Device choose_device(const std::string& request, std::int64_t local_rank);

/// "auto": bf16 on GPUs that compute it, fp32 on processors, where LibTorch's bf16 attention and conversions cost more
/// than its products save at the sizes a processor trains. Throws ConfigError when the device cannot honour what was
/// asked for.
[[nodiscard]] Precision choose_precision(const std::string& request, torch::Device device);

/// Whether this program could use a GPU if there were one.
[[nodiscard]] constexpr bool built_with_cuda() {
#ifdef DITSCALE_HAVE_CUDA
  return true;
#else
  return false;
#endif
}

/// What people call the device: the processor's model or the GPU's name.
[[nodiscard]] std::string device_name(torch::Device device);

/// Matrix products inside its scope run in bf16 when asked for, by LibTorch's autocast; weights and state stay float32.
class PrecisionScope {
 public:
  PrecisionScope(Precision precision, torch::Device device);
  ~PrecisionScope();
  PrecisionScope(const PrecisionScope&) = delete;
  PrecisionScope& operator=(const PrecisionScope&) = delete;

 private:
  bool active_;
  at::DeviceType type_;
};

/// Inside its scope a GPU adds in a fixed order (attention's backward pass would not by itself, and cuDNN's attention
/// never does), so that the same step gives the same bits. LibTorch throws where it has no such way. Nothing on a
/// processor, which has one order only. For the whole process: one at a time.
class DeterministicScope {
 public:
  explicit DeterministicScope(torch::Device device);
  ~DeterministicScope();
  DeterministicScope(const DeterministicScope&) = delete;
  DeterministicScope& operator=(const DeterministicScope&) = delete;

 private:
  bool active_;
};

}  // namespace ditscale::worker
