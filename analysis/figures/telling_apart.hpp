#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "analysis/queries/study.hpp"

namespace ditscale::analysis {

/// What tells trials apart: as few values of their configurations as are needed, in the order in which they were looked
/// at.
class TellingApart {
 public:
  /// Trials of one number in `groups` are to be told apart, those of different numbers already are.
  TellingApart(std::vector<const StudyTrial*> trials, std::vector<std::size_t> groups);

  /// Without seeds, how trials are scored is not looked at either.
  enum class Seeds { kToo, kNot };
  /// Each takes those values that tell any trials apart: of the axes of the sweep, of the model as a whole, of the
  /// whole configuration.
  void look_at_axes(Seeds seeds);
  void look_at_models();
  void look_at_configurations(Seeds seeds);

  /// What was taken: "lr" of "train.lr", the whole path where two end alike.
  [[nodiscard]] std::vector<std::string> keys() const;
  /// The values that were taken, of trial number `i`.
  [[nodiscard]] std::vector<common::Json> values(std::size_t i) const;
  /// "width=64 lr=0.001 adaln_zero"; empty when nothing was taken.
  [[nodiscard]] std::string name(std::size_t i) const;
  /// Whether trial number `i` can be told from all others.
  [[nodiscard]] bool is_alone(std::size_t i) const;

 private:
  struct Taken {
    std::string path;
    /// By trial.
    std::vector<common::Json> values;
  };
  void look_at(const std::string& path, std::vector<common::Json> values);
  [[nodiscard]] bool done() const;

  std::vector<const StudyTrial*> trials_;
  std::vector<std::size_t> groups_;
  std::vector<std::size_t> sizes_;  // of the groups
  std::vector<Taken> taken_;
};

}  // namespace ditscale::analysis
