#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

namespace ditscale::worker {

/// Four bytes a pixel: red, green, blue, and one without meaning that makes a pixel one machine word.
inline constexpr std::int64_t kPixel_bytes = 4;

/// A decoded image, rows from the top, without gaps.
struct Picture {
  Picture(std::int64_t w, std::int64_t h)
      : width(w), height(h), bytes(new std::uint8_t[static_cast<std::size_t>(w * h * kPixel_bytes)]) {}

  [[nodiscard]] std::uint8_t* row(std::int64_t y) { return bytes.get() + y * width * kPixel_bytes; }
  [[nodiscard]] const std::uint8_t* row(std::int64_t y) const { return bytes.get() + y * width * kPixel_bytes; }

  std::int64_t width, height;
  std::unique_ptr<std::uint8_t[]> bytes;  // (height, width, 4)
};

}  // namespace ditscale::worker
