#pragma once

#include <cstdint>

namespace ditscale::worker::kernels {

/// Bits after the point of a resampling weight.
inline constexpr int kWeightBits = 22;

/// Which input pixels make an output pixel: `count` from `first`, with weights that sum to about 2^kWeightBits.
struct Tap {
  std::int64_t first;
  std::int64_t count;
  const std::int32_t* weights;
};

/// One row of four-byte pixels: out[x] is the weighted sum of its taps' pixels, rounded and clamped to a byte. `wide`
/// is room for 4 in_width numbers.
void resample_row(const std::uint8_t* row, std::int64_t in_width, const Tap* taps, std::int64_t out_width,
                  std::int32_t* wide, std::uint8_t* out);

/// One output row of `num_bytes` bytes: the weighted sum of the rows tap.first …, which lie `stride` bytes apart.
/// `sums` is room for num_bytes numbers.
void resample_column(const std::uint8_t* image, std::int64_t stride, const Tap& tap, std::int64_t num_bytes,
                     std::int32_t* sums, std::uint8_t* out);

}  // namespace ditscale::worker::kernels
