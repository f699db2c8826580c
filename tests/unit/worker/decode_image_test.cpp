#include "worker/data/decode_image.hpp"

#include <array>
#include <random>

#include <gmock/gmock.h>

#include "common/error.hpp"
#include "tests/unit/worker/picture_files.hpp"
#include "tests/unit/worker/scratch_folder.hpp"

namespace ditscale::worker {
namespace {

using common::CorruptData;
using test_files::jpeg_file;
using test_files::png_file;
using test_files::rgb_jpeg;
using test_files::rgb_png;
using testing::HasSubstr;

using Colour = std::array<int, 3>;

Colour at(const Picture& picture, std::int64_t x, std::int64_t y) {
  const std::uint8_t* pixel = picture.row(y) + x * kPixel_bytes;
  return {pixel[0], pixel[1], pixel[2]};
}

int pattern(int x, int y, int c) { return (x * 7 + y * 13 + c * 50) % 256; }
int ramp(int x, int y, int c) { return 40 + x + y + 20 * c; }

void expect_near(const Colour& found, const Colour& wanted, int tolerance) {
  for (std::size_t c = 0; c < 3; ++c) EXPECT_NEAR(found[c], wanted[c], tolerance) << "channel " << c;
}

std::string refusal(std::string_view bytes) {
  return message_of<CorruptData>([&] { (void)decode_image(bytes); });
}

TEST(PngImages, ComeBackExactly) {
  const Picture picture = decode_image(rgb_png(9, 5, pattern));
  ASSERT_EQ(picture.width, 9);
  ASSERT_EQ(picture.height, 5);
  EXPECT_EQ(at(picture, 8, 3), (Colour{pattern(8, 3, 0), pattern(8, 3, 1), pattern(8, 3, 2)}));
}

TEST(PngImages, OfGreyBecomeThreeEqualChannels) {
  const Picture picture = decode_image(png_file(2, {std::string("\x10\xF0", 2)}, 8, PNG_COLOR_TYPE_GRAY));
  EXPECT_EQ(at(picture, 0, 0), (Colour{0x10, 0x10, 0x10}));
  EXPECT_EQ(at(picture, 1, 0), (Colour{0xF0, 0xF0, 0xF0}));
}

TEST(PngImages, OfOneBitBecomeBlackAndWhite) {
  const Picture picture = decode_image(png_file(3, {std::string("\xA0", 1)}, 1, PNG_COLOR_TYPE_GRAY));
  EXPECT_EQ(at(picture, 0, 0), (Colour{255, 255, 255}));
  EXPECT_EQ(at(picture, 1, 0), (Colour{0, 0, 0}));
  EXPECT_EQ(at(picture, 2, 0), (Colour{255, 255, 255}));
}

TEST(PngImages, WithAPaletteGetItsColours) {
  const std::string file =
      png_file(2, {std::string("\x01\x00", 2)}, 8, PNG_COLOR_TYPE_PALETTE, {{1, 2, 3}, {200, 100, 50}});
  EXPECT_EQ(at(decode_image(file), 0, 0), (Colour{200, 100, 50}));
  EXPECT_EQ(at(decode_image(file), 1, 0), (Colour{1, 2, 3}));
}

TEST(PngImages, LoseTheirAlphaAndNothingElse) {
  const std::string transparent("\x0A\x14\x1E\x00", 4), opaque("\x28\x32\x3C\xFF", 4);
  const Picture picture = decode_image(png_file(2, {transparent + opaque}, 8, PNG_COLOR_TYPE_RGB_ALPHA));
  EXPECT_EQ(at(picture, 0, 0), (Colour{10, 20, 30}));
  EXPECT_EQ(at(picture, 1, 0), (Colour{40, 50, 60}));
}

TEST(PngImages, OfSixteenBitsKeepTheUpperEight) {
  const Picture picture =
      decode_image(png_file(1, {std::string("\x12\xFF\x34\x80\x56\x00", 6)}, 16, PNG_COLOR_TYPE_RGB));
  EXPECT_EQ(at(picture, 0, 0), (Colour{0x12, 0x34, 0x56}));
}

TEST(PngImages, MayBeInterlaced) {
  std::vector<std::string> rows;
  for (int y = 0; y < 11; ++y) {
    std::string row;
    for (int x = 0; x < 9; ++x) row.push_back(static_cast<char>(pattern(x, y, 0)));
    rows.push_back(row);
  }
  const Picture picture = decode_image(png_file(9, rows, 8, PNG_COLOR_TYPE_GRAY, {}, PNG_INTERLACE_ADAM7));
  for (int y = 0; y < 11; ++y) EXPECT_EQ(at(picture, 5, y)[0], pattern(5, y, 0));
}

TEST(JpegImages, OfColourComeBackNearly) {
  for (const bool progressive : {false, true}) {
    const Picture picture = decode_image(rgb_jpeg(37, 21, ramp, progressive));
    ASSERT_EQ(picture.width, 37);
    ASSERT_EQ(picture.height, 21);
    expect_near(at(picture, 30, 10), {ramp(30, 10, 0), ramp(30, 10, 1), ramp(30, 10, 2)}, 6);
  }
}

TEST(JpegImages, OfGreyBecomeThreeEqualChannels) {
  const Picture picture = decode_image(jpeg_file(16, 16, JCS_GRAYSCALE, 1, [](int, int, int) { return 77; }));
  EXPECT_EQ(at(picture, 3, 3)[0], at(picture, 3, 3)[1]);
  expect_near(at(picture, 3, 3), {77, 77, 77}, 1);
}

TEST(JpegImages, OfInkBecomeLight) {
  // As Adobe stores it: 255 is no ink. Cyan 55, magenta 155 and no yellow under a black of 51 (light 204).
  const Colour stored{200, 100, 255};
  const auto ink = [&](int, int, int c) { return c == 3 ? 204 : stored[static_cast<std::size_t>(c)]; };
  expect_near(at(decode_image(jpeg_file(16, 16, JCS_CMYK, 4, ink)), 8, 8), {160, 80, 204}, 2);
}

TEST(JpegImages, MayHoldStrayBytesBetweenSegments) {
  std::string bytes = rgb_jpeg(16, 16, ramp);
  bytes.insert(bytes.size() - 2, "stray");
  EXPECT_EQ(decode_image(bytes).width, 16);
}

TEST(DamagedImages, AreRefusedWhereverTheyAreCut) {
  for (const std::string& whole :
       {rgb_png(40, 30, pattern), rgb_jpeg(40, 30, pattern), rgb_jpeg(40, 30, pattern, true)}) {
    for (std::size_t length = 0; length < whole.size(); length += 1 + whole.size() / 150)
      EXPECT_FALSE(refusal(whole.substr(0, length)).empty()) << length << " of " << whole.size();
    EXPECT_FALSE(refusal(whole.substr(0, whole.size() - 1)).empty());
  }
}

TEST(DamagedImages, NeverDoMoreThanFail) {
  std::mt19937 random(1);
  for (const std::string& whole :
       {rgb_png(40, 30, pattern), rgb_jpeg(40, 30, pattern), rgb_jpeg(40, 30, pattern, true)}) {
    for (int i = 0; i < 400; ++i) {
      std::string bytes = whole;
      for (int k = 0; k < 3; ++k) bytes[random() % bytes.size()] = static_cast<char>(random());
      try {
        (void)decode_image(bytes);
      } catch (const CorruptData&) {
      }
    }
  }
}

TEST(DamagedImages, AreRefusedBeforeMemoryIsTakenForWhatTheyClaim) {
  std::string png = rgb_png(4, 4, pattern);
  png.replace(16, 8, std::string("\x00\x00\xFF\xDC\x00\x00\xFF\xDC", 8));  // 65500 x 65500; the checksum is wrong too
  EXPECT_FALSE(refusal(png).empty());
  std::string jpeg = rgb_jpeg(16, 16, ramp);
  const std::size_t frame = jpeg.find("\xFF\xC0");
  ASSERT_NE(frame, std::string::npos);
  jpeg.replace(frame + 5, 4, "\xFF\xDC\xFF\xDC");
  EXPECT_THAT(refusal(jpeg), HasSubstr("65500 x 65500"));
}

TEST(OtherFiles, AreRefusedByWhatTheyBeginWith) {
  EXPECT_THAT(refusal(""), HasSubstr("empty"));
  EXPECT_THAT(refusal("GIF89a, or so it says"), HasSubstr("neither a JPEG nor a PNG"));
}

}  // namespace
}  // namespace ditscale::worker
