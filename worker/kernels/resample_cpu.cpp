#include "worker/kernels/resample_cpu.hpp"

#include <cstring>

#include "worker/kernels/vector_clones.hpp"

namespace ditscale::worker::kernels {

namespace {

using Bytes4 = std::uint8_t __attribute__((vector_size(4)));
using Ints4 = std::int32_t __attribute__((vector_size(16)));

constexpr std::int32_t kHalf = 1 << (kWeightBits - 1);

inline Ints4 pixel_at(const std::int32_t* values) {
  Ints4 pixel;
  std::memcpy(&pixel, values, sizeof pixel);
  return pixel;
}

inline std::uint8_t to_byte(std::int32_t sum) {
  const std::int32_t value = sum >> kWeightBits;
  return static_cast<std::uint8_t>(value < 0 ? 0 : (value > 255 ? 255 : value));
}

}  // namespace

DITSCALE_VECTOR_CLONES
void resample_row(const std::uint8_t* row, std::int64_t in_width, const Tap* taps, std::int64_t out_width,
                  std::int32_t* wide, std::uint8_t* out) {
  // Once for the row: compilers widen four bytes one by one.
#pragma omp simd
  for (std::int64_t i = 0; i < 4 * in_width; ++i) wide[i] = row[i];
  for (std::int64_t x = 0; x < out_width; ++x) {
    const Tap& tap = taps[x];
    const std::int32_t* pixels = wide + 4 * tap.first;
    // Two sums: an addition need not wait for the one before.
    Ints4 even{kHalf, kHalf, kHalf, kHalf}, odd{};
    std::int64_t i = 0;
    for (; i + 1 < tap.count; i += 2) {
      even += tap.weights[i] * pixel_at(pixels + 4 * i);
      odd += tap.weights[i + 1] * pixel_at(pixels + 4 * (i + 1));
    }
    if (i < tap.count) even += tap.weights[i] * pixel_at(pixels + 4 * i);
    Ints4 sum = (even + odd) >> kWeightBits;
    sum = sum < 0 ? Ints4{} : sum;
    sum = sum > 255 ? Ints4{255, 255, 255, 255} : sum;
    const Bytes4 pixel = __builtin_convertvector(sum, Bytes4);
    std::memcpy(out + 4 * x, &pixel, sizeof pixel);
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
