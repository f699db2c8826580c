#pragma once

#include <cstdint>

namespace ditscale::worker::kernels {

/// Plain loops over float32 rows, compiled for several instruction sets and chosen at run time. One call handles the T
/// tokens of one image, so that per-image sums have a fixed order whatever the number of threads. All pointers are to
/// contiguous memory.

/// out = (x - mean) * rstd * (1 + scale) + shift; stores mean and rstd (T each) for the backward pass.
void modulated_norm_forward(const float* x, const float* shift, const float* scale, float epsilon, std::int64_t tokens,
                            std::int64_t width, float* out, float* mean, float* rstd);

/// Gradients of the above for one image: dx (T, D), and dshift, dscale (D), which are overwritten.
void modulated_norm_backward(const float* dout, const float* x, const float* scale, const float* mean,
                             const float* rstd, std::int64_t tokens, std::int64_t width, float* dx, float* dshift,
                             float* dscale);

/// out = x + gate * branch.
void gated_residual_forward(const float* x, const float* gate, const float* branch, std::int64_t tokens,
                            std::int64_t width, float* out);

/// dbranch = dout * gate, dgate = sum over tokens of dout * branch (overwritten). dx is dout itself.
void gated_residual_backward(const float* dout, const float* gate, const float* branch, std::int64_t tokens,
                             std::int64_t width, float* dbranch, float* dgate);

/// out = x Φ(x) in the tanh form, `count` elements.
void gelu_forward(const float* x, std::int64_t count, float* out);

/// dx = dout times the derivative of the above at x.
void gelu_backward(const float* dout, const float* x, std::int64_t count, float* dx);

}  // namespace ditscale::worker::kernels
