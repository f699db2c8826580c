#include "tests/integration/orchestrator/study_fixture.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <csignal>
#include <fstream>
#include <sstream>
#include <thread>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/atomic_file.hpp"
#include "common/error.hpp"

namespace ditscale::tests {

namespace fs = std::filesystem;

namespace {

constexpr const char* kTagName = "DITSCALE_TEST_TAG";

void pause_ms(int milliseconds) { std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds)); }

/// True when `condition` holds within `seconds`.
template <typename Condition>
bool holds_within(double seconds, const Condition& condition) {
  constexpr int kLook_ms = 10;
  for (int look = 0; look * kLook_ms < seconds * 1000; ++look) {
    if (condition()) return true;
    pause_ms(kLook_ms);
  }
  return condition();
}

std::string slurp(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

std::vector<char*> pointers(std::vector<std::string>& strings) {
  std::vector<char*> result;
  for (std::string& text : strings) result.push_back(text.data());
  result.push_back(nullptr);
  return result;
}

std::vector<pid_t> all_processes() {
  std::vector<pid_t> pids;
  std::error_code gone;
  for (const auto& entry : fs::directory_iterator("/proc", gone)) {
    const std::string name = entry.path().filename().string();
    pid_t pid = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), pid);
    if (error == std::errc() && end == name.data() + name.size()) pids.push_back(pid);
  }
  return pids;
}

std::string of_process(pid_t pid, const char* file) { return slurp(fs::path("/proc") / std::to_string(pid) / file); }

std::string program_of(pid_t pid) {
  const std::string line = of_process(pid, "cmdline");
  return line.substr(0, line.find('\0'));
}

std::string new_tag() {
  static int counter = 0;
  return std::to_string(::getpid()) + "-" + std::to_string(++counter);
}

}  // namespace

Command::Command(const std::vector<std::string>& argv, const std::map<std::string, std::string>& environment,
                 const fs::path& folder)
    : tag_(std::string(kTagName) + "=" + new_tag()), folder_(folder) {
  std::vector<std::string> arguments = argv;
  std::vector<std::string> variables{tag_};
  for (const auto& [name, value] : environment) variables.push_back(name + "=" + value);
  for (char** entry = environ; *entry != nullptr; ++entry) variables.emplace_back(*entry);
  const std::vector<char*> argument_pointers = pointers(arguments);
  const std::vector<char*> variable_pointers = pointers(variables);
  pid_ = ::fork();
  if (pid_ != 0) return;
  const int out = ::open((folder_ / "out.txt").c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644);
  const int err = ::open((folder_ / "err.txt").c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644);
  const int in = ::open("/dev/null", O_RDONLY);
  ::dup2(in, 0);
  ::dup2(out, 1);
  ::dup2(err, 2);
  if (::chdir(folder_.c_str()) == 0) ::execve(argument_pointers[0], argument_pointers.data(), variable_pointers.data());
  ::_exit(127);
}

Command::~Command() {
  kill_everything();
  if (!code_) ::waitpid(pid_, nullptr, 0);
}

Ended Command::wait() {
  constexpr double kLongest_s = 60;
  int status = 0;
  const bool ended = holds_within(kLongest_s, [&] { return ::waitpid(pid_, &status, WNOHANG) == pid_; });
  if (!ended) {
    kill_everything();
    ::waitpid(pid_, &status, 0);
  }
  code_ = ended ? (WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status)) : -1;
  return {*code_, slurp(folder_ / "out.txt"), slurp(folder_ / "err.txt")};
}

void Command::signal(int number) const { ::kill(pid_, number); }

std::vector<pid_t> Command::processes() const {
  std::vector<pid_t> found;
  for (const pid_t pid : all_processes()) {
    if (of_process(pid, "environ").find(tag_ + '\0') != std::string::npos) found.push_back(pid);
  }
  return found;
}

std::vector<pid_t> Command::trainers() const {
  std::vector<pid_t> found = processes();
  std::erase_if(found, [](pid_t pid) { return program_of(pid) != DITSCALE_TRAINER; });
  return found;
}

pid_t Command::run_process() const {
  for (const pid_t pid : processes()) {
    if (pid != pid_ && program_of(pid) == DITSCALE_ORCHESTRATOR) return pid;
  }
  return -1;
}

pid_t Command::mpirun() const {
  for (const pid_t pid : processes()) {
    const bool starts_ranks = of_process(pid, "cmdline").find(DITSCALE_ORCHESTRATOR) != std::string::npos;
    if (fs::path(program_of(pid)).filename() == "mpirun" && starts_ranks) return pid;
  }
  return -1;
}

pid_t Command::rank(int number) const {
  const std::string variable = fmt::format("OMPI_COMM_WORLD_RANK={}", number) + '\0';
  for (const pid_t pid : processes()) {
    const bool ours = program_of(pid) == DITSCALE_ORCHESTRATOR;
    if (ours && of_process(pid, "environ").find(variable) != std::string::npos) return pid;
  }
  return -1;
}

void Command::kill_everything() const {
  for (std::vector<pid_t> left = processes(); !left.empty(); left = processes()) {
    for (const pid_t pid : left) ::kill(pid, SIGKILL);
    pause_ms(2);
    if (left.size() == 1 && left.front() == pid_) break;  // a zombie's environment is empty; ours is not collected yet
  }
}

bool Command::nothing_left_within(double seconds) const {
  return holds_within(seconds, [&] { return processes().empty(); });
}

void StudyFixture::SetUp() {
  const auto* test = ::testing::UnitTest::GetInstance()->current_test_info();
  folder_ = fs::temp_directory_path() / fmt::format("ditscale-study-{}-{}", ::getpid(), test->line());
  fs::create_directories(folder_);
}

void StudyFixture::TearDown() {
  if (!HasFailure()) fs::remove_all(folder_);
}

fs::path StudyFixture::write_sweep(const std::vector<int>& seeds, int steps, const common::Json& resources,
                                   const common::Json& early_stopping) {
  common::Json sweep{
      {"name", "study"},
      {"base",
       {{"model", {{"depth", 1}, {"width", 16}, {"heads", 2}, {"patch", 7}}},
        {"train", {{"global_batch", 8}, {"steps", steps}, {"log_every_steps", 2}}},
        {"checkpoint", {{"every_steps", 5}}},
        {"resources", resources},
        {"evaluate", {{{"every_steps", steps}, {"num_samples", 10}, {"sampler", "ddim"}, {"steps", 2}}}}}},
      {"grid", {{"seed", seeds}}}};
  if (!early_stopping.is_null()) sweep["early_stopping"] = early_stopping;
  sweep_ = folder_ / "sweep.json";
  common::write_file_atomically(sweep_, sweep.dump(2));
  return sweep_;
}

std::unique_ptr<Command> StudyFixture::start(const std::vector<std::string>& more, int step_ms) {
  std::vector<std::string> argv{DITSCALE_ORCHESTRATOR, "run", sweep_.string(), "--worker", DITSCALE_TRAINER};
  argv.insert(argv.end(), more.begin(), more.end());
  return std::make_unique<Command>(argv, std::map<std::string, std::string>{{"FAKE_STEP_MS", std::to_string(step_ms)}},
                                   folder_);
}

Ended StudyFixture::run(const std::vector<std::string>& more, int step_ms) { return start(more, step_ms)->wait(); }

Ended StudyFixture::call(const std::vector<std::string>& arguments) {
  std::vector<std::string> argv{DITSCALE_ORCHESTRATOR};
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  return Command(argv, {}, folder_).wait();
}

common::Json StudyFixture::status() {
  const Ended ended = call({"status", "study", "--json"});
  EXPECT_EQ(ended.code, 0) << ended.err;
  return common::Json::parse(ended.out);
}

std::map<std::string, std::string> StudyFixture::table() {
  std::map<std::string, std::string> table;
  const common::Json report = status();
  EXPECT_FALSE(report["trials"].empty());
  for (const auto& trial : report["trials"]) {
    table[trial["label"]] = fmt::format("{} fid {} loss {} steps {}", trial["state"].get<std::string>(),
                                        trial["fid"].dump(), trial["loss"].dump(), trial["steps_done"].dump());
  }
  return table;
}

bool StudyFixture::trainers_run(const Command& command, std::size_t count) {
  return holds_within(10, [&] { return command.trainers().size() >= count; });
}

bool StudyFixture::events_contain(const std::string& text) const {
  return holds_within(10, [&] {
    std::error_code gone;
    for (const auto& entry : fs::recursive_directory_iterator(study() / "trials", gone)) {
      if (entry.path().filename() == "events.jsonl" && slurp(entry.path()).find(text) != std::string::npos) return true;
    }
    return false;
  });
}

}  // namespace ditscale::tests
