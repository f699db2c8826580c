#include <cerrno>
#include <future>
#include <optional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <spdlog/spdlog.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/atomic_file.hpp"
#include "common/clock.hpp"
#include "common/error.hpp"
#include "common/exit_code.hpp"
#include "common/file_lock.hpp"
#include "common/hash.hpp"
#include "common/ids.hpp"
#include "common/log.hpp"
#include "common/output_place.hpp"
#include "common/trial_paths.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/support/without_root.hpp"

namespace ditscale::common {
namespace {

using testing::HasSubstr;

// Values of the reference implementation's own self-test for the empty input.
TEST(Hash, AgreesWithTheReferenceImplementation) {
  EXPECT_EQ(hash_hex64(""), "2d06800538d394c2");
  EXPECT_EQ(hash_hex128(""), "99aa06d3014798d86001c324468d497f");
}

TEST(Hash, KeepsLeadingZerosAndTellsTextsApart) {
  for (int i = 0; i < 1000; ++i) EXPECT_EQ(hash_hex64(std::to_string(i)).size(), 16U);
  EXPECT_NE(hash_hex64("a"), hash_hex64("b"));
  EXPECT_NE(hash_hex128(std::string("a\0", 2)), hash_hex128("a"));
}

TEST(TrialId, KnowsItsForm) {
  EXPECT_TRUE(TrialId::valid("0123456789abcdef"));
  EXPECT_FALSE(TrialId::valid("0123456789ABCDEF"));
  EXPECT_FALSE(TrialId::valid("0123456789abcde"));
  EXPECT_FALSE(TrialId::valid("0123456789abcdef0"));
  EXPECT_FALSE(TrialId::valid("../../etc/passwd"));
  const TrialId id("0123456789abcdef");
  EXPECT_EQ(id.brief(), "01234567");
  EXPECT_TRUE(id.starts_with("0123"));
  EXPECT_FALSE(id.starts_with("123"));
}

TEST(FileLock, HoldsOthersOffUntilItsHolderEnds) {
  const test::TemporaryFolder folder;
  auto lock = FileLock::try_acquire(folder / "lock");
  ASSERT_TRUE(lock);
  EXPECT_FALSE(FileLock::try_acquire(folder / "lock"));
  lock.reset();
  EXPECT_TRUE(FileLock::try_acquire(folder / "lock"));
}

TEST(FileLock, IsWaitedFor) {
  const test::TemporaryFolder folder;
  auto lock = std::make_optional(FileLock::acquire(folder / "lock"));
  EXPECT_FALSE(FileLock::try_acquire(folder / "lock"));
  auto next = std::async(std::launch::async, [&] { return FileLock::acquire(folder / "lock"); });
  lock.reset();
  const FileLock taken = next.get();
  EXPECT_FALSE(FileLock::try_acquire(folder / "lock"));
}

TEST(FileLock, IsLeftAloneByThoseWhoAsk) {
  const test::TemporaryFolder folder;
  EXPECT_FALSE(FileLock::is_held(folder / "lock"));
  EXPECT_FALSE(std::filesystem::exists(folder / "lock"));
  auto lock = FileLock::try_acquire(folder / "lock");
  EXPECT_TRUE(FileLock::is_held(folder / "lock"));
  lock.reset();
  EXPECT_FALSE(FileLock::is_held(folder / "lock"));
  EXPECT_TRUE(FileLock::try_acquire(folder / "lock"));
}

TEST(FileLock, IsSeenByThoseWhoMayOnlyReadIt) {
  const test::TemporaryFolder folder;
  const auto lock = FileLock::try_acquire(folder / "lock");
  std::filesystem::permissions(folder / "lock", static_cast<std::filesystem::perms>(0444));
  EXPECT_EXIT(test::without_root(folder.path(), [&] { return FileLock::is_held(folder / "lock"); }),
              testing::ExitedWithCode(0), "");
}

TEST(FileLock, IsFreeAfterAKill) {
  const test::TemporaryFolder folder;
  int ready[2];
  ASSERT_EQ(::pipe(ready), 0);
  const pid_t holder = ::fork();
  if (holder == 0) {
    const auto lock = FileLock::try_acquire(folder / "lock");
    [[maybe_unused]] const ssize_t ignored = ::write(ready[1], lock ? "y" : "n", 1);
    for (;;) ::pause();
  }
  char answer = 0;
  ASSERT_EQ(::read(ready[0], &answer, 1), 1);
  EXPECT_EQ(answer, 'y');
  EXPECT_FALSE(FileLock::try_acquire(folder / "lock"));
  ::kill(holder, SIGKILL);
  ::waitpid(holder, nullptr, 0);
  EXPECT_TRUE(FileLock::try_acquire(folder / "lock"));
  ::close(ready[0]);
  ::close(ready[1]);
}

TEST(FileLock, AFolderThatIsMissingIsAnError) {
  EXPECT_THROW((void)FileLock::try_acquire("/no/such/folder/lock"), SystemError);
}

TEST(OutputPlace, IsAFolderThatIsThereAndAFileInIt) {
  const test::TemporaryFolder folder;
  check_output_place(folder / "new.json");
  check_output_place("new.json");
  const auto refusal = [](const std::filesystem::path& path) {
    try {
      check_output_place(path);
    } catch (const ConfigError& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  EXPECT_THAT(refusal(folder / "missing/new.json"), HasSubstr("there is no folder"));
  EXPECT_THAT(refusal(folder / "."), HasSubstr("is a folder"));
}

TEST(Log, WritesAboveItsLevelToTheFile) {
  const test::TemporaryFolder folder;
  const auto before = spdlog::default_logger();
  testing::internal::CaptureStderr();
  start_log("tester", "warn", folder / "log.txt");
  spdlog::info("too quiet");
  spdlog::warn("loud enough");
  spdlog::set_default_logger(before);
  const std::string printed = testing::internal::GetCapturedStderr();
  const std::string stored = read_file(folder / "log.txt");
  for (const std::string& text : {printed, stored}) {
    EXPECT_THAT(text, HasSubstr("[tester] loud enough"));
    EXPECT_THAT(text, testing::Not(HasSubstr("too quiet")));
  }
}

TEST(Log, RefusesLevelsItDoesNotList) {
  for (const char* level : {"", "off", "critical", "INFO", "loud"}) EXPECT_THROW(start_log("x", level), UsageError);
  EXPECT_THROW(start_log("x", "info", "/proc/no/such/file"), SystemError);
}

TEST(Check, NamesTheConditionAndThePlace) {
  try {
    const int devices = 2;
    DITSCALE_CHECK(devices == 1, "device {} is assigned twice", 7);
    FAIL() << "the check passed";
  } catch (const InternalError& error) {
    EXPECT_THAT(error.what(), HasSubstr("device 7 is assigned twice (devices == 1 is false, "));
    EXPECT_THAT(error.what(), HasSubstr("small_parts_test.cpp:"));
  }
}

TEST(ErrnoError, NamesCallObjectAndReason) {
  EXPECT_STREQ(errno_error("open", "/x", ENOENT).what(), "open /x: No such file or directory");
}

TEST(SystemClock, MonotonicTimeNeverGoesBackAndUnixTimeIsOfThisCentury) {
  const SystemClock clock;
  double before = clock.monotonic_s();
  for (int i = 0; i < 1000; ++i) {
    const double now = clock.monotonic_s();
    ASSERT_GE(now, before);
    before = now;
  }
  EXPECT_GT(clock.unix_s(), 1.6e9);
  EXPECT_LT(clock.unix_s(), 4.2e9);
}

TEST(Paths, StandWhereTheDocumentationSays) {
  const StudyPaths study{"runs/demo"};
  const TrialPaths trial = study.trial(TrialId("0123456789abcdef"));
  EXPECT_EQ(study.database(), "runs/demo/results.db");
  EXPECT_EQ(trial.trial_json(), "runs/demo/trials/0123456789abcdef/trial.json");
  EXPECT_EQ(trial.events(AttemptNumber{2}), "runs/demo/trials/0123456789abcdef/attempts/2/events.jsonl");
  EXPECT_EQ(trial.checkpoint(500), "runs/demo/trials/0123456789abcdef/checkpoints/step-500.h5");
  EXPECT_EQ(trial.manifest(500), "runs/demo/trials/0123456789abcdef/checkpoints/step-500.manifest.json");
}

TEST(ExitCode, NumbersAreWhatScriptsRelyOn) {
  EXPECT_EQ(to_int(ExitCode::kDone), 0);
  EXPECT_EQ(to_int(ExitCode::kError), 1);
  EXPECT_EQ(to_int(ExitCode::kUsage), 2);
  EXPECT_EQ(to_int(ExitCode::kFinishedWithFailures), 3);
  EXPECT_EQ(to_int(ExitCode::kIncomplete), 4);
  EXPECT_EQ(to_int(ExitCode::kNothingToDo), 5);
}

}  // namespace
}  // namespace ditscale::common
