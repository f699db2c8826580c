#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "common/json_document.hpp"
#include "tests/integration/orchestrator/study_fixture.hpp"

namespace ditscale::tests {

/// Small studies by the real trainer, on real Fashion-MNIST or a made-up piece of it.
class RealStudy : public StudyFixture {
 protected:
  void SetUp() override;

  /// Writes a sweep of tiny models: `grid` as in a sweep file, over a base of 40 steps with a score at 20 and 40.
  void write_real_sweep(const common::Json& grid);
  /// `worker` with any arguments, to its end; `ranks` above 1 starts it by mpirun.
  Ended call_worker(const std::vector<std::string>& arguments, int ranks = 1);
  [[nodiscard]] std::unique_ptr<Command> start_worker(const std::vector<std::string>& arguments, int ranks);
  /// What those workers keep between runs.
  [[nodiscard]] std::filesystem::path cache() const { return folder_ / "cache"; }
  /// A trial file with the same base.
  std::filesystem::path write_trial();
  /// Bodies of all events of a kind in a trial's folder, the newest attempt's last.
  static std::vector<common::Json> events_of(const std::filesystem::path& trial_folder, const std::string& kind);
  /// Looks every millisecond until it is so; false after a minute.
  static bool comes(const std::function<bool()>& condition);
  static bool has_checkpoint(const std::filesystem::path& trial_folder, int step);
  /// An uncompressed data set of 500 training and 20 test images cut out of bytes that mean nothing.
  std::filesystem::path write_small_data();

  common::Json base_;
};

}  // namespace ditscale::tests
