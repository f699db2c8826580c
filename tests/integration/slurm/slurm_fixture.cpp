#include "tests/integration/slurm/slurm_fixture.hpp"

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <thread>

#include <fmt/format.h>
#include <unistd.h>

#include "common/atomic_file.hpp"

namespace ditscale::tests {

namespace fs = std::filesystem;

namespace {

constexpr double kCommandLimit_s = 60;

fs::path g_cluster;
std::string g_skip_reason;

template <typename Condition>
bool comes_true(double seconds, const Condition& condition) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::duration<double>(seconds);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  return true;
}

std::string text_of(const fs::path& file) {
  std::ifstream stream(file, std::ios::binary);
  std::ostringstream text;
  text << stream.rdbuf();
  return text.str();
}

int count(const std::string& text, const std::string& word) {
  int number = 0;
  for (std::size_t at = text.find(word); at != std::string::npos; at = text.find(word, at + 1)) ++number;
  return number;
}

/// Living processes of the cluster's jobs whose environment also holds `variable`.
std::vector<pid_t> processes_with(const std::string& variable) {
  const std::string configuration = "SLURM_CONF=" + (g_cluster / "slurm.conf").string() + '\0';
  std::vector<pid_t> found;
  std::error_code gone;
  for (const auto& entry : fs::directory_iterator("/proc", gone)) {
    const int pid = std::atoi(entry.path().filename().c_str());
    if (pid <= 0 || pid == ::getpid()) continue;
    const std::string environment = text_of(entry.path() / "environ");
    const bool ours = environment.find(configuration) != std::string::npos;
    if (ours && environment.find(variable) != std::string::npos) found.push_back(pid);
  }
  return found;
}

}  // namespace

void SlurmFixture::SetUpTestSuite() {
  g_cluster = fs::temp_directory_path() / fmt::format("ditscale-slurm-{}", ::getpid());
  const auto checked = slurm::run_command({DITSCALE_TEST_CLUSTER, "check"}, kCommandLimit_s);
  if (checked.code != 0) {
    g_skip_reason = checked.err;
    return;
  }
  const auto started = cluster({"start"});
  ASSERT_EQ(started.code, 0) << started.err;
  ::setenv("SLURM_CONF", (g_cluster / "slurm.conf").c_str(), 1);
}

void SlurmFixture::TearDownTestSuite() {
  if (!g_skip_reason.empty()) return;
  const auto stopped = cluster({"stop"});
  EXPECT_EQ(stopped.code, 0) << stopped.err;
  EXPECT_TRUE(comes_true(10, [] { return processes_with("").empty(); })) << "processes were left behind";
  if (::testing::UnitTest::GetInstance()->Passed()) fs::remove_all(g_cluster);
}

void SlurmFixture::SetUp() {
  if (!g_skip_reason.empty()) GTEST_SKIP() << g_skip_reason;
  StudyFixture::SetUp();
}

slurm::CommandResult SlurmFixture::cluster(const std::vector<std::string>& arguments) {
  std::vector<std::string> argv{DITSCALE_TEST_CLUSTER, arguments.front(), g_cluster.string()};
  argv.insert(argv.end(), arguments.begin() + 1, arguments.end());
  return slurm::run_command(argv, kCommandLimit_s);
}

slurm::CommandResult SlurmFixture::orchestrator(std::vector<std::string> arguments) const {
  arguments.insert(arguments.begin(), DITSCALE_ORCHESTRATOR);
  arguments.insert(arguments.begin() + 2, {"--runs", (folder_ / "runs").string()});
  return slurm::run_command(arguments, kCommandLimit_s);
}

std::string SlurmFixture::submit(int step_ms, const std::vector<std::string>& more) {
  ::setenv("FAKE_STEP_MS", std::to_string(step_ms).c_str(), 1);
  std::vector<std::string> arguments{"submit", sweep_.string(), "--worker", DITSCALE_TRAINER, "--json"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  const auto result = orchestrator(arguments);
  EXPECT_EQ(result.code, 0) << result.err;
  if (result.code != 0) return "0";
  return common::Json::parse(result.out).at("jobs").at(0).at("job");
}

std::string SlurmFixture::last_job() const {
  return common::Json::parse(text_of(study() / "slurm" / "jobs.json")).back();
}

bool SlurmFixture::becomes(const std::string& job, const std::string& state, double seconds) {
  return comes_true(seconds, [&] {
    const auto shown =
        slurm::run_command({"squeue", "--noheader", "--states=all", "--format=%T", "--jobs=" + job}, kCommandLimit_s);
    return shown.out == state + "\n";
  });
}

std::string SlurmFixture::log_of(const std::string& job) const {
  return text_of(study() / "slurm" / ("job-" + job + ".log"));
}

bool SlurmFixture::log_says(const std::string& job, const std::string& text, int times, double seconds) const {
  return comes_true(seconds, [&] { return num_in_log(job, text) >= times; });
}

int SlurmFixture::num_in_log(const std::string& job, const std::string& text) const { return count(log_of(job), text); }

pid_t SlurmFixture::coordinator() {
  const auto found = processes_with(std::string("OMPI_COMM_WORLD_RANK=0") + '\0');
  return found.empty() ? -1 : found.front();
}

void SlurmFixture::preempt() const {
  const auto script = folder_ / "urgent.sh";
  common::write_file_atomically(script, "#!/bin/bash\n#SBATCH --output=/dev/null\nsleep 1\n");
  const auto result =
      slurm::run_command({"sbatch", "--partition=urgent", "--nodes=2", "--exclusive", script}, kCommandLimit_s);
  ASSERT_EQ(result.code, 0) << result.err;
}

void SlurmFixture::expect_each_succeeded_once(int number) const {
  int sum = 0;
  for (const auto& [trial, times] : outcomes("succeeded")) {
    EXPECT_LE(times, 1) << trial;
    sum += times;
  }
  EXPECT_EQ(sum, number);
}

std::map<std::string, int> SlurmFixture::outcomes(const std::string& state) const {
  std::map<std::string, int> numbers;
  for (const auto& entry : fs::recursive_directory_iterator(study() / "trials")) {
    if (entry.path().filename() != "events.jsonl") continue;
    const std::string trial = entry.path().parent_path().parent_path().parent_path().filename().string();
    numbers[trial] += count(text_of(entry.path()), "\"state\":\"" + state + "\"");
  }
  return numbers;
}

}  // namespace ditscale::tests
