#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include <gtest/gtest.h>

#include "common/atomic_file.hpp"
#include "slurm/slurm.hpp"
#include "tests/support/temporary_folder.hpp"

namespace ditscale::slurm {

/// Shell scripts called sbatch, squeue, … come first on PATH. Each call is written down in `calls`.
class FakeCommands : public ::testing::Test {
 protected:
  void SetUp() override {
    path_before_ = std::getenv("PATH");
    ::setenv("PATH", (folder_.path().string() + ":" + path_before_).c_str(), 1);
  }
  void TearDown() override { ::setenv("PATH", path_before_.c_str(), 1); }

  /// `body` is a shell script; $count is the number of this call, from 1.
  void fake(const std::string& name, const std::string& body) {
    const auto file = folder_.path() / name;
    std::ofstream(file) << "#!/bin/bash\ncd " << folder_.path().string() << "\necho \"" << name
                        << " $*\" >>calls\ncount=$(grep -c '^" << name << " ' calls)\n"
                        << body << "\n";
    std::filesystem::permissions(file, std::filesystem::perms::owner_all);
  }
  [[nodiscard]] std::string calls() const {
    const auto file = folder_.path() / "calls";
    return std::filesystem::exists(file) ? common::read_file(file) : "";
  }
  /// Waits cost nothing here; `waited_s_` adds them up.
  [[nodiscard]] Slurm slurm(const Policy& policy = {}) {
    return {policy, [this](double seconds) { waited_s_ += seconds; },
            [this](const std::string& text) { notices_ += text + "\n"; }};
  }

  test::TemporaryFolder folder_;
  std::string path_before_;
  double waited_s_ = 0;
  std::string notices_;
};

}  // namespace ditscale::slurm
