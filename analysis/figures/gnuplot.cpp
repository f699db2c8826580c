#include "analysis/figures/gnuplot.hpp"

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <thread>

#include "common/atomic_file.hpp"
#include "common/child_process.hpp"
#include "common/error.hpp"

namespace ditscale::analysis {

namespace fs = std::filesystem;

namespace {

constexpr std::chrono::seconds kLongest{60};
constexpr std::chrono::milliseconds kBetweenLooks{3};

/// A folder for the script and gnuplot's words, gone with the object.
class ScratchFolder {
 public:
  ScratchFolder() {
    std::string name = (fs::temp_directory_path() / "ditscale-figure-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw common::errno_error("mkdtemp", name);
    path_ = name;
  }
  ~ScratchFolder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;
  [[nodiscard]] const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

common::ChildProcess start(const common::SpawnOptions& options) {
  try {
    return common::ChildProcess::spawn(options);
  } catch (const common::SystemError& error) {
    throw common::SystemError(fmt::format(
        "{}; figures are drawn by gnuplot: install the package gnuplot-nox (sudo apt-get install gnuplot-nox)",
        error.what()));
  }
}

common::ExitStatus wait_for(common::ChildProcess& gnuplot) {
  const auto deadline = std::chrono::steady_clock::now() + kLongest;
  for (;;) {
    if (const auto status = gnuplot.poll()) return *status;
    if (std::chrono::steady_clock::now() > deadline) gnuplot.signal_group(SIGKILL);
    std::this_thread::sleep_for(kBetweenLooks);
  }
}

}  // namespace

void run_gnuplot(const std::string& script) {
  const ScratchFolder scratch;
  const fs::path file = scratch.path() / "figure.gp";
  common::replace_file(file, script);  // scratch: needs no fsync
  common::SpawnOptions options;
  options.argv = {"gnuplot", "-d", file.string()};
  options.log = scratch.path() / "log.txt";
  common::ChildProcess gnuplot = start(options);
  const common::ExitStatus status = wait_for(gnuplot);
  if (status.code == 0) return;
  throw common::SystemError(fmt::format("gnuplot failed ({}): {}", status.text(), common::read_file(options.log)));
}

}  // namespace ditscale::analysis
