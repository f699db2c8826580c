#include "common/standard_output.hpp"

#include <array>
#include <csignal>
#include <cstdio>
#include <string>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/atomic_file.hpp"
#include "tests/support/temporary_folder.hpp"

namespace ditscale::common {
namespace {

/// A program that prints so many bytes to `out` and would end with `code`.
class Program {
 public:
  int run(int out, std::size_t num_bytes, int code) const {
    std::fflush(stdout);
    const pid_t pid = ::fork();
    if (pid == 0) {
      ::signal(SIGPIPE, SIG_IGN);
      ::dup2(out, STDOUT_FILENO);
      ::dup2(::open(words_.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600), STDERR_FILENO);
      std::fputs(std::string(num_bytes, 'x').c_str(), stdout);
      const int exit_code = exit_code_after_output("program", code);
      std::fflush(stderr);
      ::_exit(exit_code);
    }
    int raw = 0;
    ::waitpid(pid, &raw, 0);
    return WIFEXITED(raw) ? WEXITSTATUS(raw) : -1;
  }
  [[nodiscard]] std::string words() const { return read_file(words_); }

 private:
  test::TemporaryFolder folder_;
  std::filesystem::path words_ = folder_ / "words";
};

/// Less and more than stdout holds back.
constexpr std::array<std::size_t, 2> kAmounts{10, 1 << 20};

TEST(StandardOutput, ThatIsFullIsAnErrorWithItsReason) {
  const Program program;
  const int full = ::open("/dev/full", O_WRONLY);
  ASSERT_GE(full, 0);
  for (const std::size_t amount : kAmounts) {
    EXPECT_EQ(program.run(full, amount, 0), 1) << amount;
    EXPECT_EQ(program.words(), "program: write standard output: No space left on device\n") << amount;
    EXPECT_EQ(program.run(full, amount, 3), 3) << "what went wrong before is more";
  }
  EXPECT_EQ(program.run(full, 0, 0), 0) << "nothing was printed";
  ::close(full);
}

TEST(StandardOutput, WhoseReaderHasGoneIsNone) {
  const Program program;
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  ::close(ends[0]);
  for (const std::size_t amount : kAmounts) {
    EXPECT_EQ(program.run(ends[1], amount, 0), 0) << amount;
    EXPECT_EQ(program.words(), "") << amount;
  }
  ::close(ends[1]);
}

TEST(StandardOutput, ThatIsReadToTheEndChangesNothing) {
  const Program program;
  const test::TemporaryFolder folder;
  const int file = ::open((folder / "out").c_str(), O_WRONLY | O_CREAT, 0600);
  EXPECT_EQ(program.run(file, kAmounts[1], 0), 0);
  ::close(file);
  EXPECT_EQ(read_file(folder / "out"), std::string(kAmounts[1], 'x'));
}

}  // namespace
}  // namespace ditscale::common
