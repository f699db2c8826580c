#include <string>

#include <gtest/gtest.h>
#include <png.h>
#include <torch/types.h>

#include "common/error.hpp"
#include "tests/unit/worker/scratch_folder.hpp"
#include "worker/evaluation/image_grid.hpp"

namespace ditscale::worker {
namespace {

class PngGrid : public InScratchFolder {
 protected:
  /// The picture as libpng reads it, red, green and blue.
  [[nodiscard]] torch::Tensor read() const {
    const std::string bytes = bytes_of(path_);
    png_image header{};
    header.version = PNG_IMAGE_VERSION;
    EXPECT_NE(png_image_begin_read_from_memory(&header, bytes.data(), bytes.size()), 0) << header.message;
    is_grey_ = (header.format & PNG_FORMAT_FLAG_COLOR) == 0;
    header.format = PNG_FORMAT_RGB;
    torch::Tensor pixels = torch::zeros({header.height, header.width, 3}, torch::kByte);
    EXPECT_NE(png_image_finish_read(&header, nullptr, pixels.data_ptr(), 0, nullptr), 0) << header.message;
    return pixels;  // (height, width, 3)
  }

  std::filesystem::path path_ = at("grid.png");
  mutable bool is_grey_ = false;
};

TEST_F(PngGrid, PutsImagesRowByRowWithGreyGaps) {
  const torch::Tensor images = torch::arange(5 * 4 * 3).reshape({5, 1, 4, 3}).to(torch::kByte);
  write_png_grid(path_, images, 3);
  const torch::Tensor picture = read();
  EXPECT_TRUE(is_grey_);
  ASSERT_EQ(picture.sizes(), (std::vector<std::int64_t>{4 + 2 + 4, 3 + 2 + 3 + 2 + 3, 3}));
  const torch::Tensor grey = picture.select(2, 0);
  EXPECT_TRUE(torch::equal(grey.slice(0, 0, 4).slice(1, 5, 8), images[1][0]));
  EXPECT_TRUE(torch::equal(grey.slice(0, 6, 10).slice(1, 0, 3), images[3][0]));
  EXPECT_TRUE(grey.slice(0, 4, 6).eq(128).all().item<bool>());
  EXPECT_TRUE(grey.slice(0, 6, 10).slice(1, 10, 13).eq(128).all().item<bool>());  // no sixth image
}

TEST_F(PngGrid, KeepsColours) {
  const torch::Tensor images = torch::randint(256, {2, 3, 6, 5}, torch::kByte);
  write_png_grid(path_, images, 8);
  const torch::Tensor picture = read();
  EXPECT_FALSE(is_grey_);
  ASSERT_EQ(picture.sizes(), (std::vector<std::int64_t>{6, 5 + 2 + 5, 3}));
  EXPECT_TRUE(torch::equal(picture.slice(1, 7, 12).permute({2, 0, 1}), images[1]));
}

TEST_F(PngGrid, GivesTheSameBytesForTheSameImages) {
  const torch::Tensor images = torch::randint(256, {4, 1, 28, 28}, torch::kByte);
  write_png_grid(path_, images, 2);
  const std::string first = bytes_of(path_);
  write_png_grid(path_, images, 2);
  EXPECT_EQ(bytes_of(path_), first);
}

TEST_F(PngGrid, RefusesWhatIsNoPicture) {
  EXPECT_THROW(write_png_grid(path_, torch::zeros({1, 1, 4, 4}), 1), common::InternalError);
  EXPECT_THROW(write_png_grid(path_, torch::zeros({1, 2, 4, 4}, torch::kByte), 1), common::InternalError);
  EXPECT_THROW(write_png_grid(path_, torch::zeros({0, 1, 4, 4}, torch::kByte), 1), common::InternalError);
  EXPECT_FALSE(std::filesystem::exists(path_));
}

TEST_F(PngGrid, NamesAFolderThatIsNotThere) {
  EXPECT_NE(message_of<common::SystemError>([&] {
              write_png_grid(at("none/grid.png"), torch::zeros({1, 1, 4, 4}, torch::kByte), 1);
            }).find("No such file"),
            std::string::npos);
}

}  // namespace
}  // namespace ditscale::worker
