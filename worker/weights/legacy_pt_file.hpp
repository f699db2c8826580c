#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "worker/storage/random_access_file.hpp"
#include "worker/weights/pickle.hpp"
#include "worker/weights/tensor_source.hpp"

namespace ditscale::worker {

/// The first bytes of a file of torch.save before PyTorch 1.6: pickles of a magic number and of the protocol 1001.
inline constexpr std::string_view kLegacyPtStart(
    "\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.\x80\x02M\xe9\x03.", 21);

/// A state dict in that format: pickles of the writer's machine, of the tensors and of the storages' keys, then each
/// storage in the order of the keys, its number of elements before its values. Nothing is executed (see Pickle), and
/// what the pickles claim is held against the file's size before anything is read. Only contiguous tensors of a state
/// dict that stands for itself are read, which is what published weights are.
class LegacyPtFile final : public TensorSource {
 public:
  explicit LegacyPtFile(const std::filesystem::path& path);

  const std::vector<std::string>& names() const override { return names_; }
  const std::vector<std::int64_t>& shape(const std::string& name) const override { return entry(name).shape; }
  at::ScalarType type(const std::string& name) const override { return entry(name).type; }
  torch::Tensor read(const std::string& name) override;
  const TextMap& metadata() const override { return metadata_; }
  const std::string& key() const override { return whole_; }

 private:
  struct Storage {
    at::ScalarType type = at::kFloat;
    std::int64_t num_elements = 0;
    /// Of the first value; 0 until it is found.
    std::uint64_t offset_bytes = 0;
  };
  struct Entry {
    at::ScalarType type = at::kFloat;
    std::vector<std::int64_t> shape;
    /// In elements from the storage's start.
    std::int64_t offset = 0;
    std::string storage;
  };

  [[noreturn]] void fail(const std::string& reason) const;
  [[nodiscard]] const Entry& entry(const std::string& name) const;
  void read_tensors(const PickleValue& tensors);
  [[nodiscard]] Entry entry_of(const std::string& name, const PickleValue& value);
  void find_storages(const PickleValue& keys, std::uint64_t at_bytes);

  RandomAccessFile file_;
  std::map<std::string, Storage> storages_;
  std::map<std::string, Entry> entries_;
  std::vector<std::string> names_;
  std::string whole_;
  TextMap metadata_;
};

}  // namespace ditscale::worker
