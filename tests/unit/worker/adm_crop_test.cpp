#include "worker/data/adm_crop.hpp"

#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace ditscale::worker {
namespace {

template <typename Value>
Picture picture_of(std::int64_t width, std::int64_t height, Value value) {
  Picture picture(width, height);
  for (std::int64_t y = 0; y < height; ++y) {
    for (std::int64_t x = 0; x < width * kPixel_bytes; ++x)
      picture.row(y)[x] = static_cast<std::uint8_t>(value(x / kPixel_bytes, y, x % kPixel_bytes));
  }
  return picture;
}

int red(const Picture& picture, std::int64_t x, std::int64_t y) { return picture.row(y)[x * kPixel_bytes]; }

TEST(AdmCrop, GivesTheSquareForEveryShape) {
  const std::vector<std::pair<int, int>> shapes{{17, 400}, {400, 17}, {64, 64}, {1, 1}, {1, 300}, {63, 65}, {129, 128}};
  for (const auto& [width, height] : shapes) {
    const Picture square = adm_crop(picture_of(width, height, [](auto, auto, auto) { return 93; }), 32);
    ASSERT_EQ(square.width, 32);
    ASSERT_EQ(square.height, 32);
    for (std::int64_t y = 0; y < 32; ++y) {
      for (std::int64_t x = 0; x < 32; ++x) ASSERT_EQ(red(square, x, y), 93) << width << " x " << height;
    }
  }
}

TEST(AdmCrop, OnlyCropsWhatHasTheSizeAlready) {
  const auto value = [](auto x, auto y, auto c) { return (3 * x + 5 * y + 7 * c) % 256; };
  const Picture square = adm_crop(picture_of(45, 32, value), 32);
  for (std::int64_t y = 0; y < 32; ++y) {
    // 13 columns are too many; six of them on the left.
    for (std::int64_t x = 0; x < 32; ++x) ASSERT_EQ(red(square, x, y), value(x + 6, y, 0));
  }
}

TEST(AdmCrop, HalvesByTheMeanOfTwoByTwoPixels) {
  const auto value = [](auto x, auto y, auto) { return (x * x + 3 * y) % 251; };
  const Picture square = adm_crop(picture_of(64, 64, value), 32);
  const auto rounded_mean = [](int a, int b) { return (a + b + 1) / 2; };
  for (std::int64_t y = 0; y < 32; ++y) {
    for (std::int64_t x = 0; x < 32; ++x) {
      const auto row = [&](std::int64_t v) {
        return rounded_mean(static_cast<int>(value(2 * x, v, 0)), static_cast<int>(value(2 * x + 1, v, 0)));
      };
      ASSERT_EQ(red(square, x, y), rounded_mean(row(2 * y), row(2 * y + 1)));
    }
  }
}

TEST(AdmCrop, KeepsARampARamp) {
  // Cubic convolution reproduces linear functions (Keys, 1981): the middle of a doubled ramp lies on the line.
  const Picture square = adm_crop(picture_of(32, 32, [](auto x, auto, auto) { return 4 * x; }), 64);
  for (std::int64_t x = 8; x < 56; ++x)
    EXPECT_NEAR(red(square, x, 31), 4.0 * ((static_cast<double>(x) + 0.5) / 2.0 - 0.5), 0.51);
}

TEST(Resize, ComputesAWindowAsPartOfTheWhole) {
  const Picture picture = picture_of(97, 53, [](auto x, auto y, auto c) { return (x * 11 + y * y + c * 31) % 256; });
  const Picture whole = resize(picture, 71, 40, ResizeFilter::kBicubic, {0, 0, 71, 40});
  const Picture window = resize(picture, 71, 40, ResizeFilter::kBicubic, {13, 7, 30, 20});
  for (std::int64_t y = 0; y < 20; ++y) {
    for (std::int64_t x = 0; x < 30; ++x) ASSERT_EQ(red(window, x, y), red(whole, x + 13, y + 7));
  }
}

}  // namespace
}  // namespace ditscale::worker
