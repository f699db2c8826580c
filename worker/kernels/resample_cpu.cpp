#include "worker/kernels/resample_cpu.hpp"

#include <cstring>

#include "worker/kernels/vector_clones.hpp"

namespace ditscale::worker::kernels {

namespace {

using Bytes4 = std::uint8_t __attribute__((vector_size(4)));
using Ints4 = std::int32_t __attribute__((vector_size(16)));

constexpr std::int32_t kHalf = 1 << (kWeightBits - 1);

inline std::uint8_t to_byte(std::int32_t sum) {
  const std::int32_t value = sum >> kWeightBits;
  return static_cast<std::uint8_t>(value < 0 ? 0 : (value > 255 ? 255 : value));
}

}  // namespace

DITSCALE_VECTOR_CLONES
void resample_row(const std::uint8_t* row, const Tap* taps, std::int64_t out_width, std::uint8_t* out) {
  for (std::int64_t x = 0; x < out_width; ++x) {
    const Tap& tap = taps[x];
    Ints4 sum{kHalf, kHalf, kHalf, kHalf};
    for (std::int64_t i = 0; i < tap.count; ++i) {
      Bytes4 pixel;
      std::memcpy(&pixel, row + 4 * (tap.first + i), sizeof pixel);
      sum += tap.weights[i] * __builtin_convertvector(pixel, Ints4);
    }
    for (int c = 0; c < 4; ++c) out[4 * x + c] = to_byte(sum[c]);
  }
}

DITSCALE_VECTOR_CLONES
void resample_column(const std::uint8_t* image, std::int64_t stride, const Tap& tap, std::int64_t num_bytes,
                     std::int32_t* sums, std::uint8_t* out) {
  for (std::int64_t i = 0; i < num_bytes; ++i) sums[i] = kHalf;
  for (std::int64_t t = 0; t < tap.count; ++t) {
    const std::uint8_t* row = image + (tap.first + t) * stride;
    const std::int32_t weight = tap.weights[t];
#pragma omp simd
    for (std::int64_t i = 0; i < num_bytes; ++i) sums[i] += weight * row[i];
  }
#pragma omp simd
  for (std::int64_t i = 0; i < num_bytes; ++i) out[i] = to_byte(sums[i]);
}

}  // namespace ditscale::worker::kernels
