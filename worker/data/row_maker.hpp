#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "worker/data/picture.hpp"
#include "worker/data/store.hpp"

namespace ditscale::worker {

/// Turns cropped pictures into the rows of a store.
class RowMaker {
 public:
  virtual ~RowMaker() = default;
  /// `rows` holds one row for each picture. A picture's row does not depend on the others, but
  /// for rounding.
  virtual void make(const std::vector<Picture>& pictures, std::span<std::byte> rows) = 0;
};

/// For pixels: one or three planes of bytes.
[[nodiscard]] std::unique_ptr<RowMaker> make_pixel_rows(const StoreFacts& facts);

/// Pixel planes of a picture: (channels, height, width).
void copy_planes(const Picture& picture, std::int64_t channels, std::uint8_t* out);

}  // namespace ditscale::worker
