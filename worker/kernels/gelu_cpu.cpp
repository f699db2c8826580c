#include <bit>
#include <cstdint>

#include "worker/kernels/row_kernels_cpu.hpp"
#include "worker/kernels/vector_clones.hpp"

namespace ditscale::worker::kernels {

namespace {

/// exp(x) to about 2e-7 relative in plain arithmetic, so that the loops around it vectorise: 2^n times a polynomial of
/// the rest, which lies within ±ln(2)/2. Clamped to ±87, where float32 ends.
inline float exp_approximately(float x) {
  constexpr float kLog2E = 1.44269504F;
  constexpr float kLn2High = 0.693359375F, kLn2Low = -2.12194440e-4F;  // their sum is ln 2 beyond float32
  x = x < -87.0F ? -87.0F : x > 87.0F ? 87.0F : x;
  const float shifted = x * kLog2E + 12582912.0F;  // 1.5 * 2^23: adding it rounds to a whole number
  const float n = shifted - 12582912.0F;
  const float r = x - n * kLn2High - n * kLn2Low;
  const float polynomial =
      1.0F + r * (1.0F + r * (0.5F + r * (1.0F / 6 + r * (1.0F / 24 + r * (1.0F / 120 + r * (1.0F / 720))))));
  const auto exponent = static_cast<std::int32_t>(n);
  return polynomial * std::bit_cast<float>((exponent + 127) << 23);
}

constexpr float kRootTwoOverPi = 0.7978845608F;
constexpr float kCubic = 0.044715F;

/// The logistic function at twice the tanh form's argument: (1 + tanh(u)) / 2.
inline float gate_of(float x) {
  const float u = kRootTwoOverPi * (x + kCubic * x * x * x);
  return 1.0F / (1.0F + exp_approximately(-2.0F * u));
}

}  // namespace

DITSCALE_VECTOR_CLONES
void gelu_forward(const float* x, std::int64_t count, float* out) {
#pragma omp simd
  for (std::int64_t i = 0; i < count; ++i) out[i] = x[i] * gate_of(x[i]);
}

DITSCALE_VECTOR_CLONES
void gelu_backward(const float* dout, const float* x, std::int64_t count, float* dx) {
#pragma omp simd
  for (std::int64_t i = 0; i < count; ++i) {
    const float gate = gate_of(x[i]);
    const float du = kRootTwoOverPi * (1.0F + 3.0F * kCubic * x[i] * x[i]);
    dx[i] = dout[i] * (gate + 2.0F * x[i] * gate * (1.0F - gate) * du);
  }
}

}  // namespace ditscale::worker::kernels
