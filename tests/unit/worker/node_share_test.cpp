#include "worker/distributed/node_share.hpp"

#include <cstdlib>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>

#include "common/error.hpp"

namespace ditscale::worker {
namespace {

using ::testing::ElementsAre;

Launch process(std::int64_t local_rank, std::int64_t local_size) { return {true, local_rank, local_size}; }

TEST(NodeShare, ProcessorsAreDealtOutInEqualSlicesInTheirOrder) {
  const std::vector<int> cpus{8, 9, 2, 3, 4, 5};
  EXPECT_THAT(slice_of(cpus, process(0, 3)), ElementsAre(8, 9));
  EXPECT_THAT(slice_of(cpus, process(1, 3)), ElementsAre(2, 3));
  EXPECT_THAT(slice_of(cpus, process(2, 3)), ElementsAre(4, 5));
  EXPECT_EQ(slice_of(cpus, Launch{}), cpus) << "a process by itself has all";
}

TEST(NodeShare, AListThatCannotBeDealtOutIsRefused) {
  EXPECT_THROW((void)slice_of({0, 1, 2}, process(0, 2)), common::UsageError);
  EXPECT_THROW((void)slice_of({0}, process(0, 2)), common::UsageError);
  EXPECT_THROW((void)slice_of({0, 0}, process(0, 2)), common::UsageError);
  EXPECT_THROW((void)slice_of({0, 1}, process(0, 0)), common::UsageError) << "the launcher says no number";
}

TEST(NodeShare, AThreadAndWhatItStartsKeepToTheirProcessors) {
  std::thread([] {
    const int cpu = ::sched_getcpu();
    pin_to({cpu});
    cpu_set_t inherited;
    std::thread([&] { ::sched_getaffinity(0, sizeof inherited, &inherited); }).join();
    EXPECT_EQ(CPU_COUNT(&inherited), 1);
    EXPECT_TRUE(CPU_ISSET(cpu, &inherited));
  }).join();
}

TEST(NodeShare, AProcessorThatIsNotThereIsRefused) {
  std::thread([] {
    const int cpu = ::sched_getcpu();
    EXPECT_THROW(pin_to({CPU_SETSIZE - 1}), common::SystemError);
    EXPECT_THROW(pin_to({cpu, CPU_SETSIZE - 1}), common::SystemError) << "the kernel itself would leave it out";
  }).join();
}

TEST(NodeShare, GpusBecomeTheVisibleOnesInTheirOrder) {
  const char* before = std::getenv("CUDA_VISIBLE_DEVICES");
  const std::string kept = before == nullptr ? "" : before;
  show_gpus({"3", "GPU-8932f937-d72c", "0"}, process(1, 2));
  EXPECT_STREQ(std::getenv("CUDA_VISIBLE_DEVICES"), "3,GPU-8932f937-d72c,0");
  before == nullptr ? ::unsetenv("CUDA_VISIBLE_DEVICES") : ::setenv("CUDA_VISIBLE_DEVICES", kept.c_str(), 1);
}

TEST(NodeShare, GpusThatCannotBeDealtOutAreRefused) {
  EXPECT_THROW(show_gpus({"0"}, process(0, 2)), common::UsageError);
  EXPECT_THROW(show_gpus({"0", "0"}, process(0, 2)), common::UsageError);
  EXPECT_THROW(show_gpus({"0", ""}, process(0, 2)), common::UsageError);
  EXPECT_THROW(show_gpus({"all of them"}, Launch{}), common::UsageError);
}

}  // namespace
}  // namespace ditscale::worker
