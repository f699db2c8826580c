#pragma once

#include <cstdint>

#include "worker/data/picture.hpp"

namespace ditscale::worker {

/// The square of `size` pixels that ADM (Dhariwal and Nichol, "Diffusion models beat GANs", and after it DiT) trains
/// on: halved with a box filter while the short side is at least twice `size`, resized by bicubic interpolation so that
/// the short side is `size`, and cropped at the centre. Equal to Pillow's `resize` byte for byte: filters widened when
/// shrinking, weights of 22 bits, rounding to bytes after the horizontal and after the vertical pass, in this order
/// (Pillow 13 turns it round for tall images; the versions that published models saw do not). Works on images
/// smaller than `size` too.
[[nodiscard]] Picture adm_crop(Picture picture, std::int64_t size);

enum class ResizeFilter { kBox, kBicubic };

/// A window of the result of a resize.
struct Window {
  std::int64_t left, top, width, height;
};

/// The window of `picture` resized to width x height; nothing outside the window is computed.
[[nodiscard]] Picture resize(const Picture& picture, std::int64_t width, std::int64_t height, ResizeFilter filter,
                             const Window& window);

}  // namespace ditscale::worker
