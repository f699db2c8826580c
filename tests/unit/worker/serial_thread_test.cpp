#include "worker/distributed/serial_thread.hpp"

#include <stdexcept>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ditscale::worker {
namespace {

TEST(SerialThread, DoesItsJobsInTheirOrderAndWaitSeesThemDone) {
  SerialThread thread;
  std::vector<int> done;
  for (int round = 0; round < 2; ++round) {
    for (int job = 0; job < 100; ++job) thread.start([&done, job] { done.push_back(job); });
    thread.wait();
    ASSERT_EQ(done.size(), 100U);
    for (int job = 0; job < 100; ++job) EXPECT_EQ(done[static_cast<std::size_t>(job)], job);
    done.clear();
  }
}

TEST(SerialThread, AFailureDropsWhatIsBehindItAndIsToldOnce) {
  SerialThread thread;
  thread.start([] { throw std::runtime_error("the network is gone"); });
  EXPECT_THROW(thread.wait(), std::runtime_error);
  bool done = false;
  thread.start([&done] { done = true; });
  EXPECT_NO_THROW(thread.wait());
  EXPECT_TRUE(done);
}

}  // namespace
}  // namespace ditscale::worker
