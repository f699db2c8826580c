#include "worker/training/scored_weights.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace ditscale::worker {

namespace {

constexpr std::string_view kWeightsEnding = ".weights.h5";

}  // namespace

std::filesystem::path scored_weights_file(const common::TrialPaths& paths, std::int64_t step) {
  return paths.evaluations() / fmt::format("step-{}{}", step, kWeightsEnding);
}

std::vector<std::int64_t> list_scored_weights(const common::TrialPaths& paths) {
  std::vector<std::int64_t> steps;
  for (const auto& entry : std::filesystem::directory_iterator(paths.evaluations())) {
    const auto step = common::step_of(entry.path(), kWeightsEnding);
    if (step && *step > 0) steps.push_back(*step);
  }
  std::sort(steps.begin(), steps.end());
  return steps;
}

}  // namespace ditscale::worker
