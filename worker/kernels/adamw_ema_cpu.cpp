#include <cmath>

#include "worker/kernels/adamw_ema_kernels.hpp"
#include "worker/kernels/vector_clones.hpp"

namespace ditscale::worker::kernels {

DITSCALE_VECTOR_CLONES
void adamw_ema_cpu(float* weights, const float* gradients, float* moment1, float* moment2, float* ema,
                   std::int64_t count, const AdamWCoefficients& c) {
#pragma omp simd
  for (std::int64_t i = 0; i < count; ++i) {
    const float g = gradients[i] * c.gradient_scale;
    const float m = c.beta1 * moment1[i] + (1.0F - c.beta1) * g;
    const float v = c.beta2 * moment2[i] + (1.0F - c.beta2) * g * g;
    const float w = weights[i] * c.decay - c.step_size * m / (std::sqrt(v) * c.inverse_root_correction2 + c.epsilon);
    moment1[i] = m;
    moment2[i] = v;
    weights[i] = w;
    ema[i] += (1.0F - c.ema_decay) * (w - ema[i]);
  }
}

}  // namespace ditscale::worker::kernels
