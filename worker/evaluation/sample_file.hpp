#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "common/file_descriptor.hpp"
#include "worker/torch.hpp"

namespace ditscale::worker {

/// The samples of one score as ADM's evaluation suite reads them: an npz file with one array, arr_0, uint8 (N, H, W,
/// C). Until all are there they are kept beside it as FILE.KEY.part, which several processes may fill, and a later one
/// of the same key goes on with.
class SampleFile {
 public:
  /// Opens FILE.KEY.part or makes it. `key` tells the samples from all others and is fit for a file's name. Throws
  /// SystemError; ConfigError when `file` is there already.
  SampleFile(std::filesystem::path file, const std::string& key, std::int64_t num_samples, std::int64_t channels,
             std::int64_t size);

  /// Whether FILE.KEY.part was made just now: no sample is there yet.
  [[nodiscard]] bool is_new() const { return is_new_; }
  /// Samples first … of `images` (n, C, H, W) uint8.
  void write(std::int64_t first, const torch::Tensor& images);
  /// What this process wrote is seen by those of other machines that open the file from now on. Throws SystemError.
  void sync();
  /// Writes the npz, whole or not at all, and removes FILE.KEY.part. All who wrote must have synced it.
  void finish();
  /// Removes FILE.KEY.part: there are no samples to show.
  void discard();

 private:
  std::filesystem::path file_, part_;
  std::int64_t num_samples_, channels_, size_;
  bool is_new_ = false;
  common::FileDescriptor descriptor_;
};

}  // namespace ditscale::worker
