#include "worker/evaluation/image_input.hpp"

#include <gmock/gmock.h>

#include "common/error.hpp"
#include "tests/unit/worker/made_up_store.hpp"
#include "tests/unit/worker/picture_files.hpp"
#include "tests/unit/worker/scratch_folder.hpp"
#include "worker/storage/npz_file.hpp"

namespace ditscale::worker {
namespace {

using common::ConfigError;
using common::CorruptData;
using common::UsageError;
using testing::AllOf;
using testing::HasSubstr;

class ImageInputs : public InScratchFolder {
 protected:
  void put_png(const std::string& name, std::uint32_t width, std::uint32_t height, int offset) const {
    put(at(name), test_files::rgb_png(width, height, [&](int x, int y, int c) { return offset + x + 2 * y + 50 * c; }));
  }
  [[nodiscard]] torch::Tensor all(const std::string& name, int threads = 3) const {
    const auto input = open_image_input(at(name), threads);
    return input->piece(0, input->num_images());
  }
};

torch::Tensor some_bytes(at::IntArrayRef shape) {
  std::int64_t count = 1;
  for (const std::int64_t size : shape) count *= size;
  return torch::arange(count).remainder(251).to(torch::kByte).view(shape);
}

TEST_F(ImageInputs, OfAFolderComeInTheOrderOfTheirNames) {
  for (int i = 9; i >= 0; --i) put_png("set/" + std::to_string(i) + ".png", 5, 4, 10 * i);
  const auto input = open_image_input(at("set"), 3);
  EXPECT_EQ(input->num_images(), 10);
  EXPECT_EQ(input->shape(), (ImageShape{3, 4, 5}));
  const torch::Tensor images = input->piece(0, 10);
  for (int i = 0; i < 10; ++i) EXPECT_EQ(images[i][1][2][3].item<int>(), 10 * i + 3 + 4 + 50) << i;
  EXPECT_TRUE(input->piece(4, 99).equal(images.slice(0, 4)));
  EXPECT_TRUE(all("set", 1).equal(images));
}

TEST_F(ImageInputs, OfMixedSizesOrDamagedAreRefusedByName) {
  for (const char* name : {"set/a.png", "set/b.png"}) put_png(name, 5, 4, 0);
  put_png("set/c.png", 4, 5, 0);
  EXPECT_THAT(message_of<ConfigError>([&] { (void)all("set"); }),
              AllOf(HasSubstr("c.png: 4 x 5 pixels"), HasSubstr("a.png has 5 x 4")));
  put(at("set/b.png"), bytes_of(at("set/b.png")).substr(0, 60));
  EXPECT_THAT(message_of<CorruptData>([&] { (void)all("set"); }), HasSubstr("b.png: "));
}

TEST_F(ImageInputs, ThatAreNoneAreRefused) {
  std::filesystem::create_directories(at("empty"));
  EXPECT_THAT(message_of<UsageError>([&] { (void)open_image_input(at("empty"), 1); }), HasSubstr("no .jpg"));
  EXPECT_THAT(message_of<UsageError>([&] { (void)open_image_input(at("none"), 1); }), HasSubstr("no such file"));
  write_npz(at("floats.npz"), {{"arr_0", torch::zeros({2, 4, 4, 3})}});
  EXPECT_THAT(message_of<ConfigError>([&] { (void)open_image_input(at("floats.npz"), 1); }),
              AllOf(HasSubstr("arr_0 is Float"), HasSubstr("uint8")));
  write_npz(at("other.npz"), {{"mu", torch::zeros({2})}});
  EXPECT_THAT(message_of<ConfigError>([&] { (void)open_image_input(at("other.npz"), 1); }), HasSubstr("but mu"));
}

TEST_F(ImageInputs, OfAnNpzFileAreReadInAnyOrderOfPieces) {
  const torch::Tensor images = some_bytes({7, 4, 6, 3});
  write_npz(at("a.npz"), {{"arr_0", images}});
  const auto input = open_image_input(at("a.npz"), 1);
  EXPECT_EQ(input->shape(), (ImageShape{3, 4, 6}));
  const torch::Tensor expected = images.permute({0, 3, 1, 2});
  for (const auto& [begin, end] : {std::pair{0, 2}, {4, 6}, {1, 3}, {6, 7}, {0, 7}})
    EXPECT_TRUE(input->piece(begin, end).equal(expected.slice(0, begin, end))) << begin;
  write_npz(at("grey.npz"), {{"images", some_bytes({3, 4, 6})}});
  EXPECT_EQ(all("grey.npz").sizes(), at::IntArrayRef({3, 1, 4, 6}));
}

TEST_F(ImageInputs, OfAStoreAreItsPixelsAndLatentsAreRefused) {
  const torch::Tensor rows = some_bytes({5, 3, 8, 8});
  write_store(at("pixels.h5"), pixel_facts(8, 3, 2), rows);
  EXPECT_TRUE(all("pixels.h5").equal(rows));
  write_store(at("latents.h5"), latent_facts(2, 4, 1), torch::zeros({2, 8, 2, 2}));
  EXPECT_THAT(message_of<ConfigError>([&] { (void)open_image_input(at("latents.h5"), 1); }),
              HasSubstr("store of latents"));
}

}  // namespace
}  // namespace ditscale::worker
