#pragma once

#include <cstdint>

#include "worker/kernels/adamw_coefficients.hpp"

namespace ditscale::worker::kernels {

void adamw_ema_cpu(float* weights, const float* gradients, float* moment1, float* moment2, float* ema,
                   std::int64_t count, const AdamWCoefficients& c);

/// On the current device; `stream` is a cudaStream_t. Throws SystemError when the launch fails. Built with CUDA only.
void adamw_ema_cuda(float* weights, const float* gradients, float* moment1, float* moment2, float* ema,
                    std::int64_t count, const AdamWCoefficients& c, void* stream);

}  // namespace ditscale::worker::kernels
