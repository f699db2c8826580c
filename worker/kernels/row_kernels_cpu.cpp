#include "worker/kernels/row_kernels_cpu.hpp"

#include <cmath>

#include "worker/kernels/vector_clones.hpp"

namespace ditscale::worker::kernels {

DITSCALE_VECTOR_CLONES
void modulated_norm_forward(const float* x, const float* shift, const float* scale, float epsilon, std::int64_t tokens,
                            std::int64_t width, float* out, float* mean, float* rstd) {
  const float inverse_width = 1.0F / static_cast<float>(width);
  for (std::int64_t t = 0; t < tokens; ++t, x += width, out += width) {
    float sum = 0;
#pragma omp simd reduction(+ : sum)
    for (std::int64_t i = 0; i < width; ++i) sum += x[i];
    const float m = sum * inverse_width;
    float squares = 0;
#pragma omp simd reduction(+ : squares)
    for (std::int64_t i = 0; i < width; ++i) squares += (x[i] - m) * (x[i] - m);
    const float r = 1.0F / std::sqrt(squares * inverse_width + epsilon);
#pragma omp simd
    for (std::int64_t i = 0; i < width; ++i) out[i] = (x[i] - m) * r * (1.0F + scale[i]) + shift[i];
    mean[t] = m;
    rstd[t] = r;
  }
}

DITSCALE_VECTOR_CLONES
void modulated_norm_backward(const float* dout, const float* x, const float* scale, const float* mean,
                             const float* rstd, std::int64_t tokens, std::int64_t width, float* dx, float* dshift,
                             float* dscale) {
  const float inverse_width = 1.0F / static_cast<float>(width);
  for (std::int64_t i = 0; i < width; ++i) dshift[i] = dscale[i] = 0;
  for (std::int64_t t = 0; t < tokens; ++t, x += width, dout += width, dx += width) {
    const float m = mean[t], r = rstd[t];
    float sum_g = 0, sum_gx = 0;
#pragma omp simd reduction(+ : sum_g, sum_gx)
    for (std::int64_t i = 0; i < width; ++i) {
      const float normalised = (x[i] - m) * r;
      const float g = dout[i] * (1.0F + scale[i]);
      dshift[i] += dout[i];
      dscale[i] += dout[i] * normalised;
      sum_g += g;
      sum_gx += g * normalised;
    }
    const float mean_g = sum_g * inverse_width, mean_gx = sum_gx * inverse_width;
#pragma omp simd
    for (std::int64_t i = 0; i < width; ++i) {
      const float normalised = (x[i] - m) * r;
      dx[i] = r * (dout[i] * (1.0F + scale[i]) - mean_g - normalised * mean_gx);
    }
  }
}

DITSCALE_VECTOR_CLONES
void gated_residual_forward(const float* x, const float* gate, const float* branch, std::int64_t tokens,
                            std::int64_t width, float* out) {
  for (std::int64_t t = 0; t < tokens; ++t, x += width, branch += width, out += width) {
#pragma omp simd
    for (std::int64_t i = 0; i < width; ++i) out[i] = x[i] + gate[i] * branch[i];
  }
}

DITSCALE_VECTOR_CLONES
void gated_residual_backward(const float* dout, const float* gate, const float* branch, std::int64_t tokens,
                             std::int64_t width, float* dbranch, float* dgate) {
  for (std::int64_t i = 0; i < width; ++i) dgate[i] = 0;
  for (std::int64_t t = 0; t < tokens; ++t, dout += width, branch += width, dbranch += width) {
#pragma omp simd
    for (std::int64_t i = 0; i < width; ++i) {
      dbranch[i] = dout[i] * gate[i];
      dgate[i] += dout[i] * branch[i];
    }
  }
}

}  // namespace ditscale::worker::kernels
