#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <torch/types.h>

#include "worker/storage/random_access_file.hpp"

namespace ditscale::worker {

/// Tensors in an order, each with its name.
using NamedTensors = std::vector<std::pair<std::string, torch::Tensor>>;
using TextMap = std::map<std::string, std::string>;

/// A safetensors file (Hugging Face's format): eight bytes with the header's length, a JSON header of names, types,
/// shapes and offsets, then the raw values, little-endian and in C order.
///
/// The header is checked whole on opening: sizes are those that shapes and types give, the tensors cover the data
/// without gap or overlap, and the data ends with the file. So nothing is ever allocated that the file does not hold.
/// Values are read tensor by tensor. Errors: CorruptData naming file and tensor; SystemError when the system fails.
class SafetensorsFile {
 public:
  struct Entry {
    at::ScalarType type = at::kFloat;
    std::vector<std::int64_t> shape;
    /// Of the first value, from the file's start.
    std::uint64_t offset_bytes = 0;
    std::uint64_t num_bytes = 0;
  };

  [[nodiscard]] static SafetensorsFile open(const std::filesystem::path& path);

  /// Names in the order of the data.
  [[nodiscard]] const std::vector<std::string>& names() const { return names_; }
  [[nodiscard]] bool has(const std::string& name) const { return entries_.count(name) != 0; }
  /// Type, shape and place of a tensor. Throws CorruptData when there is none of that name.
  [[nodiscard]] const Entry& entry(const std::string& name) const;
  /// The values, on the CPU, in the type the file has.
  [[nodiscard]] torch::Tensor read(const std::string& name) const;
  /// The header's "__metadata__".
  [[nodiscard]] const TextMap& metadata() const { return metadata_; }

 private:
  explicit SafetensorsFile(RandomAccessFile file) : file_(std::move(file)) {}

  RandomAccessFile file_;
  std::map<std::string, Entry> entries_;
  std::vector<std::string> names_;
  TextMap metadata_;
};

/// Writes `tensors` (CPU, names all different) in the given order, whole or not at all. The same content gives the same
/// bytes. Programs of the Hugging Face family want {"format", "pt"} among the metadata.
void write_safetensors(const std::filesystem::path& path, const NamedTensors& tensors, const TextMap& metadata = {});

}  // namespace ditscale::worker
