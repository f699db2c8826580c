#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "analysis/queries/study.hpp"

namespace ditscale::analysis {

/// Samples that a trial drew: a PNG beside the database.
struct SamplePicture {
  const StudyTrial* trial = nullptr;
  std::int64_t step = 0;
  std::filesystem::path file;
};

/// Those of a study, which must outlive them. Settings that differ in the number of samples alone have the same
/// pictures, which show the first of them.
class SamplePictures {
 public:
  /// Reads each trial's folder once.
  explicit SamplePictures(const Study& study);

  /// The newest picture under `settings` of each trial that has one, by rising training compute; at most `most` (two
  /// or more), evenly among them. All are of the same noise and labels.
  [[nodiscard]] std::vector<SamplePicture> newest(const results::SettingsRow& settings, std::size_t most) const;

  /// Settings under which there are pictures, one of those that have the same.
  [[nodiscard]] std::vector<results::SettingsRow> settings() const;

 private:
  struct Named {
    SamplePicture picture;
    /// Out of the file's name; empty where its trial is scored under one setting.
    std::string settings_id;
  };
  /// By trial.
  std::vector<Named> all_;
  const Study& study_;
};

}  // namespace ditscale::analysis
