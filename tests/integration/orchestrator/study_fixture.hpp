#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <sys/types.h>

#include "common/json_document.hpp"

namespace ditscale::tests {

/// How a program ended and what it wrote.
struct Ended {
  int code = -1;
  std::string out;
  std::string err;
};

/// A started `orchestrator`, with everything that came from it: all its processes carry a tag in their environment.
class Command {
 public:
  Command(const std::vector<std::string>& argv, const std::map<std::string, std::string>& environment,
          const std::filesystem::path& folder);
  ~Command();
  Command(const Command&) = delete;
  Command& operator=(const Command&) = delete;

  [[nodiscard]] pid_t pid() const { return pid_; }
  /// Waits for the end (at most a minute; then it is killed and the code is -1).
  Ended wait();
  void signal(int number) const;
  /// All living processes of this command, itself included.
  [[nodiscard]] std::vector<pid_t> processes() const;
  [[nodiscard]] std::vector<pid_t> trainers() const;
  /// The process in which a run on one machine happens; -1 when it is not there.
  [[nodiscard]] pid_t run_process() const;
  /// The mpirun of an MPI job, and its coordinator (rank 0) or an agent; -1 when it is not there.
  [[nodiscard]] pid_t mpirun() const;
  [[nodiscard]] pid_t rank(int number) const;
  void kill_everything() const;
  /// True when all processes are gone within `seconds`.
  [[nodiscard]] bool nothing_left_within(double seconds) const;

 private:
  std::string tag_;
  std::filesystem::path folder_;
  pid_t pid_ = -1;
  std::optional<int> code_;
};

/// Studies in a folder of their own, trained by DITSCALE_TRAINER: the fake worker, or the real one.
class StudyFixture : public ::testing::Test {
 protected:
  void SetUp() override;
  void TearDown() override;

  /// Writes a sweep file with these seeds (each a behaviour, see fake_worker.cpp) and this many steps.
  std::filesystem::path write_sweep(const std::vector<int>& seeds, int steps = 20,
                                    const common::Json& resources = common::Json::object(),
                                    const common::Json& early_stopping = nullptr);
  /// Starts `orchestrator run` on it.
  [[nodiscard]] std::unique_ptr<Command> start(const std::vector<std::string>& more = {}, int step_ms = 0);
  /// The same, to its end.
  Ended run(const std::vector<std::string>& more = {}, int step_ms = 0);
  /// `orchestrator` with any arguments, to its end.
  Ended call(const std::vector<std::string>& arguments);
  /// `orchestrator status --json`.
  common::Json status();
  /// What must not depend on interruptions: label → state, score, loss, steps.
  std::map<std::string, std::string> table();
  /// Waits until `count` trainers run; false after ten seconds.
  [[nodiscard]] static bool trainers_run(const Command& command, std::size_t count);
  /// Waits until the study's events contain `text`; false after ten seconds.
  [[nodiscard]] bool events_contain(const std::string& text) const;
  [[nodiscard]] std::filesystem::path study() const { return folder_ / "runs" / "study"; }

  std::filesystem::path folder_;
  std::filesystem::path sweep_;
};

}  // namespace ditscale::tests
