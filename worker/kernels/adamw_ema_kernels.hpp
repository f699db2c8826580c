#pragma once

#include <cstdint>

#include "worker/kernels/adamw_update.hpp"

namespace ditscale::worker::kernels {

void adamw_ema_cpu(float* weights, const float* gradients, float* moment1, float* moment2, float* ema,
                   std::int64_t count, const AdamWCoefficients& c);

/// On the current device; `stream` is a cudaStream_t. Returns the launch's error text, null when it went well. Built
/// with CUDA only.
[[nodiscard]] const char* adamw_ema_cuda(float* weights, const float* gradients, float* moment1, float* moment2,
                                         float* ema, std::int64_t count, const AdamWCoefficients& c, void* stream);

}  // namespace ditscale::worker::kernels
