#include "worker/data/store.hpp"

#include <gmock/gmock.h>

#include "common/error.hpp"
#include "tests/unit/worker/made_up_store.hpp"
#include "tests/unit/worker/scratch_folder.hpp"
#include "worker/data/image_set.hpp"
#include "worker/storage/hdf5_file.hpp"

namespace ditscale::worker {
namespace {

using common::CorruptData;
using testing::AllOf;
using testing::HasSubstr;

constexpr std::int64_t kStoredImages = 20;

class Stores : public InScratchFolder {
 protected:
  Stores() { digest_ = write_store(path_, pixel_facts(6, 3, 4), rows_); }

  [[nodiscard]] std::string corruption() const {
    return message_of<CorruptData>([&] { Store(path_).verify(); });
  }

  void flip_bit(std::size_t offset) {
    std::string bytes = bytes_of(path_);
    bytes[offset] ^= 1;
    put(path_, bytes);
  }

  [[nodiscard]] std::size_t place(const std::string& dataset) const {
    return Hdf5File::open(path_).place(dataset).offset_bytes;
  }

  [[nodiscard]] sweeps::DataSpec data() const {
    sweeps::DataSpec data;
    data.name = "store";
    data.root = path_.string();
    data.image_size = 6;
    data.channels = 3;
    data.num_classes = 4;
    data.num_images = kStoredImages;
    data.digest = digest_;
    return data;
  }

  std::filesystem::path path_ = at("store.h5");
  torch::Tensor rows_ = torch::randint(0, 256, {kStoredImages, 3, 6, 6}, torch::kByte);
  std::string digest_;
};

TEST_F(Stores, GiveBackWhatWasPutIntoThem) {
  const Store store(path_);
  EXPECT_EQ(store.facts().digest, digest_);
  EXPECT_EQ(store.facts().num_images, kStoredImages);
  EXPECT_EQ(store.facts().source, "made up");
  EXPECT_EQ(store.class_names().at(3), "class 3");
  EXPECT_EQ(store.labels()[7].item<int>(), 3);
  EXPECT_TRUE(torch::equal(store.rows(0, kStoredImages), rows_));
  store.verify();
}

TEST_F(Stores, AreOrdinaryHdf5Files) { EXPECT_TRUE(torch::equal(Hdf5File::open(path_).read("images"), rows_)); }

TEST_F(Stores, HaveADigestOfAllTheirContent) {
  EXPECT_EQ(write_store(at("same.h5"), pixel_facts(6, 3, 4), rows_), digest_);
  EXPECT_NE(write_store(at("labels.h5"), pixel_facts(6, 3, 5), rows_), digest_);
  rows_[3][0][0][0] += 1;
  EXPECT_NE(write_store(at("pixel.h5"), pixel_facts(6, 3, 4), rows_), digest_);
}

TEST_F(Stores, KeepHalfPrecisionAndEmbeddings) {
  const torch::Tensor moments = torch::randn({5, 2, 8, 4, 4}).to(torch::kHalf);
  const torch::Tensor embeddings = torch::randn({5, 7, 3});
  write_store(at("latents.h5"), latent_facts(4, 4, 2), moments, embeddings);
  const Store store(at("latents.h5"));
  EXPECT_EQ(store.facts().type, at::kHalf);
  EXPECT_TRUE(torch::equal(store.rows(0, 5), moments));
  torch::Tensor row = torch::empty({2, 8, 4, 4}, torch::kHalf), context = torch::empty({7, 3});
  store.read(4, {static_cast<std::byte*>(row.data_ptr()), row.nbytes()},
             {static_cast<std::byte*>(context.data_ptr()), context.nbytes()});
  EXPECT_TRUE(torch::equal(row, moments[4]));
  EXPECT_TRUE(torch::equal(context, embeddings[4]));
}

TEST_F(Stores, AreRefusedBeforeTheyAreFinished) {
  create_store(
      at("begun.h5"),
      [] {
        StoreFacts facts = pixel_facts(6, 3, 0);
        facts.num_images = 2;
        return facts;
      }(),
      {}, torch::zeros({2}, torch::kLong));
  EXPECT_THAT(message_of<CorruptData>([&] { Store(at("begun.h5")); }), HasSubstr("not finished"));
}

TEST_F(Stores, NameTheRowThatIsDamaged) {
  flip_bit(place("images") + 5 * 3 * 36 + 10);
  EXPECT_THAT(corruption(), AllOf(HasSubstr("store.h5"), HasSubstr("row 5")));
}

TEST_F(Stores, AreRefusedWithAnotherLabelOrHashOrHeader) {
  const std::string whole = bytes_of(path_);
  for (const char* dataset : {"labels", "row_hashes"}) {
    flip_bit(place(dataset));
    EXPECT_THAT(corruption(), HasSubstr("digest"));
    put(path_, whole);
  }
  const std::size_t classes = whole.find("\"num_classes\": 4");
  std::string other = whole;
  other[classes + 15] = '9';
  put(path_, other);
  EXPECT_THAT(corruption(), HasSubstr("digest"));
}

TEST_F(Stores, AreRefusedWithSizesTheyDoNotHave) {
  const std::string whole = bytes_of(path_);
  const std::vector<std::pair<std::string, std::string>> changes{{"\"num_images\": 20", "\"num_images\": 90"},
                                                                 {"\"image_size\": 6", "\"image_size\": 9"},
                                                                 {"\"channels\": 3", "\"channels\": 0"},
                                                                 {"\"version\": 1", "\"version\": 2"},
                                                                 {"\"space\": \"p", "\"spice\": \"p"}};
  for (const auto& [from, to] : changes) {
    std::string other = whole;
    other.replace(other.find(from), from.size(), to);
    put(path_, other);
    EXPECT_FALSE(corruption().empty()) << to;
  }
}

TEST_F(Stores, AreRefusedWhereverTheyAreCut) {
  const std::string whole = bytes_of(path_);
  for (std::size_t length = 0; length < whole.size(); length += 1 + whole.size() / 40) {
    put(path_, whole.substr(0, length));
    EXPECT_FALSE(corruption().empty()) << length;
  }
}

TEST_F(Stores, AreLoadedWholeOrLeftOnTheDisk) {
  const ImageSet held = load_image_set(data(), Split::kTrain);
  EXPECT_TRUE(torch::equal(held.images, rows_));
  EXPECT_EQ(held.store, nullptr);
  const ImageSet left = load_image_set(data(), Split::kTrain, 100);
  EXPECT_FALSE(left.images.defined());
  EXPECT_EQ(left.num_images(), kStoredImages);
  EXPECT_TRUE(torch::equal(left.piece(3, 100), rows_.slice(0, 3)));
}

TEST_F(Stores, AreComparedWithWhatTheTrialSays) {
  sweeps::DataSpec other = data();
  other.num_images = 21;
  other.digest = "0123";
  EXPECT_THAT(message_of<common::ConfigError>([&] { (void)load_image_set(other, Split::kTrain); }),
              AllOf(HasSubstr("num_images 21 (the store: 20)"), HasSubstr("digest 0123"), HasSubstr("worker prepare")));
}

TEST_F(Stores, DescribeThemselvesAsASweepFileWants) {
  const auto json = data_object(path_, Store(path_).facts());
  EXPECT_EQ(json.at("root"), path_.string());
  EXPECT_EQ(json.at("space"), "pixels");
  EXPECT_EQ(json.at("digest"), digest_);
  EXPECT_FALSE(json.contains("context_tokens"));
}

}  // namespace
}  // namespace ditscale::worker
