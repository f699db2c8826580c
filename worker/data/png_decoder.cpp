#include <csetjmp>
#include <cstdio>
#include <cstring>
#include <vector>

#include <png.h>

#include "common/error.hpp"
#include "worker/data/decode_image.hpp"

namespace ditscale::worker {

namespace {

/// Text and profile chunks are not needed; this bounds what a hostile one may unpack to.
constexpr png_alloc_size_t kMaxChunk_bytes = 8'000'000;
constexpr png_uint_32 kMaxChunks = 1000;

/// libpng's state and ours. As with libjpeg, a step that fails leaves by longjmp and owns nothing.
struct Decoder {
  png_structp png = nullptr;
  png_infop info = nullptr;
  std::jmp_buf escape;
  std::string_view bytes;
  png_bytep* rows = nullptr;
  char error[200] = "";
};

[[noreturn]] void on_error(png_structp png, png_const_charp message) {
  auto& decoder = *static_cast<Decoder*>(png_get_error_ptr(png));
  std::snprintf(decoder.error, sizeof decoder.error, "%s", message);
  std::longjmp(decoder.escape, 1);
}

void on_warning(png_structp, png_const_charp) {}

void on_read(png_structp png, png_bytep out, std::size_t num_bytes) {
  auto& decoder = *static_cast<Decoder*>(png_get_io_ptr(png));
  if (num_bytes > decoder.bytes.size()) png_error(png, "the file is cut short");
  std::memcpy(out, decoder.bytes.data(), num_bytes);
  decoder.bytes.remove_prefix(num_bytes);
}

void read_header(Decoder& decoder) {
  png_set_read_fn(decoder.png, &decoder, on_read);
  png_set_user_limits(decoder.png, kMaxSide_px, kMaxSide_px);
  png_set_chunk_malloc_max(decoder.png, kMaxChunk_bytes);
  png_set_chunk_cache_max(decoder.png, kMaxChunks);
  png_read_info(decoder.png, decoder.info);
}

void ask_for_rgbx(Decoder& decoder) {
  png_set_expand(decoder.png);
  png_set_strip_16(decoder.png);
  png_set_gray_to_rgb(decoder.png);
  png_set_strip_alpha(decoder.png);
  png_set_filler(decoder.png, 0xFF, PNG_FILLER_AFTER);
  (void)png_set_interlace_handling(decoder.png);
  png_read_update_info(decoder.png, decoder.info);
}

void read_pixels(Decoder& decoder) {
  png_read_image(decoder.png, decoder.rows);
  png_read_end(decoder.png, nullptr);
}

/// Throws what libpng stopped the step with.
void run(Decoder& decoder, void (*step)(Decoder&)) {
  if (setjmp(decoder.escape) != 0)  // NOLINT: libpng's interface
    throw common::CorruptData(fmt::format("PNG: {}", static_cast<const char*>(decoder.error)));
  step(decoder);
}

/// Frees libpng's memory on every way out.
struct Cleaner {
  Decoder& decoder;
  ~Cleaner() { png_destroy_read_struct(&decoder.png, &decoder.info, nullptr); }
};

}  // namespace

Picture decode_png(std::string_view bytes) {
  Decoder decoder;
  decoder.bytes = bytes;
  decoder.png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &decoder, on_error, on_warning);
  const Cleaner cleaner{decoder};
  if (decoder.png != nullptr) decoder.info = png_create_info_struct(decoder.png);
  if (decoder.info == nullptr) throw common::SystemError("decode a PNG file: libpng has no memory");
  run(decoder, read_header);
  const std::int64_t width = png_get_image_width(decoder.png, decoder.info);
  const std::int64_t height = png_get_image_height(decoder.png, decoder.info);
  check_picture_size(width, height);
  run(decoder, ask_for_rgbx);
  if (png_get_rowbytes(decoder.png, decoder.info) != static_cast<std::size_t>(width * kPixel_bytes))
    throw common::CorruptData("PNG: its pixels do not become four bytes each");
  Picture picture(width, height);
  std::vector<png_bytep> rows(static_cast<std::size_t>(height));
  for (std::int64_t y = 0; y < height; ++y) rows[static_cast<std::size_t>(y)] = picture.row(y);
  decoder.rows = rows.data();
  run(decoder, read_pixels);
  return picture;
}

}  // namespace ditscale::worker
