#include "worker/evaluation/feature_journal.hpp"

#include <gmock/gmock.h>

#include "common/error.hpp"
#include "tests/unit/worker/scratch_folder.hpp"

namespace ditscale::worker {
namespace {

constexpr FeatureWidths kWidths{3, 2, 0};

ImageFeatures piece_of(std::int64_t first, std::int64_t count) {
  const torch::Tensor rows = torch::arange(first, first + count, torch::kFloat).view({-1, 1});
  return {rows + torch::arange(3) * 0.25, rows - torch::arange(2) * 0.5, {}};
}

class Journal : public InScratchFolder {
 protected:
  [[nodiscard]] FeatureJournal open(const std::string& key = "a model, some settings") const {
    return {file(), key, kWidths};
  }
  [[nodiscard]] std::filesystem::path file() const { return at("score.features"); }

  /// Three pieces of 4, 5 and 1 samples.
  void write_three() const {
    FeatureJournal journal = open();
    journal.append(piece_of(0, 4));
    journal.append(piece_of(4, 5));
    journal.append(piece_of(9, 1));
  }

  /// That what is replayed are the samples 0 … num_done - 1, each once and unchanged.
  static void expect_good(const FeatureJournal& journal) {
    std::int64_t next = 0;
    journal.replay([&](std::int64_t first, const ImageFeatures& features) {
      ASSERT_EQ(first, next);
      const ImageFeatures expected = piece_of(first, features.pooled.size(0));
      EXPECT_TRUE(torch::equal(features.pooled, expected.pooled));
      EXPECT_TRUE(torch::equal(features.spatial, expected.spatial));
      EXPECT_FALSE(features.logits.defined());
      next += features.pooled.size(0);
    });
    EXPECT_EQ(next, journal.num_done());
  }
};

TEST_F(Journal, GivesBackWhatWasAppended) {
  write_three();
  const FeatureJournal journal = open();
  EXPECT_EQ(journal.num_done(), 10);
  expect_good(journal);
}

TEST_F(Journal, OfAnotherKeyBeginsAnew) {
  write_three();
  EXPECT_EQ(open("another model").num_done(), 0);
  EXPECT_EQ(open().num_done(), 0);
}

TEST_F(Journal, OfOtherWidthsBeginsAnew) {
  write_three();
  EXPECT_EQ(FeatureJournal(file(), "a model, some settings", {3, 2, 1}).num_done(), 0);
}

TEST_F(Journal, CutAnywhereKeepsItsWholePiecesAndGoesOnBehindThem) {
  write_three();
  const std::string whole = bytes_of(file());
  for (std::size_t length = 0; length < whole.size(); ++length) {
    put(file(), whole.substr(0, length));
    FeatureJournal journal = open();
    const std::int64_t done = journal.num_done();
    ASSERT_THAT(done, testing::AnyOf(0, 4, 9)) << length;
    journal.append(piece_of(done, 2));
    EXPECT_EQ(journal.num_done(), done + 2);
    expect_good(journal);
  }
}

TEST_F(Journal, DamagedAnywhereKeepsThePiecesBefore) {
  write_three();
  const std::string whole = bytes_of(file());
  for (std::size_t i = 0; i < whole.size(); ++i) {
    std::string damaged = whole;
    damaged[i] ^= 0x41;
    put(file(), damaged);
    const FeatureJournal journal = open();
    EXPECT_LT(journal.num_done(), 10) << i;
    expect_good(journal);
  }
}

TEST_F(Journal, RefusesASecondWriter) {
  const FeatureJournal first = open();
  EXPECT_THAT([&] { (void)open(); },
              testing::ThrowsMessage<common::SystemError>(testing::HasSubstr("another process is making this score")));
}

TEST_F(Journal, IsGoneWhenRemoved) {
  FeatureJournal journal = open();
  journal.remove();
  EXPECT_FALSE(std::filesystem::exists(file()));
}

}  // namespace
}  // namespace ditscale::worker
