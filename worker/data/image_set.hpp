#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include <torch/types.h>

#include "sweeps/spec/trial_spec.hpp"
#include "worker/data/store.hpp"

namespace ditscale::worker {

/// All images of one split, in the order of the files.
struct ImageSet {
  /// uint8. Undefined when the rows stay in their store.
  torch::Tensor images;  // (N, C, H, W)
  /// int64, from 0 to the number of classes - 1.
  torch::Tensor labels;  // (N)
  /// Of the decoded images and labels: the same for packed and plain files.
  std::string digest;
  /// Where rows are read from that are latents, have embeddings or would fill the memory; else null.
  std::shared_ptr<const Store> store = nullptr;

  [[nodiscard]] std::int64_t num_images() const { return images.defined() ? images.size(0) : labels.size(0); }
  /// Images begin … end - 1 (or the last), (n, C, H, W) uint8. Throws ConfigError when the rows are latents.
  [[nodiscard]] torch::Tensor piece(std::int64_t begin, std::int64_t end) const;
};

enum class Split { kTrain, kTest };

/// Pixels of stores up to this size are held in memory.
inline constexpr std::size_t kHeldInMemory_bytes = std::size_t{1} << 30;

/// Opens one split of the data set. Its folder or store is `data.root`, or the place where the data's package puts it.
/// Fashion-MNIST: four IDX files, gzip (name.gz, looked for first) or plain. Fewer images than the data set has are
/// used with a warning; more are refused. Stores: what `worker prepare` made, the training split alone; every fact that
/// `data` states is compared with the store. Throws SystemError (a file is missing) or CorruptData (bad checksum, cut
/// short, too long, wrong magic or sizes, label out of range), each naming the file and what to do; ConfigError for a
/// store that is not the one described.
[[nodiscard]] ImageSet load_image_set(const sweeps::DataSpec& data, Split split,
                                      std::size_t held_in_memory_bytes = kHeldInMemory_bytes);

}  // namespace ditscale::worker
