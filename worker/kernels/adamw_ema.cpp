#include "worker/kernels/adamw_ema.hpp"

#include <ATen/Parallel.h>

#include "common/error.hpp"
#include "worker/kernels/adamw_ema_kernels.hpp"
#ifdef DITSCALE_HAVE_CUDA
#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>
#endif

#include <cmath>

namespace ditscale::worker {

namespace {

constexpr std::int64_t kChunk = std::int64_t{1} << 14;  // floats of a chunk: five of them fit the second-level cache

kernels::AdamWCoefficients coefficients_of(const AdamWStep& s) {
  const auto n = static_cast<double>(s.step);
  const auto f = [](double value) { return static_cast<float>(value); };
  return {f(s.beta1),
          f(1.0 - s.beta1),
          f(s.beta2),
          f(1.0 - s.beta2),
          f(s.gradient_scale),
          f(1.0 - s.lr * s.weight_decay),
          f(s.lr / (1.0 - std::pow(s.beta1, n))),
          f(1.0 / std::sqrt(1.0 - std::pow(s.beta2, n))),
          f(s.epsilon),
          f(1.0 - s.ema_decay)};
}

}  // namespace

void adamw_ema(const torch::Tensor& weights, const torch::Tensor& gradients, const torch::Tensor& moment1,
               const torch::Tensor& moment2, const torch::Tensor& ema, const AdamWStep& step) {
  for (const auto& buffer : {weights, gradients, moment1, moment2, ema}) {
    DITSCALE_CHECK(buffer.is_contiguous() && buffer.scalar_type() == torch::kFloat32 &&
                       buffer.numel() == weights.numel() && buffer.device() == weights.device(),
                   "flat buffers of the optimiser differ");
  }
  const auto c = coefficients_of(step);
  float *w = weights.data_ptr<float>(), *m = moment1.data_ptr<float>(), *v = moment2.data_ptr<float>(),
        *e = ema.data_ptr<float>();
  const float* g = gradients.const_data_ptr<float>();
  if (weights.is_cpu()) {
    at::parallel_for(0, weights.numel(), kChunk, [&](std::int64_t begin, std::int64_t end) {
      kernels::adamw_ema_cpu(w + begin, g + begin, m + begin, v + begin, e + begin, end - begin, c);
    });
    return;
  }
#ifdef DITSCALE_HAVE_CUDA
  const c10::cuda::CUDAGuard guard(weights.device());
  const auto stream = c10::cuda::getCurrentCUDAStream(weights.device().index());
  const char* error = kernels::adamw_ema_cuda(w, g, m, v, e, weights.numel(), c, stream.stream());
  if (error != nullptr) throw common::SystemError(fmt::format("launch of the AdamW kernel: {}", error));
#else
  DITSCALE_CHECK(false, "this build has no kernels for {}", weights.device().str());
#endif
}

}  // namespace ditscale::worker
