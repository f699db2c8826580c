#include <filesystem>
#include <string>

#include <gmock/gmock.h>
#include <torch/types.h>
#include <zlib.h>

#include "common/error.hpp"
#include "sweeps/spec/data_sets.hpp"
#include "tests/unit/worker/big_endian.hpp"
#include "tests/unit/worker/scratch_folder.hpp"
#include "worker/data/image_set.hpp"

namespace ditscale::worker {
namespace {

using common::CorruptData;
using common::SystemError;
using testing::AllOf;
using testing::HasSubstr;

std::string gzip(const std::string& plain) {
  z_stream stream{};
  deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
  std::string in = plain;
  std::string out(deflateBound(&stream, plain.size()) + 64, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(in.data());
  stream.avail_in = static_cast<uInt>(in.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

/// A folder with a test split of three images, which each test damages in its own way.
class IdxFiles : public InScratchFolder {
 protected:
  IdxFiles() {
    for (int i = 0; i < 3 * 28 * 28; ++i) pixels_ += static_cast<char>(i * 7 % 256);
    put(images(), image_bytes());
    put(labels(), label_bytes());
  }

  [[nodiscard]] std::filesystem::path images() const { return at("t10k-images-idx3-ubyte"); }
  [[nodiscard]] std::filesystem::path labels() const { return at("t10k-labels-idx1-ubyte"); }
  [[nodiscard]] std::string image_bytes() const {
    return big_endian(0x803) + big_endian(3) + big_endian(28) + big_endian(28) + pixels_;
  }
  [[nodiscard]] static std::string label_bytes() {
    return big_endian(0x801) + big_endian(3) + std::string("\x09\x00\x05", 3);
  }

  [[nodiscard]] ImageSet load(Split split = Split::kTest) const {
    sweeps::DataSpec data;
    data.root = folder_.string();
    return load_image_set(data, split);
  }
  [[nodiscard]] std::string corruption() const {
    return message_of<CorruptData>([&] { (void)load(); });
  }

  std::string pixels_;
};

TEST_F(IdxFiles, GiveImagesAndLabelsInTheirOrder) {
  const ImageSet set = load();
  EXPECT_EQ(set.images.sizes(), (std::vector<std::int64_t>{3, 1, 28, 28}));
  EXPECT_EQ(set.images.scalar_type(), torch::kByte);
  EXPECT_EQ(set.images[1][0][0][1].item<int>(), (28 * 28 + 1) * 7 % 256);
  EXPECT_TRUE(torch::equal(set.labels, torch::tensor({9, 0, 5}, torch::kLong)));
}

TEST_F(IdxFiles, GiveTheSameDigestPackedAndPlain) {
  const std::string plain = load().digest;
  std::filesystem::remove(images());
  put(at("t10k-images-idx3-ubyte.gz"), gzip(image_bytes()));
  EXPECT_EQ(load().digest, plain);
}

TEST_F(IdxFiles, GiveAnotherDigestForAnotherPixelOrLabel) {
  const std::string before = load().digest;
  std::string changed = image_bytes();
  changed.back() ^= 1;
  put(images(), changed);
  const std::string after = load().digest;
  EXPECT_NE(after, before);
  put(images(), image_bytes());
  put(labels(), big_endian(0x801) + big_endian(3) + std::string("\x09\x00\x04", 3));
  EXPECT_NE(load().digest, before);
}

TEST_F(IdxFiles, AreNamedWithAdviceWhenMissing) {
  EXPECT_THAT(message_of<SystemError>([&] { (void)load(Split::kTrain); }),
              AllOf(HasSubstr(folder_.string()), HasSubstr("train-images-idx3-ubyte.gz"),
                    HasSubstr("dataset-fashion-mnist"), HasSubstr("data.root")));
}

TEST_F(IdxFiles, AreRefusedWhenCutShort) {
  put(images(), image_bytes().substr(0, 2000));
  EXPECT_THAT(corruption(), AllOf(HasSubstr("t10k-images"), HasSubstr("368 bytes before"), HasSubstr("data.root")));
  for (const std::size_t length : {0, 3, 4, 9, 15}) {
    put(images(), image_bytes().substr(0, length));
    EXPECT_THAT(corruption(), HasSubstr("t10k-images"));
  }
}

TEST_F(IdxFiles, AreRefusedWithBytesAtTheirEnd) {
  put(labels(), label_bytes() + "x");
  EXPECT_THAT(corruption(), AllOf(HasSubstr("t10k-labels"), HasSubstr("1 bytes too many")));
}

TEST_F(IdxFiles, AreRefusedWithAnotherMagic) {
  put(images(), label_bytes());
  EXPECT_THAT(corruption(), AllOf(HasSubstr("t10k-images"), HasSubstr("0x00000801"), HasSubstr("0x00000803")));
}

TEST_F(IdxFiles, AreRefusedWithOtherSizes) {
  put(images(), big_endian(0x803) + big_endian(3) + big_endian(28) + big_endian(27) + pixels_);
  EXPECT_THAT(corruption(), HasSubstr("(3, 28, 27)"));
  put(images(), big_endian(0x803) + big_endian(0xffffffff) + big_endian(28) + big_endian(28) + pixels_);
  EXPECT_THAT(corruption(), HasSubstr("4294967295"));
  put(images(), big_endian(0x803) + big_endian(0) + big_endian(28) + big_endian(28));
  EXPECT_THAT(corruption(), HasSubstr("(0, 28, 28)"));
}

TEST_F(IdxFiles, AreRefusedWhenLabelsAndImagesDoNotPair) {
  put(labels(), big_endian(0x801) + big_endian(2) + std::string("\x09\x00", 2));
  EXPECT_THAT(corruption(), HasSubstr("2 labels for 3 images"));
}

TEST_F(IdxFiles, AreRefusedWithALabelOutOfRange) {
  put(labels(), big_endian(0x801) + big_endian(3) + std::string("\x09\x0a\x05", 3));
  EXPECT_THAT(corruption(), AllOf(HasSubstr("label 10"), HasSubstr("largest is 9")));
}

/// The same with the image file packed.
class GzipIdxFiles : public IdxFiles {
 protected:
  GzipIdxFiles() { std::filesystem::remove(images()); }
  void put_packed(const std::string& bytes) { put(at("t10k-images-idx3-ubyte.gz"), bytes); }
};

TEST_F(GzipIdxFiles, AreRefusedAtEveryCut) {
  const std::string packed = gzip(image_bytes());
  for (std::size_t length = 0; length < packed.size(); length += 1 + packed.size() / 200) {
    put_packed(packed.substr(0, length));
    EXPECT_THAT(corruption(), HasSubstr("t10k-images")) << length;
  }
  put_packed(packed.substr(0, packed.size() - 1));
  EXPECT_THAT(corruption(), HasSubstr("cut short"));
}

TEST_F(GzipIdxFiles, AreRefusedWithAWrongChecksum) {
  std::string packed = gzip(image_bytes());
  packed[packed.size() - 8] ^= 1;  // the checksum and the length are the last eight bytes
  put_packed(packed);
  EXPECT_THAT(corruption(), HasSubstr("incorrect data check"));
}

TEST_F(GzipIdxFiles, AreRefusedWithBytesAfterTheData) {
  put_packed(gzip(image_bytes() + "x"));
  EXPECT_THAT(corruption(), HasSubstr("more data than its header promises"));
  put_packed(gzip(image_bytes()) + "xyz");
  EXPECT_THAT(corruption(), HasSubstr("3 bytes too many after the gzip data"));
}

TEST(FashionMnist, HasTheSizesThePackagePromises) {
  if (!std::filesystem::exists(sweeps::data_set("fashion_mnist").default_root))
    GTEST_SKIP() << "the Debian package dataset-fashion-mnist is not installed";
  const ImageSet train = load_image_set({}, Split::kTrain);
  const ImageSet test = load_image_set({}, Split::kTest);
  EXPECT_EQ(train.images.size(0), 60'000);
  EXPECT_EQ(test.images.size(0), 10'000);
  // H. Xiao et al., arXiv 1708.07747: every class has 6,000 training and 1,000 test images.
  EXPECT_TRUE(torch::equal(train.labels.bincount(), torch::full({10}, 6000, torch::kLong)));
  EXPECT_TRUE(torch::equal(test.labels.bincount(), torch::full({10}, 1000, torch::kLong)));
  EXPECT_NE(train.digest, test.digest);
}

TEST(OtherDataSets, AreRefusedByName) {
  sweeps::DataSpec data;
  data.name = "imagenet_latents";
  EXPECT_THAT(message_of<common::ConfigError>([&] { (void)load_image_set(data, Split::kTrain); }),
              HasSubstr("imagenet_latents"));
}

}  // namespace
}  // namespace ditscale::worker
