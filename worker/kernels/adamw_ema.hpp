#pragma once

#include <cstdint>

#include "worker/torch.hpp"

namespace ditscale::worker {

/// One step of AdamW (Loshchilov & Hutter 2019, algorithm 2, decoupled decay) followed by the average of the weights.
struct AdamWStep {
  double lr = 1e-4;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-8;
  double weight_decay = 0.0;
  double ema_decay = 0.9999;
  /// Multiplies the gradient first: clipping, averaging over ranks.
  double gradient_scale = 1.0;
  /// 1 at the first step: the bias corrections.
  std::int64_t step = 1;
};

/// Updates weights, both moments and the EMA in one pass over flat float32 buffers of equal length on one device.
void adamw_ema(const torch::Tensor& weights, const torch::Tensor& gradients, const torch::Tensor& moment1,
               const torch::Tensor& moment2, const torch::Tensor& ema, const AdamWStep& step);

}  // namespace ditscale::worker
