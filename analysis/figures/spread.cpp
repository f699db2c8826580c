#include "analysis/figures/spread.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace ditscale::analysis {

std::vector<std::size_t> spread_places(std::size_t num, std::size_t most) {
  std::vector<std::size_t> places;
  if (most == 1 && num > 1) return {num - 1};
  for (std::size_t i = 0; i < std::min(num, most); ++i) {
    places.push_back(num <= most ? i : i * (num - 1) / (most - 1));
  }
  return places;
}

std::vector<const StudyTrial*> spread_by_size(std::vector<const StudyTrial*> trials, std::size_t most) {
  if (trials.size() <= most) return trials;
  std::stable_sort(trials.begin(), trials.end(),
                   [](const auto* a, const auto* b) { return a->gflops() < b->gflops(); });
  std::vector<const StudyTrial*> shown;
  for (const std::size_t place : spread_places(trials.size(), most)) shown.push_back(trials[place]);
  return shown;
}

std::string part_text(std::size_t num_shown, std::size_t num_trials) {
  return num_shown < num_trials ? fmt::format(", {} of {} trials", num_shown, num_trials) : "";
}

}  // namespace ditscale::analysis
