#pragma once

#include <filesystem>

namespace ditscale::analysis {

/// Files that one picture becomes.
struct PictureFiles {
  std::filesystem::path svg;
  std::filesystem::path png;
  std::filesystem::path pdf;

  /// Their temporary neighbours.
  [[nodiscard]] PictureFiles temporary() const;
};

/// Puts the temporary files, which gnuplot has written, into place. gnuplot ends well where a disk is full, so each is
/// looked at first: SystemError, which names the file, when one does not end as its format does; then none is put into
/// place.
void publish_pictures(const PictureFiles& files);

/// Takes the temporary files away, those that are there.
void remove_temporary_pictures(const PictureFiles& files);

}  // namespace ditscale::analysis
