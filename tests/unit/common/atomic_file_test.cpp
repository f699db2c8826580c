#include "common/atomic_file.hpp"

#include <csignal>
#include <fstream>
#include <random>
#include <thread>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/error.hpp"
#include "common/file_descriptor.hpp"
#include "tests/support/temporary_folder.hpp"

namespace ditscale::common {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

std::size_t files_in(const fs::path& folder) {
  return static_cast<std::size_t>(std::distance(fs::directory_iterator(folder), fs::directory_iterator()));
}

/// Runs `body` in a forked child and gives its exit code, or -1 when a signal ended it.
template <typename Body>
int exit_code_of_fork(Body body) {
  const pid_t pid = ::fork();
  if (pid == 0) ::_exit(body());
  int raw = 0;
  ::waitpid(pid, &raw, 0);
  return WIFEXITED(raw) ? WEXITSTATUS(raw) : -1;
}

TEST(AtomicFile, WritesBytesAndLeavesNoTemporaryFile) {
  const test::TemporaryFolder folder;
  const std::string bytes("a\0b\n", 4);
  write_file_atomically(folder / "x", bytes);
  EXPECT_EQ(read_file(folder / "x"), bytes);
  write_file_atomically(folder / "x", "");
  EXPECT_EQ(read_file(folder / "x"), "");
  EXPECT_EQ(files_in(folder.path()), 1U);
}

TEST(AtomicFile, KilledAtAnyMomentLeavesOneWholeVersion) {
  const test::TemporaryFolder folder;
  const fs::path file = folder / "x";
  constexpr std::size_t kBytes = 1 << 18;
  write_file_atomically(file, std::string(kBytes, 'a'));
  std::mt19937 random(1);
  for (int round = 0; round < 40; ++round) {
    const pid_t pid = ::fork();
    if (pid == 0) {
      for (char letter = 'a';; letter = letter == 'z' ? 'a' : static_cast<char>(letter + 1))
        write_file_atomically(file, std::string(kBytes, letter));
    }
    std::this_thread::sleep_for(std::chrono::microseconds(random() % 8000));
    ::kill(pid, SIGKILL);
    ::waitpid(pid, nullptr, 0);
    const std::string found = read_file(file);
    ASSERT_EQ(found.size(), kBytes);
    ASSERT_EQ(found.find_first_not_of(found.front()), std::string::npos) << "two versions in one file";
  }
}

TEST(AtomicFile, AnUnfinishedTemporaryFileIsNeverSeenUnderTheName) {
  const test::TemporaryFolder folder;
  write_file_atomically(folder / "x", "old");
  std::ofstream(temporary_name(folder / "x")) << "half of the n";  // a writer that ended before it published
  EXPECT_EQ(read_file(folder / "x"), "old");
  std::ofstream(temporary_name(folder / "x")) << "new";
  publish_file(temporary_name(folder / "x"), folder / "x");
  EXPECT_EQ(read_file(folder / "x"), "new");
  EXPECT_EQ(files_in(folder.path()), 1U);
}

TEST(AtomicFile, TwoThreadsMayWriteTheSameFile) {
  const test::TemporaryFolder folder;
  const auto write_many = [&](char letter) {
    for (int i = 0; i < 20; ++i) write_file_atomically(folder / "x", std::string(10'000, letter));
  };
  std::thread other(write_many, 'b');
  write_many('a');
  other.join();
  const std::string found = read_file(folder / "x");
  EXPECT_EQ(found, std::string(10'000, found.front()));
  EXPECT_EQ(files_in(folder.path()), 1U);
}

/// Exit codes of the disk-full child.
constexpr int kBehaved = 0;
constexpr int kCannotMount = 77;

/// In a mount namespace of its own, so that nothing stays mounted whatever happens.
int write_until_full(const fs::path& folder) {
  if (::unshare(CLONE_NEWNS) != 0) return kCannotMount;
  if (::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) return kCannotMount;
  if (::mount("tmpfs", folder.c_str(), "tmpfs", 0, "size=256k") != 0) return kCannotMount;
  const fs::path file = folder / "x";
  write_file_atomically(file, "old");
  try {
    write_file_atomically(file, std::string(1 << 20, 'n'));
    return 1;
  } catch (const SystemError& error) {
    if (std::string(error.what()).find("No space left on device") == std::string::npos) return 2;
    if (std::string(error.what()).find("write " + folder.string()) == std::string::npos) return 3;
  }
  if (read_file(file) != "old") return 4;
  return files_in(folder) == 1 ? kBehaved : 5;
}

TEST(AtomicFile, AFullDiskKeepsTheOldFileAndSaysWhy) {
  const test::TemporaryFolder folder;
  const int code = exit_code_of_fork([&] { return write_until_full(folder.path()); });
  if (code == kCannotMount) GTEST_SKIP() << "a small file system cannot be mounted here (needs root)";
  EXPECT_EQ(code, kBehaved);
}

TEST(AtomicFile, APipeIsWrittenToAndStaysAPipe) {
  const test::TemporaryFolder folder;
  const fs::path pipe = folder / "pipe";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  const FileDescriptor reader(::open(pipe.c_str(), O_RDONLY | O_NONBLOCK));
  write_file_atomically(pipe, "one");
  replace_file(pipe, "two");
  std::ofstream(temporary_name(pipe)) << "three";
  EXPECT_THROW(publish_file(temporary_name(pipe), pipe), SystemError);
  char bytes[16];
  EXPECT_EQ(std::string(bytes, static_cast<std::size_t>(::read(reader.get(), bytes, sizeof bytes))), "onetwo");
  EXPECT_TRUE(fs::is_fifo(pipe));
}

TEST(AtomicFile, ErrorsNameTheCallTheFileAndTheReason) {
  const test::TemporaryFolder folder;
  const auto message = [](const auto& body) -> std::string {
    try {
      body();
    } catch (const Error& error) {
      return error.what();
    }
    return "no error";
  };
  const std::string missing = (folder / "missing").string();
  EXPECT_EQ(message([&] { (void)read_file(missing); }), "open " + missing + ": No such file or directory");
  EXPECT_THAT(message([&] { (void)read_file(folder.path()); }), HasSubstr("it is a folder"));
  EXPECT_THAT(message([&] { write_file_atomically(missing + "/x", ""); }), HasSubstr("No such file or directory"));
  EXPECT_THAT(message([&] { publish_file(missing, folder / "y"); }), HasSubstr(missing));
  write_file_atomically(folder / "x", "12345");
  EXPECT_THAT(message([&] { (void)read_file(folder / "x", 4); }), HasSubstr("larger than the 4 bytes"));
  EXPECT_EQ(read_file(folder / "x", 5), "12345");
  EXPECT_THAT(message([&] { make_folder(folder / "x/below"); }), HasSubstr("mkdir " + (folder / "x/below").string()));
}

TEST(AtomicFile, MakeFolderMakesParentsAndMayBeRepeated) {
  const test::TemporaryFolder folder;
  make_folder(folder / "a/b/c");
  make_folder(folder / "a/b/c");
  EXPECT_TRUE(fs::is_directory(folder / "a/b/c"));
}

}  // namespace
}  // namespace ditscale::common
