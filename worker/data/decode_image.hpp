#pragma once

#include <cstdint>
#include <string_view>

#include "worker/data/picture.hpp"

namespace ditscale::worker {

/// Larger images are refused before memory is taken for them.
inline constexpr std::int64_t kMaxSide_px = 65'500;
inline constexpr std::int64_t kMaxPixels = 100'000'000;

/// Decodes a JPEG or PNG file, told apart by its first bytes, to 8 bits of red, green and blue: grey becomes three
/// equal channels, alpha is dropped, 16 bits keep their upper eight, CMYK is read as Adobe writes it and turned to RGB
/// without colour profiles (all as Pillow's `convert("RGB")`; EXIF rotation and gamma are not applied). The bytes are
/// trusted in nothing.
///
/// Throws CorruptData with the reason: another kind of file, too large, cut short, or damaged so that pixels would be
/// wrong; stray bytes between a JPEG's segments are harmless and let pass.
[[nodiscard]] Picture decode_image(std::string_view bytes);

/// The two kinds.
[[nodiscard]] Picture decode_jpeg(std::string_view bytes);
[[nodiscard]] Picture decode_png(std::string_view bytes);

/// Throws CorruptData for sizes beyond the limits above, or none.
void check_picture_size(std::int64_t width, std::int64_t height);

}  // namespace ditscale::worker
