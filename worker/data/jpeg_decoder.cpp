#include <csetjmp>
#include <cstdio>

#include <jerror.h>
#include <jpeglib.h>

#include "common/error.hpp"
#include "worker/data/decode_image.hpp"

namespace ditscale::worker {

namespace {

/// A progressive file may hold a scan for every few bytes, each as costly as the whole picture. Real ones have ten.
constexpr int kMaxScans = 200;

/// libjpeg's state and ours. libjpeg reports an error by a call that must not return, so a step leaves by longjmp;
/// no step owns anything that would have to be destroyed.
struct Decoder {
  jpeg_decompress_struct info;
  jpeg_error_mgr errors;
  jpeg_progress_mgr progress;
  std::jmp_buf escape;
  const unsigned char* bytes;
  unsigned long num_bytes;
  std::uint8_t* out;
  char error[JMSG_LENGTH_MAX];
  /// First warning of wrong pixels; empty: none.
  char warning[JMSG_LENGTH_MAX];
};

Decoder& decoder_of(j_common_ptr info) { return *static_cast<Decoder*>(info->client_data); }

[[noreturn]] void on_error(j_common_ptr info) {
  Decoder& decoder = decoder_of(info);
  info->err->format_message(info, decoder.error);
  std::longjmp(decoder.escape, 1);
}

/// Warnings after which all pixels are as they were meant.
bool is_harmless(int code) {
  return code == JWRN_EXTRANEOUS_DATA || code == JWRN_NOT_SEQUENTIAL || code == JWRN_ADOBE_XFORM ||
         code == JWRN_JFIF_MAJOR;
}

void on_message(j_common_ptr info, int level) {
  Decoder& decoder = decoder_of(info);
  const bool is_warning = level < 0;
  if (is_warning && !is_harmless(info->err->msg_code) && decoder.warning[0] == '\0')
    info->err->format_message(info, decoder.warning);
}

void on_progress(j_common_ptr info) {
  if (reinterpret_cast<j_decompress_ptr>(info)->input_scan_number <= kMaxScans) return;
  Decoder& decoder = decoder_of(info);
  std::snprintf(decoder.error, sizeof decoder.error, "more than %d scans", kMaxScans);
  std::longjmp(decoder.escape, 1);
}

void read_header(Decoder& decoder) {
  jpeg_create_decompress(&decoder.info);
  decoder.info.progress = &decoder.progress;
  jpeg_mem_src(&decoder.info, decoder.bytes, decoder.num_bytes);
  jpeg_read_header(&decoder.info, TRUE);
}

bool is_cmyk(const Decoder& decoder) {
  return decoder.info.jpeg_color_space == JCS_CMYK || decoder.info.jpeg_color_space == JCS_YCCK;
}

void read_pixels(Decoder& decoder) {
  jpeg_decompress_struct& info = decoder.info;
  info.out_color_space = is_cmyk(decoder) ? JCS_CMYK : JCS_EXT_RGBX;
  info.dct_method = JDCT_ISLOW;
  jpeg_start_decompress(&info);
  while (info.output_scanline < info.output_height) {
    JSAMPROW row = decoder.out + static_cast<std::size_t>(info.output_scanline) * info.output_width * kPixel_bytes;
    jpeg_read_scanlines(&info, &row, 1);
  }
  jpeg_finish_decompress(&info);
}

/// False when libjpeg stopped the step with an error.
bool run(Decoder& decoder, void (*step)(Decoder&)) {
  if (setjmp(decoder.escape) != 0) return false;  // NOLINT: libjpeg's interface
  step(decoder);
  return true;
}

/// a * b / 255, rounded.
int scaled(int a, int b) {
  const int product = a * b + 128;
  return ((product >> 8) + product) >> 8;
}

/// Adobe stores what is left of the light: 255 is no ink.
void cmyk_to_rgb(Picture& picture) {
  std::uint8_t* pixel = picture.bytes.get();
  for (std::int64_t i = 0; i < picture.width * picture.height; ++i, pixel += kPixel_bytes) {
    const int light = pixel[3];
    for (int c = 0; c < 3; ++c) pixel[c] = static_cast<std::uint8_t>(light - scaled(255 - pixel[c], light));
  }
}

/// Frees libjpeg's memory on every way out.
struct Cleaner {
  Decoder& decoder;
  ~Cleaner() { jpeg_destroy_decompress(&decoder.info); }
};

}  // namespace

Picture decode_jpeg(std::string_view bytes) {
  Decoder decoder{};
  decoder.info.err = jpeg_std_error(&decoder.errors);
  decoder.info.client_data = &decoder;
  decoder.errors.error_exit = on_error;
  decoder.errors.emit_message = on_message;
  decoder.progress.progress_monitor = on_progress;
  decoder.bytes = reinterpret_cast<const unsigned char*>(bytes.data());
  decoder.num_bytes = bytes.size();
  const Cleaner cleaner{decoder};
  if (!run(decoder, read_header)) throw common::CorruptData(fmt::format("JPEG: {}", decoder.error));
  check_picture_size(decoder.info.image_width, decoder.info.image_height);
  Picture picture(decoder.info.image_width, decoder.info.image_height);
  decoder.out = picture.bytes.get();
  if (!run(decoder, read_pixels)) throw common::CorruptData(fmt::format("JPEG: {}", decoder.error));
  if (decoder.warning[0] != '\0') throw common::CorruptData(fmt::format("JPEG: {}", decoder.warning));
  if (is_cmyk(decoder)) cmyk_to_rgb(picture);
  return picture;
}

}  // namespace ditscale::worker
