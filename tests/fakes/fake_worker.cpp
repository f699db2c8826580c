// A trainer that trains nothing: it speaks the protocol of `worker train` (lock, checkpoints, events, exit codes) and
// misbehaves as its trial's seed says. Its "loss" is a function of its checkpointed state, so a run that was
// interrupted and resumed must end with the same numbers as one that was not.
//
//   seed    behaviour
//   0-99    succeeds
//   101-109 fails in its first (seed - 100) attempts, halfway through, then succeeds
//   200     its loss becomes NaN halfway
//   300     says nothing after its start, and ignores SIGTERM
//   400     kills itself (SIGSEGV) halfway, always
//   401     the same in its first attempt only
//   410     needs more memory than it may have (a limit of its own), halfway, in its first attempt
//   500     complains in its log and exits before any event
//   420     finds its disk full halfway, in its first attempt, and says so
//   421     the same, but can only end with the exit code for it
//   600     ignores SIGTERM
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <list>
#include <string>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <unistd.h>

#include "common/atomic_file.hpp"
#include "common/clock.hpp"
#include "common/disk_refusal.hpp"
#include "common/error.hpp"
#include "common/event.hpp"
#include "common/file_descriptor.hpp"
#include "common/trainer_exit.hpp"
#include "common/trial_paths.hpp"
#include "sweeps/spec/trial_spec.hpp"

namespace {

using namespace ditscale;
using common::Json;
namespace fs = std::filesystem;

volatile std::sig_atomic_t g_stop_asked = 0;

struct Arguments {
  fs::path trial_json;
  common::TrialPaths paths;
  common::AttemptNumber attempt{1};
  int event_fd = -1;
  /// Of a gang.
  int rank = 0;
};

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

/// The first process of a gang speaks into a named pipe; all print the processors their node gives to the gang.
Arguments in_gang(Arguments arguments, const std::string& pipe, const std::string& cpus) {
  arguments.rank = std::stoi(variable("OMPI_COMM_WORLD_RANK"));
  std::printf("rank %d of %s on cpus %s of %s\n", arguments.rank, variable("OMPI_COMM_WORLD_SIZE").c_str(),
              cpus.c_str(), variable("SLURMD_NODENAME").c_str());
  std::fflush(stdout);
  if (arguments.rank == 0) arguments.event_fd = ::open(pipe.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC);
  if (arguments.rank == 0 && arguments.event_fd < 0) throw common::errno_error("open", pipe);
  return arguments;
}

/// Exactly the calls of the contract: `train TRIAL --folder F --attempt N` and `--event-fd 3 --threads T`, or in a gang
/// `--event-pipe P --cpu-list C`.
Arguments parse(int argc, char** argv) {
  const std::vector<std::string> words(argv, argv + argc);
  const bool good = argc == 11 && words[1] == "train" && words[3] == "--folder" && words[5] == "--attempt";
  if (!good) throw common::UsageError("not called as a trainer is");
  const Arguments arguments{words[2], {words[4]}, common::AttemptNumber{std::stoi(words[6])}};
  if (words[7] == "--event-pipe" && words[9] == "--cpu-list") return in_gang(arguments, words[8], words[10]);
  if (words[7] != "--event-fd" || words[9] != "--threads") throw common::UsageError("not called as a trainer is");
  if (variable("OMP_NUM_THREADS") != words[10]) throw common::UsageError("OMP_NUM_THREADS is not --threads");
  if (!variable("OMPI_COMM_WORLD_SIZE").empty()) throw common::UsageError("MPI variables were handed down");
  Arguments single = arguments;
  single.event_fd = std::stoi(words[8]);
  return single;
}

class Voice {
 public:
  explicit Voice(const Arguments& arguments)
      : file_(
            ::open(arguments.paths.events(arguments.attempt).c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644)),
        pipe_(arguments.event_fd) {
    if (!file_.valid()) throw common::errno_error("open", arguments.paths.events(arguments.attempt).string());
  }
  void say(const std::string& kind, Json body) {
    common::Event event;
    event.number = ++number_;
    event.time_s = clock_.unix_s();
    event.kind = kind;
    event.body = std::move(body);
    const std::string line = event.to_line() + "\n";
    if (::write(file_.get(), line.data(), line.size()) < 0) throw common::errno_error("write", "events.jsonl");
    [[maybe_unused]] const ssize_t ignored = ::write(pipe_, line.data(), line.size());
  }

 private:
  common::FileDescriptor file_;
  int pipe_;
  common::SystemClock clock_;
  std::int64_t number_ = 0;
};

/// The whole of what is trained.
struct Brain {
  std::int64_t step = 0;
  std::uint64_t state = 1;
  void learn(std::int64_t seed) {
    state = state * 6364136223846793005ULL + 1442695040888963407ULL + static_cast<std::uint64_t>(seed);
    ++step;
  }
  [[nodiscard]] double loss() const { return 0.01 + static_cast<double>(state >> 40) * 1e-8; }
};

/// What the other processes of a gang do, as in a collective call: wait until the first has said how it ended.
int follow(const Arguments& arguments) {
  constexpr auto kLook = std::chrono::milliseconds(20);
  const fs::path events = arguments.paths.events(arguments.attempt);
  for (;;) {
    std::this_thread::sleep_for(kLook);
    if (fs::exists(events) && common::read_file(events).find("\"outcome\"") != std::string::npos) return 0;
  }
}

class FakeTrainer {
 public:
  explicit FakeTrainer(const Arguments& arguments)
      : arguments_(arguments),
        spec_(sweeps::trial_spec_from(common::read_json(arguments.trial_json))),
        voice_(arguments) {
    const char* step_ms = std::getenv("FAKE_STEP_MS");
    step_time_ = std::chrono::milliseconds(step_ms == nullptr ? 0 : std::atoi(step_ms));
  }

  int run() {
    take_lock();
    load();
    voice_.say("started", {{"step", brain_.step}, {"images", images()}, {"device", "fake"}, {"pid", ::getpid()}});
    if (spec_.seed == 300) hang();
    while (brain_.step < spec_.train.steps) {
      if (g_stop_asked != 0) return stop();
      std::this_thread::sleep_for(step_time_);
      brain_.learn(spec_.seed);
      if (brain_.step == spec_.train.steps / 2 && misbehaves()) return misbehave();
      if (brain_.step % spec_.train.log_every_steps == 0) metric();
      if (brain_.step % spec_.checkpoint.every_steps == 0) save();
    }
    save();
    evaluate();
    return outcome("succeeded", "", 0);
  }

 private:
  void take_lock() {
    common::make_folder(arguments_.paths.checkpoints());
    lock_ = common::FileDescriptor(::open(arguments_.paths.lock().c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
    if (!lock_.valid() || ::flock(lock_.get(), LOCK_EX) != 0) throw common::errno_error("flock", "trainer.lock");
  }

  [[nodiscard]] fs::path checkpoint() const { return arguments_.paths.checkpoints() / "latest.json"; }
  [[nodiscard]] std::int64_t images() const { return brain_.step * spec_.train.global_batch; }

  void load() {
    if (!fs::exists(checkpoint())) return;
    const Json saved = Json::parse(common::read_file(checkpoint()));
    brain_ = {saved.at("step").get<std::int64_t>(), saved.at("state").get<std::uint64_t>()};
  }

  void save() {
    common::write_file_atomically(checkpoint(), Json{{"step", brain_.step}, {"state", brain_.state}}.dump());
    voice_.say("checkpoint", {{"step", brain_.step},
                              {"images", images()},
                              {"file", "checkpoints/latest.json"},
                              {"bytes", 64},
                              {"digest", "none"},
                              {"seconds", 0.0}});
  }

  void metric() {
    voice_.say("metric",
               {{"step", brain_.step}, {"images", images()}, {"loss", brain_.loss()}, {"images_per_s", 100.0}});
  }

  void evaluate() {
    for (const sweeps::EvaluateSpec& entry : spec_.evaluate) {
      voice_.say("evaluation", {{"step", brain_.step},
                                {"images", images()},
                                {"settings", sweeps::to_json(entry)},
                                {"settings_id", "fake"},
                                {"values", {{"fid", brain_.loss() * 1000}}},
                                {"num_samples", entry.num_samples},
                                {"seconds", 0.0},
                                {"sampling_macs", 1}});
    }
  }

  [[nodiscard]] bool misbehaves() const {
    const int attempt = common::to_int(arguments_.attempt);
    if (spec_.seed > 100 && spec_.seed < 110) return attempt <= spec_.seed - 100;
    const bool once = spec_.seed == 401 || spec_.seed == 410 || spec_.seed == 420 || spec_.seed == 421;
    return spec_.seed == 200 || spec_.seed == 400 || (once && attempt == 1);
  }

  int misbehave() {
    if (spec_.seed == 200) return outcome("diverged", "loss is nan", 6);
    if (spec_.seed == 420)
      return outcome("lost", "write step-10.h5: No space left on device", common::kDiskRefusedExit);
    if (spec_.seed == 421) return common::kDiskRefusedExit;
    if (spec_.seed == 410) run_out_of_memory();
    if (spec_.seed >= 400) ::raise(SIGSEGV);
    return outcome("failed", "it was told to fail", 1);
  }

  [[noreturn]] static void run_out_of_memory() {
    constexpr rlim_t kAllowed_bytes = rlim_t{1} << 28;
    const rlimit limit{kAllowed_bytes, kAllowed_bytes};
    ::setrlimit(RLIMIT_AS, &limit);
    for (std::list<std::string> hoard;;) hoard.emplace_back(std::size_t{1} << 24, 'x');
  }

  int stop() {
    save();
    return outcome("preempted", "asked to stop", 4);
  }

  int outcome(const std::string& state, const std::string& reason, int code) {
    voice_.say("outcome", {{"state", state}, {"reason", reason}, {"step", brain_.step}, {"images", images()}});
    return code;
  }

  [[noreturn]] static void hang() {
    ::signal(SIGTERM, SIG_IGN);
    for (;;) std::this_thread::sleep_for(std::chrono::hours(1));
  }

  Arguments arguments_;
  sweeps::TrialSpec spec_;
  common::FileDescriptor lock_;
  Voice voice_;
  Brain brain_;
  std::chrono::milliseconds step_time_{0};
};

}  // namespace

int main(int argc, char** argv) {
  for (const int asked : {SIGTERM, SIGUSR2}) ::signal(asked, [](int) { g_stop_asked = 1; });
  ::signal(SIGPIPE, SIG_IGN);
  try {
    const Arguments arguments = parse(argc, argv);
    // mpirun sends it when another process has died: in a collective call nothing comes of it.
    if (!variable("OMPI_COMM_WORLD_RANK").empty()) ::signal(SIGTERM, SIG_IGN);
    const auto spec = sweeps::trial_spec_from(common::read_json(arguments.trial_json));
    if (spec.seed == 600) ::signal(SIGTERM, SIG_IGN);
    if (spec.seed == 500) throw common::SystemError("no images where the images should be");
    return arguments.rank == 0 ? FakeTrainer(arguments).run() : follow(arguments);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "fake worker: %s\n", error.what());
    return common::is_disk_refusal(error.what()) ? common::kDiskRefusedExit : 1;
  }
}
