#pragma once

namespace ditscale::worker::kernels {

/// The coefficients of one AdamW-and-EMA step as float32.
struct AdamWCoefficients {
  float beta1;
  float beta2;
  float gradient_scale;
  /// 1 - lr * weight_decay.
  float decay;
  /// lr / (1 - beta1^step).
  float step_size;
  /// 1 / sqrt(1 - beta2^step).
  float inverse_root_correction2;
  float epsilon;
  float ema_decay;
};

}  // namespace ditscale::worker::kernels
