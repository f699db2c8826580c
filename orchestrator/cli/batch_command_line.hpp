#pragma once

#include <memory>
#include <string>
#include <vector>

#include "orchestrator/cli/options.hpp"

namespace CLI {
class App;
}

namespace ditscale::orchestrator {

/// The commands that deal with the batch system and with studies that exist: submit, cancel, resume, retry, logs,
/// explain, doctor.
class BatchCommands {
 public:
  /// Adds them to `app`, which must outlive this object.
  explicit BatchCommands(CLI::App& app);
  ~BatchCommands();
  BatchCommands(const BatchCommands&) = delete;
  BatchCommands& operator=(const BatchCommands&) = delete;

  /// After parsing: `sbatch_arguments` is what stood after "--". Throws UsageError.
  void finish(std::vector<std::string> sbatch_arguments);
  /// The options of the one that was called.
  [[nodiscard]] Options chosen() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

void add_sweep(CLI::App& command, SweepChoice& sweep);
/// Adds --silence.
void add_silence(CLI::App& command, double& seconds);
void add_study(CLI::App& command, StudyChoice& choice);

}  // namespace ditscale::orchestrator
