#include "worker/kernels/adamw_ema_kernels.hpp"
#include "worker/kernels/vector_clones.hpp"

namespace ditscale::worker::kernels {

DITSCALE_VECTOR_CLONES
void adamw_ema_cpu(float* weights, const float* gradients, float* moment1, float* moment2, float* ema,
                   std::int64_t count, const AdamWCoefficients& c) {
#pragma omp simd
  for (std::int64_t i = 0; i < count; ++i) adamw_update(weights[i], gradients[i], moment1[i], moment2[i], ema[i], c);
}

}  // namespace ditscale::worker::kernels
