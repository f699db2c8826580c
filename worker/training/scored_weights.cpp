#include "worker/training/scored_weights.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace ditscale::worker {

namespace {

constexpr std::string_view kWeightsEnding = ".weights.h5";

/// The k of "step-<k>…", whatever stands behind it.
std::optional<std::int64_t> step_in_name(const std::filesystem::path& file) {
  constexpr std::size_t kNumber = std::string_view("step-").size();
  const std::string name = file.filename().string();
  const std::size_t end = name.find_first_not_of("0123456789", kNumber);
  return end == std::string::npos ? std::nullopt : common::step_of(file, name.substr(end));
}

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

void remove_beyond(std::int64_t step, const common::TrialPaths& paths) {
  for (const auto& folder : {paths.ema(), paths.evaluations()}) {
    if (!std::filesystem::is_directory(folder)) continue;
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
      const auto made_at = step_in_name(entry.path());
      if (made_at && *made_at > step) std::filesystem::remove(entry.path());
    }
  }
}

}  // namespace ditscale::worker
