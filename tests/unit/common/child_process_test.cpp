#include "common/child_process.hpp"

#include <chrono>
#include <csignal>
#include <functional>
#include <thread>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/atomic_file.hpp"
#include "common/error.hpp"
#include "tests/support/temporary_folder.hpp"

namespace ditscale::common {
namespace {

using testing::HasSubstr;

/// Asks again and again until `done`, ten seconds at most.
bool eventually(const std::function<bool()>& done) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (!done()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return true;
}

/// The raw end of an orphan that became ours; one that does not end is killed, and -1 comes back.
int end_of_orphan(pid_t pid) {
  int raw = -1;
  if (eventually([&] { return ::waitpid(pid, &raw, WNOHANG) == pid; })) return raw;
  ::kill(pid, SIGKILL);
  ::waitpid(pid, nullptr, 0);
  return -1;
}

/// Starts shell scripts, and becomes the parent of what they orphan, so that every end can be seen.
class ChildProcessTest : public testing::Test {
 protected:
  void SetUp() override { ::prctl(PR_SET_CHILD_SUBREAPER, 1); }
  void TearDown() override { ::prctl(PR_SET_CHILD_SUBREAPER, 0); }

  [[nodiscard]] SpawnOptions script(const std::string& text) const {
    SpawnOptions options;
    options.argv = {"/bin/sh", "-c", text};
    options.log = folder_ / "log.txt";
    return options;
  }
  static ExitStatus end_of(ChildProcess& child) {
    EXPECT_TRUE(eventually([&] { return child.poll().has_value(); })) << "the child does not end";
    return child.poll().value_or(ExitStatus{});
  }
  ExitStatus run(const SpawnOptions& options) const {
    ChildProcess child = ChildProcess::spawn(options);
    return end_of(child);
  }
  [[nodiscard]] std::string log() const { return read_file(folder_ / "log.txt"); }
  /// What comes through the event pipe until `bytes` are there or the writer ends.
  static std::string events_of(const ChildProcess& child, std::size_t bytes) {
    std::string got;
    const auto read_more = [&] {
      char buffer[256];
      const ssize_t count = ::read(child.events().get(), buffer, sizeof buffer);
      if (count > 0) got.append(buffer, static_cast<std::size_t>(count));
      return count == 0 || got.size() >= bytes;
    };
    EXPECT_TRUE(eventually(read_more));
    return got;
  }

  test::TemporaryFolder folder_;
};

TEST_F(ChildProcessTest, TellsExitCodesAndSignalsApart) {
  EXPECT_EQ(run(script("exit 0")).code, 0);
  const ExitStatus three = run(script("exit 3"));
  EXPECT_EQ(three.code, 3);
  EXPECT_FALSE(three.signal);
  EXPECT_EQ(three.text(), "exit code 3");
  const ExitStatus killed = run(script("kill -9 $$"));
  EXPECT_FALSE(killed.code);
  EXPECT_EQ(killed.signal, 9);
  EXPECT_EQ(killed.text(), "signal 9 (Killed)");
}

TEST_F(ChildProcessTest, KeepsAnsweringAfterTheEnd) {
  ChildProcess child = ChildProcess::spawn(script("exit 4"));
  end_of(child);
  EXPECT_EQ(child.poll()->code, 4);
  child.signal_group(SIGKILL);
  EXPECT_EQ(child.poll()->code, 4);
}

TEST_F(ChildProcessTest, WakesWhoWaitsForTheEnd) {
  ChildProcess child = ChildProcess::spawn(script("kill -STOP $$"));
  if (!child.end().valid()) GTEST_SKIP() << "this kernel cannot tell";
  pollfd end{child.end().get(), POLLIN, 0};
  EXPECT_EQ(::poll(&end, 1, 0), 0);
  child.signal_group(SIGKILL);
  EXPECT_EQ(::poll(&end, 1, 60'000), 1);
  EXPECT_EQ(child.poll()->signal, SIGKILL);
}

TEST_F(ChildProcessTest, AppendsBothStreamsToTheLog) {
  run(script("echo out; echo err >&2"));
  run(script("echo more"));
  EXPECT_EQ(log(), "out\nerr\nmore\n");
}

TEST_F(ChildProcessTest, StandardInputIsEmpty) {
  run(script("cat; echo done"));
  EXPECT_EQ(log(), "done\n");
}

TEST_F(ChildProcessTest, AProgramThatCannotStartIsAnErrorWithItsReason) {
  const auto refusal = [&](SpawnOptions options) -> std::string {
    try {
      (void)ChildProcess::spawn(options);
    } catch (const SystemError& error) {
      return error.what();
    }
    return "was started";
  };
  SpawnOptions options = script("");
  options.argv = {"/no/such/program"};
  EXPECT_EQ(refusal(options), "start /no/such/program: No such file or directory");
  options.argv = {folder_.path().string()};
  EXPECT_THAT(refusal(options), HasSubstr("Permission denied"));
  options = script("exit 0");
  options.log = folder_ / "missing/log.txt";
  EXPECT_THAT(refusal(options), HasSubstr("missing/log.txt: No such file or directory"));
  options = script("exit 0");
  options.cpus = {1000};
  EXPECT_THAT(refusal(options), HasSubstr("choose the processors of /bin/sh: Invalid argument"));
}

TEST_F(ChildProcessTest, FailuresAreReportedWhateverNumberTheEventPipeHas) {
  for (int fd = 3; fd < 16; ++fd) {
    SpawnOptions options = script("");
    options.argv = {"/no/such/program"};
    options.event_fd = fd;
    EXPECT_THROW((void)ChildProcess::spawn(options), SystemError) << "descriptor " << fd;
  }
}

TEST_F(ChildProcessTest, TheEventPipeHasTheNumberAskedFor) {
  for (int fd = 3; fd <= 9; ++fd) {
    SpawnOptions options = script("echo hello >&" + std::to_string(fd));
    options.event_fd = fd;
    ChildProcess child = ChildProcess::spawn(options);
    EXPECT_EQ(events_of(child, 1000), "hello\n") << "descriptor " << fd;
    EXPECT_EQ(end_of(child).code, 0);
  }
}

TEST_F(ChildProcessTest, TheEventPipeNeverBlocksItsReader) {
  SpawnOptions options = script("read line < /dev/zero");
  options.event_fd = 3;
  const ChildProcess child = ChildProcess::spawn(options);
  char byte = 0;
  EXPECT_EQ(::read(child.events().get(), &byte, 1), -1);
  EXPECT_EQ(errno, EAGAIN);
}

TEST_F(ChildProcessTest, InheritsNoDescriptorOfItsParent) {
  constexpr int kLeaky = 77;  // as a library opens them: without close-on-exec
  ASSERT_EQ(::dup2(STDERR_FILENO, kLeaky), kLeaky);
  run(script("test -e /proc/self/fd/77 && echo leaked; echo checked"));
  ::close(kLeaky);
  EXPECT_EQ(log(), "checked\n");
}

TEST_F(ChildProcessTest, LeavesNoDescriptorInTheParent) {
  const auto open_descriptors = [] {
    return std::distance(std::filesystem::directory_iterator("/proc/self/fd"), std::filesystem::directory_iterator());
  };
  const auto before = open_descriptors();
  for (int i = 0; i < 3; ++i) {
    SpawnOptions options = script("exit 0");
    options.event_fd = 3;
    run(options);
    options.argv = {"/no/such/program"};
    EXPECT_THROW((void)ChildProcess::spawn(options), SystemError);
  }
  EXPECT_EQ(open_descriptors(), before);
}

TEST_F(ChildProcessTest, RunsOnTheProcessorsItIsGiven) {
  SpawnOptions options = script("grep Cpus_allowed_list /proc/self/status");
  options.cpus = {0};
  run(options);
  EXPECT_EQ(log(), "Cpus_allowed_list:\t0\n");
}

TEST_F(ChildProcessTest, EnvironmentIsInheritedCleanedAndExtended) {
  ::setenv("DITSCALE_TEST_KEPT", "kept", 1);
  ::setenv("OMPI_DITSCALE_TEST", "removed", 1);
  ::setenv("PMIX_DITSCALE_TEST", "old", 1);
  SpawnOptions options =
      script("echo $DITSCALE_TEST_KEPT ${OMPI_DITSCALE_TEST-gone} $PMIX_DITSCALE_TEST $DITSCALE_TEST_NEW");
  options.removed_prefixes = {"OMPI_", "PMIX_"};
  options.environment = {{"PMIX_DITSCALE_TEST", "set"}, {"DITSCALE_TEST_NEW", "a=b c"}};
  run(options);
  EXPECT_EQ(log(), "kept gone set a=b c\n");
}

TEST_F(ChildProcessTest, StartsWithDefaultSignalsWhateverTheParentDoes) {
  struct sigaction before {};
  struct sigaction ignore {};
  ignore.sa_handler = SIG_IGN;
  ::sigaction(SIGTERM, &ignore, &before);
  sigset_t term;
  sigemptyset(&term);
  sigaddset(&term, SIGTERM);
  ::pthread_sigmask(SIG_BLOCK, &term, nullptr);
  const ExitStatus status = run(script("kill -TERM $$; exit 5"));
  ::pthread_sigmask(SIG_UNBLOCK, &term, nullptr);
  ::sigaction(SIGTERM, &before, nullptr);
  EXPECT_EQ(status.signal, SIGTERM);
}

TEST_F(ChildProcessTest, DestroyingARunningChildEndsItsWholeGroup) {
  pid_t grandchild = -1;
  {
    SpawnOptions options = script("sleep 1000 & echo $! >&3; wait");
    options.event_fd = 3;
    const ChildProcess child = ChildProcess::spawn(options);
    grandchild = std::stoi(events_of(child, 2));
  }
  EXPECT_TRUE(WIFSIGNALED(end_of_orphan(grandchild)));
}

TEST_F(ChildProcessTest, WhatAnEndedChildLeftInItsGroupIsEnded) {
  SpawnOptions options = script("sleep 1000 & echo $! >&3; exit 6");
  options.event_fd = 3;
  ChildProcess child = ChildProcess::spawn(options);
  const pid_t grandchild = std::stoi(events_of(child, 2));
  EXPECT_EQ(end_of(child).code, 6);
  EXPECT_TRUE(WIFSIGNALED(end_of_orphan(grandchild)));
}

TEST_F(ChildProcessTest, SignalsReachTheWholeGroup) {
  SpawnOptions options = script("trap 'exit 7' USR2; echo ready >&3; while :; do sleep 0.01; done");
  options.event_fd = 3;
  ChildProcess child = ChildProcess::spawn(options);
  EXPECT_EQ(events_of(child, 6), "ready\n");
  child.signal_group(SIGUSR2);
  const ExitStatus status = end_of(child);
  EXPECT_TRUE(status.code == 7 || status.signal == SIGUSR2) << status.text();
}

TEST_F(ChildProcessTest, AnEndThatIsCollectedElsewhereIsStillAnEnd) {
  ::signal(SIGCHLD, SIG_IGN);
  const ExitStatus status = run(script("exit 3"));
  ::signal(SIGCHLD, SIG_DFL);
  EXPECT_FALSE(status.code);
  EXPECT_FALSE(status.signal);
  EXPECT_THAT(status.text(), HasSubstr("collected"));
}

/// A forked parent in between, which can be killed.
class ParentDeathTest : public ChildProcessTest {
 protected:
  /// Forks a parent that runs `body` and then waits for ever.
  static pid_t fork_parent(const std::function<void()>& body) {
    const pid_t parent = ::fork();
    if (parent != 0) return parent;
    body();
    for (;;) ::pause();
  }
};

TEST_F(ParentDeathTest, AKilledParentGivesItsChildTheTimeToSave) {
  int ready[2];
  ASSERT_EQ(::pipe(ready), 0);
  const pid_t parent = fork_parent([&] {
    SpawnOptions options = script("trap 'echo saved; exit 42' TERM; echo $$ >&3; while :; do sleep 0.01; done");
    options.event_fd = 3;
    const ChildProcess child = ChildProcess::spawn(options);
    const std::string pid = events_of(child, 2);
    if (::write(ready[1], pid.data(), pid.size()) < 0) ::_exit(1);
    for (;;) ::pause();  // while the child lives
  });
  char text[32] = {};
  ASSERT_GT(::read(ready[0], text, sizeof text - 1), 0);
  ::close(ready[0]);
  ::close(ready[1]);
  ::kill(parent, SIGKILL);
  ASSERT_EQ(::waitpid(parent, nullptr, 0), parent);
  const int raw = end_of_orphan(std::stoi(text));
  EXPECT_TRUE(raw >= 0 && WIFEXITED(raw)) << raw;
  EXPECT_EQ(WEXITSTATUS(raw), 42);
  EXPECT_EQ(log(), "saved\n");
}

TEST_F(ParentDeathTest, NoChildOutlivesAParentKilledWhileItSpawns) {
  for (int round = 0; round < 60; ++round) {
    const pid_t parent = fork_parent([&] {
      ::signal(SIGTERM, [](int) {});  // a parent that handles the signal must not make its children deaf to it
      std::vector<ChildProcess> children;
      for (int i = 0; i < 50; ++i) children.push_back(ChildProcess::spawn(script("exec sleep 30")));
      for (;;) ::pause();
    });
    std::this_thread::sleep_for(std::chrono::microseconds(500 + 150 * round));
    ::kill(parent, SIGKILL);
    const auto none_left = [] {
      while (::waitpid(-1, nullptr, WNOHANG) > 0) {
      }
      return ::waitpid(-1, nullptr, WNOHANG) < 0 && errno == ECHILD;
    };
    ASSERT_TRUE(eventually(none_left)) << "a child outlived its parent in round " << round;
  }
}

}  // namespace
}  // namespace ditscale::common
