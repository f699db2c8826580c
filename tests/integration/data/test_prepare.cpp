// `worker prepare` as its users run it: several processes, killed and run again.
#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <string>
#include <thread>

#include <gmock/gmock.h>

#include "common/child_process.hpp"
#include "common/json_document.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/unit/worker/picture_files.hpp"

namespace ditscale::tests {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

constexpr int kImages = 5000;
constexpr auto kPatience = 120s;

class Prepare : public testing::Test {
 protected:
  void SetUp() override {
    for (int i = 0; i < kImages; ++i) {
      const fs::path file = images() / ("class_" + std::to_string(i % 3)) / (std::to_string(10000 + i) + ".png");
      fs::create_directories(file.parent_path());
      // 40 pictures under 5,000 names: what is told apart is the order of 40.
      const std::string bytes = picture(i % 40);
      std::ofstream(file, std::ios::binary).write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    }
  }

  const std::string& picture(int number) {
    std::string& bytes = pictures_[number];
    if (bytes.empty())
      bytes = worker::test_files::rgb_png(160, 120, [&](int x, int y, int c) { return x * number + y * 3 + c * 70; });
    return bytes;
  }

  [[nodiscard]] fs::path images() const { return folder_ / "images"; }

  common::ChildProcess start(const fs::path& store, int processes) {
    common::SpawnOptions options;
    options.argv = {DITSCALE_WORKER,
                    "prepare",
                    images().string(),
                    "--out",
                    store.string(),
                    "--image-size",
                    "64",
                    "--processes",
                    std::to_string(processes)};
    options.log = folder_ / "log.txt";
    return common::ChildProcess::spawn(options);
  }

  /// Looks until `met()`; fails the test when that takes too long.
  template <typename Condition>
  static void wait_until(Condition met) {
    const auto end = std::chrono::steady_clock::now() + kPatience;
    while (!met()) {
      ASSERT_LT(std::chrono::steady_clock::now(), end);
      std::this_thread::sleep_for(2ms);
    }
  }

  int finish(common::ChildProcess child) {
    wait_until([&] { return child.poll().has_value(); });
    return child.poll()->code.value_or(-1);
  }

  static std::string bytes_of(const fs::path& path) {
    std::ifstream stream(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(stream), {}};
  }

  std::string log() { return bytes_of(folder_ / "log.txt"); }

  test::TemporaryFolder folder_;
  std::map<int, std::string> pictures_;
};

TEST_F(Prepare, BySeveralProcessesAndAfterAKillMakesTheStoreOfOneProcess) {
  const fs::path alone = folder_ / "alone.h5", several = folder_ / "several.h5", killed = folder_ / "killed.h5";
  ASSERT_EQ(finish(start(alone, 1)), 0) << log();
  const std::string expected = bytes_of(alone);
  ASSERT_EQ(finish(start(several, 3)), 0) << log();
  EXPECT_TRUE(bytes_of(several) == expected);

  {
    common::ChildProcess first = start(killed, 2);
    wait_until([&] { return fs::exists(killed.string() + ".parts/shard-000000.json"); });
    first.signal_group(SIGKILL);
    wait_until([&] { return first.poll().has_value(); });
  }
  ASSERT_FALSE(fs::exists(killed)) << "it was over before it could be killed";
  ASSERT_EQ(finish(start(killed, 2)), 0) << log();
  EXPECT_THAT(log(), testing::HasSubstr("going on after"));
  EXPECT_TRUE(bytes_of(killed) == expected);
  EXPECT_FALSE(fs::exists(killed.string() + ".parts"));
}

TEST_F(Prepare, StopsWhenAskedAndSaysSo) {
  const fs::path store = folder_ / "store.h5";
  common::ChildProcess child = start(store, 2);
  wait_until([&] { return fs::exists(store.string() + ".parts/shard-000000.json"); });
  child.signal_group(SIGTERM);
  EXPECT_EQ(finish(std::move(child)), 4) << log();
  EXPECT_THAT(log(), testing::HasSubstr("the same command goes on from here"));
  EXPECT_FALSE(fs::exists(store));
}

TEST_F(Prepare, DescribesTheStoreForASweepFile) {
  const fs::path store = folder_ / "store.h5";
  ASSERT_EQ(finish(start(store, 2)), 0) << log();
  const std::string text = log();
  const common::Json json = common::Json::parse(text.substr(text.find("{\n")));
  const common::Json& data = json.at("data");
  EXPECT_EQ(data.at("name"), "store");
  EXPECT_EQ(data.at("root"), store.string());
  EXPECT_EQ(data.at("num_images"), kImages);
  EXPECT_EQ(data.at("num_classes"), 3);
}

}  // namespace
}  // namespace ditscale::tests
