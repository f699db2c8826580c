#include "worker/data/prepare.hpp"

#include <gmock/gmock.h>

#include "common/error.hpp"
#include "tests/unit/worker/big_endian.hpp"
#include "tests/unit/worker/picture_files.hpp"
#include "tests/unit/worker/scratch_folder.hpp"
#include "worker/storage/hdf5_file.hpp"
#include "worker/storage/npz_file.hpp"

namespace ditscale::worker {
namespace {

namespace fs = std::filesystem;
using common::ConfigError;
using common::CorruptData;
using common::UsageError;
using test_files::rgb_jpeg;
using test_files::rgb_png;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

/// A file whose every pixel is `grey`: what is found in a store tells which file it came from.
std::string grey_png(int grey, std::uint32_t side = 8) {
  return rgb_png(side, side, [grey](int, int, int) { return grey; });
}

class Preparation : public InScratchFolder {
 protected:
  [[nodiscard]] fs::path source() const { return at("images"); }
  [[nodiscard]] fs::path out() const { return at("store.h5"); }

  void put_image(const std::string& name, int grey) { put(source() / name, grey_png(grey)); }

  /// Three classes; the order of the paths is 10, 11, 20, 30, 31, 32.
  void put_classes() {
    put_image("a/1.png", 10);
    put_image("a/2.PNG", 11);
    put_image("a-b/1.png", 20);
    put_image("b/deeper/still/1.png", 30);
    put_image("b/x.png", 31);
    put(source() / "b/y.JPEG", rgb_jpeg(8, 8, [](int, int, int) { return 32; }));
    put(source() / "b/readme.txt", "no image");
    put(source() / "b/.hidden.png", "no image either");
  }

  /// More than one shard.
  void put_many() {
    for (int i = 0; i < kMany; ++i) put_image("c/" + std::to_string(10000 + i) + ".png", i % 256);
  }
  static constexpr int kMany = 2300;

  [[nodiscard]] PrepareSettings settings(std::int64_t size = 4) const {
    PrepareSettings s;
    s.source = source();
    s.out = out();
    s.image_size = size;
    return s;
  }

  static PrepareResult prepare(const PrepareSettings& settings, bool strict = false) {
    PrepareOptions options;
    options.strict = strict;
    return prepare_store(settings, options).value();
  }

  /// The grey of each image of the store.
  static std::vector<int> greys(const fs::path& store) {
    const torch::Tensor images = Hdf5File::open(store).read("images");
    std::vector<int> result;
    for (std::int64_t i = 0; i < images.size(0); ++i) {
      EXPECT_EQ(images[i].min().item<int>(), images[i].max().item<int>());
      result.push_back(images[i][0][0][0].item<int>());
    }
    return result;
  }

  static std::vector<std::int64_t> labels(const fs::path& store) {
    const torch::Tensor labels = Store(store).labels();
    return {labels.const_data_ptr<std::int64_t>(), labels.const_data_ptr<std::int64_t>() + labels.numel()};
  }

  static PrepareOptions stop_after(int num_images) {
    PrepareOptions options;
    options.stop = [left = num_images]() mutable { return left-- <= 0; };
    return options;
  }
};

TEST_F(Preparation, TakesEachImageOnceWithTheClassOfItsFolder) {
  put_classes();
  const PrepareResult result = prepare(settings());
  EXPECT_THAT(greys(out()), ElementsAre(10, 11, 20, 30, 31, 32));
  EXPECT_THAT(labels(out()), ElementsAre(0, 0, 1, 2, 2, 2));
  const Store store(out());
  EXPECT_THAT(store.class_names(), ElementsAre("a", "a-b", "b"));
  EXPECT_EQ(store.facts().num_classes, 3);
  EXPECT_TRUE(result.damaged.empty());
  EXPECT_FALSE(fs::exists(PartsPaths(out()).folder));
  store.verify();
}

TEST_F(Preparation, MakesNoLabelsOfAFlatFolder) {
  put_image("1.png", 1);
  put_image("2.png", 2);
  prepare(settings());
  EXPECT_EQ(Store(out()).facts().num_classes, 0);
  EXPECT_THAT(labels(out()), ElementsAre(0, 0));
}

TEST_F(Preparation, RefusesImagesBesideFolders) {
  put_image("a/1.png", 1);
  put_image("loose.png", 2);
  EXPECT_THAT(message_of<UsageError>([&] { prepare(settings()); }), HasSubstr("loose.png"));
}

TEST_F(Preparation, RefusesAFolderWithoutImages) {
  put(source() / "a/readme.txt", "x");
  EXPECT_THAT(message_of<UsageError>([&] { prepare(settings()); }), HasSubstr("no .jpg"));
  EXPECT_THAT(message_of<UsageError>([&] {
                PrepareSettings s = settings();
                s.source = at("nowhere");
                prepare(s);
              }),
              HasSubstr("no such file"));
}

TEST_F(Preparation, RefusesALoopOfLinks) {
  put_image("a/1.png", 1);
  fs::create_directory_symlink(source() / "a", source() / "a/again");
  EXPECT_THAT(message_of<common::Error>([&] { prepare(settings()); }), HasSubstr("again"));
}

TEST_F(Preparation, LeavesDamagedImagesOutAndListsThem) {
  put_classes();
  put(source() / "a/2.PNG", grey_png(11).substr(0, 60));
  put(source() / "b/x.png", "");
  const PrepareResult result = prepare(settings());
  EXPECT_THAT(greys(out()), ElementsAre(10, 20, 30, 32));
  EXPECT_THAT(labels(out()), ElementsAre(0, 1, 2, 2));
  EXPECT_THAT(result.damaged, ElementsAre(AllOf(HasSubstr("images/a/2.PNG: PNG:"), HasSubstr("cut short")),
                                          AllOf(HasSubstr("b/x.png"), HasSubstr("empty"))));
  EXPECT_THAT(bytes_of(out().string() + ".damaged.txt"), HasSubstr("b/x.png: the file is empty\n"));
  Store(out()).verify();
}

TEST_F(Preparation, MakesTheStoreOfTheGoodImagesAsIfTheOthersWereNotThere) {
  put_classes();
  put(source() / "b/x.png", "");
  prepare(settings());
  const std::string digest = Store(out()).facts().digest;
  fs::remove(out());
  fs::remove(source() / "b/x.png");
  prepare(settings());
  EXPECT_EQ(Store(out()).facts().digest, digest);
  EXPECT_FALSE(fs::exists(out().string() + ".damaged.txt"));
}

TEST_F(Preparation, MakesNoStoreOfDamagedImagesWhenItIsStrict) {
  put_classes();
  put(source() / "b/x.png", "");
  EXPECT_THAT(message_of<CorruptData>([&] { prepare(settings(), true); }),
              AllOf(HasSubstr("1 images"), HasSubstr("b/x.png")));
  EXPECT_FALSE(fs::exists(out()));
  put_image("b/x.png", 99);
  prepare(settings(), true);
  EXPECT_THAT(greys(out()), ElementsAre(10, 11, 20, 30, 99, 32));
}

TEST_F(Preparation, IsNotContentWithAStoreThatLacksImagesWhenItIsStrict) {
  put_classes();
  prepare(settings());
  EXPECT_TRUE(prepare(settings(), true).was_there);
  fs::remove(out());
  put(source() / "b/x.png", "");
  prepare(settings());
  EXPECT_THAT(message_of<CorruptData>([&] { prepare(settings(), true); }),
              AllOf(HasSubstr("1 of 6 images"), HasSubstr("store.h5.damaged.txt")));
  EXPECT_TRUE(prepare(settings()).was_there);
}

TEST_F(Preparation, RefusesASourceOfDamagedImagesAlone) {
  put(source() / "a/1.png", "x");
  EXPECT_THAT(message_of<CorruptData>([&] { prepare(settings()); }), HasSubstr("none of its 1 images"));
}

TEST_F(Preparation, GoesOnWhereItWasStoppedAndMakesTheSameBytes) {
  put_many();
  EXPECT_EQ(prepare(settings()).num_decoded, kMany);
  const std::string whole = bytes_of(out());
  // Stopped inside the first shard, the second, and the last.
  for (const std::int64_t after : {std::int64_t{10}, kShardImages + 10, std::int64_t{kMany - 10}}) {
    fs::remove(out());
    EXPECT_FALSE(prepare_store(settings(), stop_after(static_cast<int>(after))).has_value());
    EXPECT_FALSE(fs::exists(out()));
    EXPECT_EQ(prepare(settings()).num_decoded, kMany - after / kShardImages * kShardImages);
    EXPECT_TRUE(bytes_of(out()) == whole) << after;
  }
}

TEST_F(Preparation, FinishesAfterAKillAtTheEnd) {
  put_classes();
  put(source() / "b/x.png", "");
  prepare(settings());
  const std::string whole = bytes_of(out());
  fs::remove(out());
  // All shards done, and a copy without the damaged image begun.
  const PreparePlan plan = make_plan(settings());
  const PartsPaths paths(out());
  fs::create_directories(paths.folder);
  begin_parts(plan, paths);
  fill_shards(plan, paths, [](bool) {});
  put(paths.compacted(), "the beginning of a copy");
  EXPECT_EQ(prepare(settings()).num_decoded, 0);
  EXPECT_TRUE(bytes_of(out()) == whole);
  // The store in its place, the parts not yet gone.
  fs::create_directories(paths.folder);
  EXPECT_TRUE(prepare(settings()).was_there);
  EXPECT_FALSE(fs::exists(paths.folder));
}

TEST_F(Preparation, DoesNothingWhenTheStoreIsThere) {
  put_classes();
  prepare(settings());
  const PrepareResult again = prepare(settings());
  EXPECT_TRUE(again.was_there);
  EXPECT_EQ(again.facts.num_images, 6);
}

TEST_F(Preparation, RefusesToReplaceAnotherStore) {
  put_classes();
  prepare(settings());
  EXPECT_THAT(message_of<ConfigError>([&] { prepare(settings(5)); }), AllOf(HasSubstr("store.h5"), HasSubstr("--out")));
}

TEST_F(Preparation, RefusesToGoOnWithOtherImagesOrSettings) {
  put_many();
  EXPECT_FALSE(prepare_store(settings(), stop_after(1500)).has_value());
  EXPECT_THAT(message_of<ConfigError>([&] { prepare(settings(5)); }), HasSubstr("image_size 5 (was 4)"));
}

TEST_F(Preparation, NamesAnImageThatIsNewOrGone) {
  put_many();
  EXPECT_FALSE(prepare_store(settings(), stop_after(1500)).has_value());
  put_image("c/10005-new.png", 3);
  EXPECT_THAT(message_of<ConfigError>([&] { prepare(settings()); }), HasSubstr("c/10005-new.png is new"));
  fs::remove(source() / "c/10005-new.png");
  fs::remove(source() / "c/10700.png");
  EXPECT_THAT(message_of<ConfigError>([&] { prepare(settings()); }), HasSubstr("c/10700.png is gone"));
}

TEST_F(Preparation, RefusesASecondOneAtTheSameTime) {
  put_classes();
  PrepareOptions options;
  std::string second;
  options.stop = [&] {
    if (second.empty()) second = message_of<ConfigError>([&] { prepare(settings()); });
    return false;
  };
  (void)prepare_store(settings(), options);
  EXPECT_THAT(second, HasSubstr("another process"));
}

TEST_F(Preparation, GivesEachImageItsEmbedding) {
  put_classes();
  put(source() / "a/2.PNG", "");
  const torch::Tensor embeddings = torch::arange(6 * 2 * 3, torch::kFloat).reshape({6, 2, 3}).to(torch::kHalf);
  Hdf5File file = Hdf5File::create(at("embeddings.h5"));
  file.write("text/t5", embeddings);
  file.close();
  PrepareSettings s = settings();
  s.embeddings_file = at("embeddings.h5");
  s.embeddings_dataset = "text/t5";
  prepare(s);
  const torch::Tensor kept = Hdf5File::open(out()).read("embeddings");
  EXPECT_TRUE(torch::equal(kept, torch::cat({embeddings.slice(0, 0, 1), embeddings.slice(0, 2)})));
  EXPECT_EQ(Store(out()).facts().context_tokens, 2);
  Store(out()).verify();
  s.out = at("other.h5");
  put_image("a/3.png", 1);
  EXPECT_THAT(message_of<ConfigError>([&] { prepare(s); }), HasSubstr("6 rows for 7 images"));
}

TEST_F(Preparation, TakesIdxFilesAsTheyAre) {
  const torch::Tensor images = torch::randint(0, 256, {5, 6, 6}, torch::kByte);
  put(at("train-images-idx3-ubyte"),
      big_endian(0x803) + big_endian(5) + big_endian(6) + big_endian(6) +
          std::string(static_cast<const char*>(images.const_data_ptr()), images.nbytes()));
  put(at("train-labels-idx1-ubyte"), big_endian(0x801) + big_endian(5) + std::string("\x01\x00\x02\x02\x01", 5));
  PrepareSettings s = settings();
  s.source = at("train-images-idx3-ubyte");
  s.image_size.reset();
  prepare(s);
  EXPECT_TRUE(torch::equal(Hdf5File::open(out()).read("images"), images.unsqueeze(1)));
  EXPECT_THAT(labels(out()), ElementsAre(1, 0, 2, 2, 1));
  EXPECT_EQ(Store(out()).facts().num_classes, 3);
  EXPECT_EQ(Store(out()).facts().channels, 1);
}

TEST_F(Preparation, RefusesIdxFilesThatClaimWhatTheyCannotHold) {
  put(at("images-idx3"), big_endian(0x803) + big_endian(0xFFFFFFFF) + big_endian(0xFFFFFFFF) + big_endian(0xFFFFFFFF));
  PrepareSettings s = settings();
  s.source = at("images-idx3");
  EXPECT_THAT(message_of<CorruptData>([&] { prepare(s); }), HasSubstr("at most 16 bytes"));
}

TEST_F(Preparation, TakesNpzFilesAsTheyAre) {
  const torch::Tensor images = torch::randint(0, 256, {5, 6, 6, 3}, torch::kByte);
  write_npz(at("images.npz"), {{"arr_0", images}, {"arr_1", torch::tensor({3, 0, 1, 1, 0}, torch::kInt)}});
  PrepareSettings s = settings();
  s.source = at("images.npz");
  s.image_size.reset();
  prepare(s);
  EXPECT_TRUE(torch::equal(Hdf5File::open(out()).read("images"), images.permute({0, 3, 1, 2})));
  EXPECT_THAT(labels(out()), ElementsAre(3, 0, 1, 1, 0));
  EXPECT_EQ(Store(out()).facts().num_classes, 4);
}

TEST_F(Preparation, RefusesNpzFilesOfOtherThings) {
  PrepareSettings s = settings();
  s.source = at("other.npz");
  write_npz(s.source, {{"x", torch::zeros({3})}});
  EXPECT_THAT(message_of<UsageError>([&] { prepare(s); }), HasSubstr("neither images nor arr_0, but x"));
  write_npz(s.source, {{"images", torch::zeros({3, 4, 4, 3})}});
  EXPECT_THAT(message_of<UsageError>([&] { prepare(s); }), HasSubstr("Float of shape (3, 4, 4, 3)"));
  write_npz(s.source, {{"images", torch::zeros({3, 4, 4, 3}, torch::kByte)}, {"labels", torch::tensor({0, -1, 2})}});
  EXPECT_THAT(message_of<UsageError>([&] { prepare(s); }), HasSubstr("labels"));
}

TEST_F(Preparation, NeedsAnImageSizeForFolders) {
  put_classes();
  PrepareSettings s = settings();
  s.image_size.reset();
  EXPECT_THAT(message_of<UsageError>([&] { prepare(s); }), HasSubstr("--image-size"));
}

}  // namespace
}  // namespace ditscale::worker
