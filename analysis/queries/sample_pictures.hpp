#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include "analysis/queries/study.hpp"

namespace ditscale::analysis {

/// Samples that a trial drew: a PNG beside the database.
struct SamplePicture {
  const StudyTrial* trial = nullptr;
  std::int64_t step = 0;
  std::filesystem::path file;
};

/// The newest picture of each trial that has one, by rising training compute; at most `most`, evenly among them. All
/// are of the same noise and labels.
[[nodiscard]] std::vector<SamplePicture> sample_pictures(const Study& study, std::size_t most);

}  // namespace ditscale::analysis
