#include "worker/evaluation/sample_file.hpp"

#include <gmock/gmock.h>

#include "common/error.hpp"
#include "tests/unit/worker/scratch_folder.hpp"
#include "worker/storage/npz_file.hpp"

namespace ditscale::worker {
namespace {

class Samples : public InScratchFolder {
 protected:
  [[nodiscard]] SampleFile open() const { return {file(), "key", 10, 3, 4}; }
  [[nodiscard]] std::filesystem::path file() const { return at("samples.npz"); }

  const torch::Tensor images_ = (torch::arange(10 * 3 * 4 * 4) % 251).to(torch::kByte).view({10, 3, 4, 4});
};

TEST_F(Samples, AreOneArrayWithTheChannelFastest) {
  SampleFile samples = open();
  EXPECT_TRUE(samples.is_new());
  samples.write(4, images_.slice(0, 4, 10));
  samples.write(0, images_.slice(0, 0, 4));
  EXPECT_TRUE(std::filesystem::exists(at("samples.npz.key.part")));
  samples.sync();
  samples.finish();
  const NpzFile written = NpzFile::open(file());
  EXPECT_EQ(written.names(), std::vector<std::string>{"arr_0"});
  EXPECT_TRUE(torch::equal(written.read("arr_0"), images_.permute({0, 2, 3, 1})));
  EXPECT_FALSE(std::filesystem::exists(at("samples.npz.key.part")));
}

TEST_F(Samples, AreKeptUntilAllAreThere) {
  open().write(0, images_.slice(0, 0, 4));
  SampleFile again = open();
  EXPECT_FALSE(again.is_new());
  again.write(4, images_.slice(0, 4, 10));
  again.finish();
  EXPECT_TRUE(torch::equal(NpzFile::open(file()).read("arr_0"), images_.permute({0, 2, 3, 1})));
}

TEST_F(Samples, OfAnotherNumberBeginAnew) {
  open().write(0, images_.slice(0, 0, 4));
  EXPECT_TRUE(SampleFile(file(), "key", 11, 3, 4).is_new());
}

TEST_F(Samples, OfAnotherKeyAreNotMixedWithThese) {
  open().write(0, images_.slice(0, 0, 4));
  SampleFile other(file(), "other", 10, 3, 4);
  EXPECT_TRUE(other.is_new());
  other.write(0, images_.flip(0).slice(0, 0, 4));
  SampleFile again = open();
  EXPECT_FALSE(again.is_new());
  again.write(4, images_.slice(0, 4, 10));
  again.finish();
  EXPECT_TRUE(torch::equal(NpzFile::open(file()).read("arr_0"), images_.permute({0, 2, 3, 1})));
}

TEST_F(Samples, NeverReplaceAFile) {
  put(file(), "somebody's");
  EXPECT_THAT([&] { (void)open(); },
              testing::ThrowsMessage<common::ConfigError>(testing::HasSubstr("is there already")));
  EXPECT_EQ(bytes_of(file()), "somebody's");
}

}  // namespace
}  // namespace ditscale::worker
