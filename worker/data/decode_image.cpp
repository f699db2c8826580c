#include "worker/data/decode_image.hpp"

#include "common/error.hpp"

namespace ditscale::worker {

Picture decode_image(std::string_view bytes) {
  if (bytes.starts_with("\xFF\xD8\xFF")) return decode_jpeg(bytes);
  if (bytes.starts_with("\x89PNG\r\n\x1A\n")) return decode_png(bytes);
  throw common::CorruptData(bytes.empty() ? "the file is empty" : "it is neither a JPEG nor a PNG file");
}

void check_picture_size(std::int64_t width, std::int64_t height) {
  if (width < 1 || height < 1 || width > kMaxSide_px || height > kMaxSide_px || width * height > kMaxPixels)
    throw common::CorruptData(fmt::format("{} x {} pixels; at most {} a side and {} in all are decoded", width, height,
                                          kMaxSide_px, kMaxPixels));
}

}  // namespace ditscale::worker
