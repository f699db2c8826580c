#include "analysis/commands/waiting.hpp"

#include <cstdlib>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/file_descriptor.hpp"

namespace ditscale::analysis {
namespace {

using ::testing::EndsWith;
using ::testing::StartsWith;

std::string read_from(int fd) {
  char bytes[256];
  const ssize_t got = ::read(fd, bytes, sizeof bytes);
  return got > 0 ? std::string(bytes, static_cast<std::size_t>(got)) : "";
}

TEST(Waiting, SaysWhatOnATerminalAndTakesItAwayAgain) {
  const common::FileDescriptor terminal(::posix_openpt(O_RDWR | O_NOCTTY));
  ASSERT_TRUE(terminal.valid());
  ASSERT_EQ(::grantpt(terminal.get()), 0);
  ASSERT_EQ(::unlockpt(terminal.get()), 0);
  const common::FileDescriptor other(::open(::ptsname(terminal.get()), O_RDWR | O_NOCTTY));
  ASSERT_TRUE(other.valid());
  std::string seen;
  {
    const Waiting waiting("fitting 12 points", other.get());
    seen = read_from(terminal.get());  // waits for the first line
  }
  EXPECT_THAT(seen, StartsWith("\rfitting 12 points … 0 s"));
  EXPECT_THAT(seen + read_from(terminal.get()), EndsWith("\r\x1b[K"));
}

TEST(Waiting, IsSilentElsewhere) {
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_NONBLOCK), 0);
  const common::FileDescriptor reader(ends[0]);
  const common::FileDescriptor writer(ends[1]);
  { const Waiting waiting("fitting 12 points", writer.get()); }
  EXPECT_EQ(read_from(reader.get()), "");
}

}  // namespace
}  // namespace ditscale::analysis
