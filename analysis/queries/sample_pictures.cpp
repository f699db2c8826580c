#include "analysis/queries/sample_pictures.hpp"

#include <algorithm>
#include <cstdlib>

#include "common/trial_paths.hpp"

namespace ditscale::analysis {

namespace fs = std::filesystem;

std::vector<SamplePicture> sample_pictures(const Study& study, std::size_t most) {
  std::vector<SamplePicture> all;
  const common::StudyPaths paths{study.database.parent_path()};
  for (const StudyTrial& trial : study.trials) {
    SamplePicture newest{&trial, -1, {}};
    std::error_code code;
    for (const auto& entry : fs::directory_iterator(paths.trial(trial.id()).samples(), code)) {
      const std::string stem = entry.path().stem().string();
      if (entry.path().extension() != ".png" || !stem.starts_with("step-")) continue;
      const std::int64_t step = std::atoll(stem.c_str() + 5);
      if (step > newest.step) newest = {&trial, step, entry.path()};
    }
    if (!newest.file.empty()) all.push_back(std::move(newest));
  }
  std::stable_sort(all.begin(), all.end(), [](const auto& a, const auto& b) {
    return a.trial->row.trial.training_flops < b.trial->row.trial.training_flops;
  });
  if (all.size() <= most) return all;
  std::vector<SamplePicture> kept;
  for (std::size_t i = 0; i < most; ++i) kept.push_back(all[i * (all.size() - 1) / (most - 1)]);
  return kept;
}

}  // namespace ditscale::analysis
