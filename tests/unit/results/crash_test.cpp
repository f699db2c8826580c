#include <csignal>
#include <cstdint>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/error.hpp"
#include "results/reader.hpp"
#include "results/writer.hpp"
#include "tests/support/made_up_study.hpp"
#include "tests/support/temporary_folder.hpp"

namespace ditscale::results {
namespace {

using test::MadeUpAttempt;
using ::testing::HasSubstr;

constexpr std::int64_t kEventsPerBatch = 50;

class Crash : public ::testing::Test {
 protected:
  void SetUp() override {
    ResultsWriter writer(file_);
    const std::vector<TrialRecord> records{test::record_of(spec_)};
    writer.put_trials(records);
    writer.start_attempt(MadeUpAttempt(spec_, 1).record());
  }

  std::vector<AttemptEvent> events(std::int64_t count) const {
    MadeUpAttempt attempt(spec_, 1);
    for (std::int64_t i = 1; i <= count; ++i) attempt.metric(i, 1.0 / static_cast<double>(i));
    return attempt.events();
  }

  /// Runs `work` in a child that ends by SIGKILL, after `delay_us` when it has not ended itself by then.
  template <typename Work>
  void in_killed_child(Work work, useconds_t delay_us = 0) {
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      work();
      ::raise(SIGKILL);
    }
    if (delay_us > 0) {
      ::usleep(delay_us);
      ::kill(child, SIGKILL);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status));
  }

  test::TemporaryFolder folder_;
  std::filesystem::path file_ = folder_ / "results.db";
  sweeps::TrialSpec spec_ = test::small_spec();
};

TEST_F(Crash, ABatchThatWasNotCommittedIsAsIfItNeverHappened) {
  in_killed_child([&] {
    ResultsWriter writer(file_);
    const ResultsWriter::Batch batch(writer);
    writer.ingest(events(kEventsPerBatch));
  });
  EXPECT_TRUE(test::all_metrics(file_).empty());
  ResultsWriter writer(file_);
  EXPECT_EQ(writer.ingest(events(kEventsPerBatch)), kEventsPerBatch);
}

TEST_F(Crash, ACommittedBatchSurvivesAndIsReadableBeforeAnyWriterReturns) {
  in_killed_child([&] {
    ResultsWriter writer(file_);
    ResultsWriter::Batch batch(writer);
    writer.ingest(events(kEventsPerBatch));
    batch.commit();
  });
  EXPECT_EQ(test::all_metrics(file_).size(), static_cast<std::size_t>(kEventsPerBatch));
}

TEST_F(Crash, KilledAtAnyMomentItHoldsWholeBatchesOnly) {
  std::int64_t before = 0;
  for (useconds_t delay_us = 2'000; delay_us < 40'000; delay_us += 3'100) {
    in_killed_child(
        [&] {
          ResultsWriter writer(file_);
          const std::vector<AttemptEvent> all = events(200 * kEventsPerBatch);
          for (std::size_t from = 0; from < all.size(); from += kEventsPerBatch) {
            writer.ingest(std::span(all).subspan(from, kEventsPerBatch));
          }
        },
        delay_us);
    const auto rows = static_cast<std::int64_t>(test::all_metrics(file_).size());
    EXPECT_EQ(rows % kEventsPerBatch, 0);
    EXPECT_GE(rows, before);
    before = rows;
  }
  const ResultsWriter reopened(file_);
  EXPECT_EQ(reopened.attempts().at(0).last_event, before);
}

TEST_F(Crash, ATruncatedFileIsReportedWithWhatToDo) {
  {
    ResultsWriter writer(file_);
    writer.ingest(events(2000));
  }
  std::filesystem::resize_file(file_, std::filesystem::file_size(file_) / 2);
  const auto says_damaged = [&](auto open) {
    try {
      open();
      ADD_FAILURE() << "opened a truncated file";
    } catch (const common::SystemError& error) {
      EXPECT_THAT(error.what(), HasSubstr("results.db"));
      EXPECT_THAT(error.what(), HasSubstr("damaged"));
    }
  };
  says_damaged([&] { const ResultsWriter writer(file_); });
  says_damaged([&] { const ResultsReader reader(file_); });
}

TEST_F(Crash, AFileThatIsNoDatabaseIsReportedWithWhatToDo) {
  const std::filesystem::path other = folder_ / "other.db";
  FILE* out = std::fopen(other.c_str(), "w");
  ASSERT_NE(out, nullptr);
  for (int i = 0; i < 200; ++i) std::fputs("this is no database\n", out);
  std::fclose(out);
  try {
    const ResultsReader reader(other);
    FAIL() << "opened a text file";
  } catch (const common::SystemError& error) {
    EXPECT_THAT(error.what(), HasSubstr("is not a results database"));
  }
}

/// A small filesystem of its own in memory; only root may mount one.
class SmallDisk {
 public:
  explicit SmallDisk(const std::filesystem::path& at) : at_(at) {
    std::filesystem::create_directories(at_);
    mounted_ = ::mount("tmpfs", at_.c_str(), "tmpfs", 0, "size=256k") == 0;
  }
  ~SmallDisk() {
    if (mounted_) ::umount2(at_.c_str(), MNT_DETACH);
  }
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;
  [[nodiscard]] bool mounted() const { return mounted_; }

 private:
  std::filesystem::path at_;
  bool mounted_ = false;
};

TEST_F(Crash, AFullDiskIsReportedAndWhatWasRecordedBeforeIsKept) {
  const std::filesystem::path at = folder_ / "small";
  const SmallDisk disk(at);
  if (!disk.mounted()) GTEST_SKIP() << "a small filesystem cannot be mounted here (needs root)";
  ResultsWriter writer(at / "results.db");
  const std::vector<TrialRecord> records{test::record_of(spec_)};
  writer.put_trials(records);
  writer.start_attempt(MadeUpAttempt(spec_, 1).record());
  try {
    writer.ingest(events(20'000));
    FAIL() << "20,000 events fit into 256 KiB";
  } catch (const common::SystemError& error) {
    EXPECT_THAT(error.what(), HasSubstr("disk is full"));
  }
  EXPECT_EQ(writer.standings().size(), 1U);
  EXPECT_TRUE(test::all_metrics(at / "results.db").empty());
}

}  // namespace
}  // namespace ditscale::results
