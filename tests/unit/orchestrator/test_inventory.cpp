#include <fstream>

#include <gtest/gtest.h>
#include <sched.h>
#include <unistd.h>

#include "common/error.hpp"
#include "orchestrator/agent/gpu_facts.hpp"
#include "orchestrator/agent/inventory.hpp"

namespace ditscale::orchestrator {
namespace {

namespace fs = std::filesystem;
using Cpus = std::vector<int>;
using Gpus = std::vector<std::string>;

class Inventory : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() / ("ditscale-inventory-" + std::to_string(::getpid()));
    fs::create_directories(folder_ / "gpus");
    fs::create_directories(folder_ / "dev");
  }
  void TearDown() override { fs::remove_all(folder_); }

  /// As the driver's folder of a GPU looks.
  void add_gpu(const std::string& bus, const std::string& minor, bool has_device) {
    fs::create_directories(folder_ / "gpus" / bus);
    std::ofstream(folder_ / "gpus" / bus / "information")
        << "Model: \t\t NVIDIA H100\nIRQ:   \t\t 11\nBus Location: \t " << bus << "\nDevice Minor: \t " << minor
        << "\nGPU Excluded:\t No\n";
    if (has_device) std::ofstream(folder_ / "dev" / ("nvidia" + minor)) << "";
  }

  fs::path folder_;
};

TEST_F(Inventory, ReadsListsOfProcessors) {
  EXPECT_EQ(parse_cpu_list("3"), Cpus{3});
  EXPECT_EQ(parse_cpu_list("6,0-2,1"), (Cpus{0, 1, 2, 6}));
  for (const char* wrong : {"", "a", "2-1", "1-", "-1", "0,,1", "99999"}) {
    EXPECT_THROW((void)parse_cpu_list(wrong), common::UsageError) << wrong;
  }
}

TEST_F(Inventory, ReadsVisibleGpusAsCudaDoes) {
  EXPECT_EQ(parse_visible_gpus("1,0"), (Gpus{"1", "0"}));
  EXPECT_EQ(parse_visible_gpus("GPU-8932f937,MIG-1"), (Gpus{"GPU-8932f937", "MIG-1"}));
  EXPECT_EQ(parse_visible_gpus("0,-1,1"), Gpus{"0"});
  EXPECT_EQ(parse_visible_gpus(""), Gpus{});
  EXPECT_EQ(parse_visible_gpus("NoDevFiles"), Gpus{});
}

TEST_F(Inventory, CountsGpusOfTheDriverWhoseDeviceIsThere) {
  add_gpu("0000:0a:00.0", "1", true);
  add_gpu("0000:05:00.0", "0", true);
  add_gpu("0000:0f:00.0", "2", false);
  EXPECT_EQ(gpus_of_driver(folder_ / "gpus", folder_ / "dev"), (Gpus{"0", "1"}));
}

TEST_F(Inventory, FindsNoGpuWithoutADriver) { EXPECT_EQ(gpus_of_driver(folder_ / "absent", folder_), Gpus{}); }

TEST_F(Inventory, KeepsToTheAffinityMaskAndTheLimits) {
  cpu_set_t mask;
  ASSERT_EQ(::sched_getaffinity(0, sizeof mask, &mask), 0);
  DeviceLimits limits;
  limits.visible_gpus = "5,3";
  EXPECT_EQ(std::ssize(local_devices(limits).cpus), CPU_COUNT(&mask));
  EXPECT_EQ(local_devices(limits).gpus, (Gpus{"3", "5"}));
  limits.cpus = 1;
  limits.gpus = 1;
  EXPECT_EQ(local_devices(limits).cpus.size(), 1U);
  EXPECT_EQ(local_devices(limits).gpus.size(), 1U);
  limits.gpus = 3;
  EXPECT_THROW((void)local_devices(limits), common::UsageError);
}

TEST(GpuFacts, AreReadFromTheDriversOwnTool) {
  const auto gpus = parse_gpu_facts("NVIDIA H100 80GB HBM3, 81559\nno gpu here\nNVIDIA A100, PCIe, 40960\nx, [N/A]\n");
  ASSERT_EQ(gpus.size(), 2U);
  EXPECT_EQ(gpus[0].name, "NVIDIA H100 80GB HBM3");
  EXPECT_EQ(gpus[0].memory_bytes, 81559.0 * 1024 * 1024);
  EXPECT_EQ(gpus[1].name, "NVIDIA A100, PCIe");
}

}  // namespace
}  // namespace ditscale::orchestrator
