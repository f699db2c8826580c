#pragma once

#include <cmath>

#ifdef __CUDACC__
#define DITSCALE_HOST_DEVICE __host__ __device__
#else
#define DITSCALE_HOST_DEVICE
#endif

namespace ditscale::worker::kernels {

/// The coefficients of one AdamW-and-EMA step as float32.
struct AdamWCoefficients {
  // The complements are rounded from double: 1 - beta in float32 would be wrong in its fourth digit at 0.9999.
  float beta1, one_minus_beta1;
  float beta2, one_minus_beta2;
  float gradient_scale;
  /// 1 - lr * weight_decay.
  float decay;
  /// lr / (1 - beta1^step).
  float step_size;
  /// 1 / sqrt(1 - beta2^step).
  float inverse_root_correction2;
  float epsilon;
  float one_minus_ema_decay;
};

/// The update of one weight, the same on processor and GPU.
DITSCALE_HOST_DEVICE inline void adamw_update(float& weight, float gradient, float& moment1, float& moment2, float& ema,
                                              const AdamWCoefficients& c) {
  const float g = gradient * c.gradient_scale;
  moment1 = c.beta1 * moment1 + c.one_minus_beta1 * g;
  moment2 = c.beta2 * moment2 + c.one_minus_beta2 * g * g;
  weight = weight * c.decay - c.step_size * moment1 / (sqrtf(moment2) * c.inverse_root_correction2 + c.epsilon);
  ema += c.one_minus_ema_decay * (weight - ema);
}

}  // namespace ditscale::worker::kernels
