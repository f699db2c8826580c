#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <torch/types.h>

#include "worker/data/picture.hpp"

namespace ditscale::worker {

enum class SourceKind { kFolder, kIdx, kNpz };

/// What `worker prepare` was pointed at, looked through but not decoded.
struct SourceList {
  SourceKind kind = SourceKind::kFolder;
  /// Path of each image below the folder, in the order of its bytes; empty for arrays.
  std::vector<std::string> names;
  std::int64_t num_images = 0;
  /// One per image, or empty: no labels.
  std::vector<std::int64_t> labels;
  std::vector<std::string> class_names;
  /// 3, or 1 for grey arrays.
  std::int64_t channels = 3;
  /// Side of square arrays: the image size when none is asked for.
  std::optional<std::int64_t> side;
  /// Files that are no images by their name and were passed over.
  std::int64_t num_ignored = 0;
  /// Of everything above, and of the arrays' content.
  std::string digest;

  [[nodiscard]] std::int64_t num_classes() const { return static_cast<std::int64_t>(class_names.size()); }
};

/// Told by what lies at `source`; UsageError for anything else.
[[nodiscard]] SourceKind kind_of_source(const std::filesystem::path& source);

/// Looks through `source`:
/// - a folder of folders: each folder is a class, numbered in the order of their names; its images may lie deeper;
/// - a folder of images: no labels;
/// - an IDX file of images (plain or gzip); `labels`, or else its neighbour named …labels-idx1… for …images-idx3…, if
///   there is one, holds the labels;
/// - an npz file with `images` or `arr_0` (uint8, NHWC), and `labels` or `arr_1` if it has labels.
/// Images are files named .jpg, .jpeg or .png in any case; hidden ones are passed over. Throws UsageError or
/// CorruptData that says what was found.
[[nodiscard]] SourceList list_source(const std::filesystem::path& source, const std::filesystem::path& labels = {});

/// The images of a list, decoded one by one.
class ImageSource {
 public:
  virtual ~ImageSource() = default;
  /// What people call image `index`: its path.
  [[nodiscard]] virtual std::string name(std::int64_t index) const = 0;
  /// CorruptData: this image is damaged. SystemError: the disk is.
  [[nodiscard]] virtual Picture picture(std::int64_t index) const = 0;
};

/// Opens what was listed: `names` as in SourceList.
[[nodiscard]] std::unique_ptr<ImageSource> open_source(const std::filesystem::path& source, SourceKind kind,
                                                       std::vector<std::string> names);

}  // namespace ditscale::worker
