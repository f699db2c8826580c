#include <algorithm>

#include <cuda_runtime.h>

#include "worker/kernels/adamw_ema_kernels.hpp"

namespace ditscale::worker::kernels {

namespace {

__global__ void adamw_ema_kernel(float* __restrict__ weights, const float* __restrict__ gradients,
                                 float* __restrict__ moment1, float* __restrict__ moment2, float* __restrict__ ema,
                                 std::int64_t count, AdamWCoefficients c) {
  const std::int64_t stride = static_cast<std::int64_t>(gridDim.x) * blockDim.x;
  for (std::int64_t i = static_cast<std::int64_t>(blockIdx.x) * blockDim.x + threadIdx.x; i < count; i += stride) {
    adamw_update(weights[i], gradients[i], moment1[i], moment2[i], ema[i], c);
  }
}

}  // namespace

const char* adamw_ema_cuda(float* weights, const float* gradients, float* moment1, float* moment2, float* ema,
                           std::int64_t count, const AdamWCoefficients& c, void* stream) {
  constexpr std::int64_t kThreads = 256;
  constexpr std::int64_t kMaxBlocks = 4096;
  const auto blocks = static_cast<unsigned>(std::min((count + kThreads - 1) / kThreads, kMaxBlocks));
  adamw_ema_kernel<<<blocks, kThreads, 0, static_cast<cudaStream_t>(stream)>>>(weights, gradients, moment1, moment2,
                                                                               ema, count, c);
  const cudaError_t error = cudaGetLastError();
  return error == cudaSuccess ? nullptr : cudaGetErrorString(error);
}

}  // namespace ditscale::worker::kernels
