#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "common/json_document.hpp"

namespace ditscale::worker {

/// The scores of one call, kept in a file after each, so that the same call goes on behind those that are there.
/// Several processes may add to one file.
class ScoreReport {
 public:
  /// `file` may be empty: nothing is kept. Throws CorruptData when it holds something else, ConfigError when it cannot
  /// be written there.
  explicit ScoreReport(std::filesystem::path file);

  /// What the file has of these images or weights (their digest) under these settings, with at least these metrics.
  [[nodiscard]] std::optional<common::Json> find(const std::string& digest, const std::string& settings_id,
                                                 const std::vector<std::string>& metrics) const;
  /// Adds it, in the place of an earlier one of the same digest and settings, whose other metrics it takes over.
  void add(const common::Json& score);

 private:
  /// Takes what is in the file now.
  void refresh();

  std::filesystem::path file_;
  common::Json scores_ = common::Json::array();
};

/// Whether a score has a value, or the reason for none, of each of these metrics.
[[nodiscard]] bool has_metrics(const common::Json& score, const std::vector<std::string>& metrics);

/// `score` with what `earlier`, of the same samples, has of metrics that it lacks.
[[nodiscard]] common::Json merged_scores(const common::Json& earlier, common::Json score);

/// One line of text: "fid 12.34 ± 0.56  kid 0.0012 ± 0.0001"; a score that is empty says why.
[[nodiscard]] std::string score_text(const common::Json& score);

}  // namespace ditscale::worker
