#pragma once

#include <string>

#include <torch/types.h>

#include "sweeps/spec/trial_spec.hpp"

namespace ditscale::worker {

/// All images of one split, in memory, in the order of the files.
struct ImageSet {
  /// uint8.
  torch::Tensor images;  // (N, C, H, W)
  /// int64, from 0 to the number of classes - 1.
  torch::Tensor labels;  // (N)
  /// Of the decoded images and labels: the same for packed and plain files.
  std::string digest;
};

enum class Split { kTrain, kTest };

/// Reads one split of the data set. Its folder is `data.root`, or the place where the data's package puts it.
/// Fashion-MNIST: four IDX files, gzip (name.gz, looked for first) or plain. Fewer images than the data set has are
/// used with a warning; more are refused. Throws SystemError (a file is missing) or CorruptData (bad checksum, cut
/// short, too long, wrong magic or sizes, label out of range), each naming the file and what to do; ConfigError for a
/// data set that cannot be loaded yet.
[[nodiscard]] ImageSet load_image_set(const sweeps::DataSpec& data, Split split);

}  // namespace ditscale::worker
