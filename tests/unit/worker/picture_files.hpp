#pragma once

#include <cstdint>
#include <cstdlib>
#include <functional>
#include <stdexcept>
#include <string>
#include <vector>

// jpeglib.h needs the declarations of stdio.h.
#include <cstdio>

#include <jpeglib.h>
#include <png.h>

namespace ditscale::worker::test_files {

/// A PNG file of `rows`, packed as `bits` and `colour` (PNG_COLOR_TYPE_…) say. `palette` goes with palette images.
inline std::string png_file(std::uint32_t width, const std::vector<std::string>& rows, int bits, int colour,
                            const std::vector<png_color>& palette = {}, int interlace = PNG_INTERLACE_NONE) {
  std::string bytes;
  png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, nullptr, nullptr, nullptr);
  png_infop info = png_create_info_struct(png);
  png_set_write_fn(
      png, &bytes,
      [](png_structp p, png_bytep data, std::size_t size) {
        static_cast<std::string*>(png_get_io_ptr(p))->append(reinterpret_cast<const char*>(data), size);
      },
      nullptr);
  png_set_IHDR(png, info, width, static_cast<png_uint_32>(rows.size()), bits, colour, interlace,
               PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
  if (!palette.empty()) png_set_PLTE(png, info, palette.data(), static_cast<int>(palette.size()));
  png_write_info(png, info);
  std::vector<png_bytep> pointers;
  for (const std::string& row : rows) pointers.push_back(reinterpret_cast<png_bytep>(const_cast<char*>(row.data())));
  png_write_image(png, pointers.data());
  png_write_end(png, info);
  png_destroy_write_struct(&png, &info);
  return bytes;
}

/// An RGB PNG whose channel c of pixel (x, y) is value(x, y, c).
inline std::string rgb_png(std::uint32_t width, std::uint32_t height, const std::function<int(int, int, int)>& value) {
  std::vector<std::string> rows;
  for (std::uint32_t y = 0; y < height; ++y) {
    std::string row;
    for (std::uint32_t x = 0; x < width; ++x) {
      for (int c = 0; c < 3; ++c) row.push_back(static_cast<char>(value(static_cast<int>(x), static_cast<int>(y), c)));
    }
    rows.push_back(row);
  }
  return png_file(width, rows, 8, PNG_COLOR_TYPE_RGB);
}

/// A JPEG file of `components` bytes a pixel in colour space `space`.
inline std::string jpeg_file(std::uint32_t width, std::uint32_t height, J_COLOR_SPACE space, int components,
                             const std::function<int(int, int, int)>& value, bool progressive = false) {
  jpeg_compress_struct info{};
  jpeg_error_mgr errors{};
  info.err = jpeg_std_error(&errors);
  jpeg_create_compress(&info);
  unsigned char* out = nullptr;
  unsigned long num_bytes = 0;
  jpeg_mem_dest(&info, &out, &num_bytes);
  info.image_width = width;
  info.image_height = height;
  info.input_components = components;
  info.in_color_space = space;
  jpeg_set_defaults(&info);
  jpeg_set_quality(&info, 95, TRUE);
  if (progressive) jpeg_simple_progression(&info);
  jpeg_start_compress(&info, TRUE);
  for (std::uint32_t y = 0; y < height; ++y) {
    std::string row;
    for (std::uint32_t x = 0; x < width; ++x) {
      for (int c = 0; c < components; ++c)
        row.push_back(static_cast<char>(value(static_cast<int>(x), static_cast<int>(y), c)));
    }
    auto* pointer = reinterpret_cast<JSAMPROW>(row.data());
    jpeg_write_scanlines(&info, &pointer, 1);
  }
  jpeg_finish_compress(&info);
  jpeg_destroy_compress(&info);
  std::string bytes(reinterpret_cast<const char*>(out), num_bytes);
  std::free(out);
  return bytes;
}

inline std::string rgb_jpeg(std::uint32_t width, std::uint32_t height, const std::function<int(int, int, int)>& value,
                            bool progressive = false) {
  return jpeg_file(width, height, JCS_RGB, 3, value, progressive);
}

}  // namespace ditscale::worker::test_files
