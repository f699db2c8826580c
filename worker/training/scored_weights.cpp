#include "worker/training/scored_weights.hpp"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

namespace ditscale::worker {

namespace {

constexpr std::string_view kWeightsPrefix = "step-", kWeightsEnding = ".weights.h5";

}  // namespace

std::filesystem::path scored_weights_file(const common::TrialPaths& paths, std::int64_t step) {
  return paths.evaluations() / fmt::format("{}{}{}", kWeightsPrefix, step, kWeightsEnding);
}

std::vector<std::int64_t> list_scored_weights(const common::TrialPaths& paths) {
  std::vector<std::int64_t> steps;
  for (const auto& entry : std::filesystem::directory_iterator(paths.evaluations())) {
    const std::string name = entry.path().filename().string();
    if (!name.starts_with(kWeightsPrefix) || !name.ends_with(kWeightsEnding)) continue;
    const char* end = name.data() + name.size() - kWeightsEnding.size();
    std::int64_t step = 0;
    const auto [stopped, error] = std::from_chars(name.data() + kWeightsPrefix.size(), end, step);
    if (error == std::errc() && stopped == end && step > 0) steps.push_back(step);
  }
  std::sort(steps.begin(), steps.end());
  return steps;
}

}  // namespace ditscale::worker
