#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

#include "common/file_descriptor.hpp"
#include "worker/evaluation/feature_network.hpp"
#include "worker/evaluation/scores/score_collector.hpp"

namespace ditscale::worker {

/// The features of the samples that are done, on the disk while a score is made: cut short anywhere, it goes on behind
/// them. Pieces of consecutive samples, each with its digest (docs/formats.md). A file of another key, and whatever
/// follows the last whole piece, is discarded. One process writes; a second one is refused.
class FeatureJournal {
 public:
  /// Opens the file or begins it; its folder must exist. `key` tells what the features belong to: equal keys, equal
  /// features. A width of 0: such features are not kept. Throws SystemError when the file cannot be written or another
  /// process is at work on it.
  FeatureJournal(std::filesystem::path path, const std::string& key, FeatureWidths widths);

  /// Samples whose features are there: the first ones.
  [[nodiscard]] std::int64_t num_done() const { return num_done_; }

  using Take = std::function<void(std::int64_t first, const ImageFeatures& features)>;
  /// Hands every piece over, in order.
  void replay(const Take& take) const;

  /// Adds the features of the samples after the last.
  void append(const ImageFeatures& features);

  /// The score is safe elsewhere: removes the file.
  void remove();

 private:
  struct PieceHead;

  void begin(const std::string& header);
  /// Where the whole pieces after `offset` end.
  [[nodiscard]] std::int64_t end_of_whole_pieces(std::int64_t offset);
  [[nodiscard]] bool read_piece(std::int64_t offset, std::int64_t file_size_bytes, std::string& piece) const;
  [[nodiscard]] ImageFeatures features_of(const std::string& piece) const;

  std::filesystem::path path_;
  FeatureWidths widths_;
  common::FileDescriptor file_;
  std::int64_t first_piece_ = 0;
  std::int64_t end_ = 0;
  std::int64_t num_done_ = 0;
};

}  // namespace ditscale::worker
