#include "worker/evaluation/image_grid.hpp"

#include <algorithm>
#include <string>

#include <png.h>

#include "common/atomic_file.hpp"
#include "common/error.hpp"

namespace ditscale::worker {

namespace {

constexpr std::int64_t kGap_px = 2;
constexpr int kGapGrey = 128;

/// All images on one canvas, channels last as PNG wants them.
torch::Tensor compose(const torch::Tensor& images, std::int64_t columns) {
  const std::int64_t rows = (images.size(0) + columns - 1) / columns;
  const std::int64_t cell_height = images.size(2) + kGap_px;
  const std::int64_t cell_width = images.size(3) + kGap_px;
  torch::Tensor canvas = torch::full({rows * cell_height - kGap_px, columns * cell_width - kGap_px, images.size(1)},
                                     kGapGrey, torch::kByte);  // (height, width, C)
  for (std::int64_t i = 0; i < images.size(0); ++i)
    canvas.narrow(0, i / columns * cell_height, images.size(2))
        .narrow(1, i % columns * cell_width, images.size(3))
        .copy_(images[i].permute({1, 2, 0}));
  return canvas;
}

std::string encode(const torch::Tensor& canvas, const std::filesystem::path& path) {
  png_image header{};
  header.version = PNG_IMAGE_VERSION;
  header.height = static_cast<png_uint_32>(canvas.size(0));
  header.width = static_cast<png_uint_32>(canvas.size(1));
  header.format = canvas.size(2) == 1 ? PNG_FORMAT_GRAY : PNG_FORMAT_RGB;
  std::string bytes(PNG_IMAGE_PNG_SIZE_MAX(header), '\0');
  png_alloc_size_t num_bytes = bytes.size();
  if (png_image_write_to_memory(&header, bytes.data(), &num_bytes, 0, canvas.const_data_ptr(), 0, nullptr) == 0)
    throw common::SystemError(fmt::format("encode {}: {}", path.string(), header.message));
  bytes.resize(num_bytes);
  return bytes;
}

}  // namespace

void write_png_grid(const std::filesystem::path& path, const torch::Tensor& images, std::int64_t columns) {
  const bool fits = images.dim() == 4 && images.numel() > 0 && (images.size(1) == 1 || images.size(1) == 3) &&
                    images.scalar_type() == torch::kByte && images.device().is_cpu();
  DITSCALE_CHECK(fits && columns > 0, "a picture needs uint8 images (N, 1 or 3, H, W) on the CPU, got {} of ({})",
                 at::toString(images.scalar_type()), fmt::join(images.sizes(), ", "));
  common::write_file_atomically(path, encode(compose(images, std::min(columns, images.size(0))), path));
}

}  // namespace ditscale::worker
