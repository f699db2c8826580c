#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "worker/storage/zip_file.hpp"
#include "worker/weights/pickle.hpp"
#include "worker/weights/tensor_source.hpp"

namespace ditscale::worker {

/// A file of torch.save (PyTorch 1.6 and newer): a zip with a pickle that describes tensors, and one entry for each
/// storage. The pickle is read by Pickle, which executes nothing. Every tensor must lie inside its storage, whose entry
/// must have the size the pickle says and not be packed; tensors whose elements share memory are refused, for they
/// would grow when read.
class PtFile final : public TensorSource {
 public:
  PtFile(const std::filesystem::path& path, const std::string& key);

  const std::vector<std::string>& names() const override { return names_; }
  const std::vector<std::int64_t>& shape(const std::string& name) const override { return entry(name).shape; }
  at::ScalarType type(const std::string& name) const override { return entry(name).type; }
  torch::Tensor read(const std::string& name) override;
  const TextMap& metadata() const override { return metadata_; }
  const std::string& key() const override { return key_; }

 private:
  struct Entry {
    at::ScalarType type = at::kFloat;
    std::vector<std::int64_t> shape, strides;
    /// In elements from the storage's start.
    std::int64_t offset = 0;
    /// Of the storage.
    std::int64_t num_elements = 0;
    std::string storage;
  };

  [[noreturn]] void fail(const std::string& reason) const;
  [[nodiscard]] const Entry& entry(const std::string& name) const;
  void check_byte_order() const;
  /// The dictionary of tensors, and in `key_` where it stands.
  const PickleValue& choose(const PickleValue& root, const std::string& key);
  [[nodiscard]] Entry entry_of(const std::string& name, const PickleValue& value) const;
  void read_storage_id(const std::string& name, const PickleValue& value, Entry& entry) const;
  void check_bounds(const std::string& name, const Entry& entry) const;

  ZipFile zip_;
  /// Of the zip's names: "archive/".
  std::string prefix_;
  std::map<std::string, Entry> entries_;
  std::vector<std::string> names_;
  std::string key_;
  TextMap metadata_;
  /// The storage read last: state dicts cut out of one buffer read it once.
  std::string cached_storage_;
  torch::Tensor cached_;
};

}  // namespace ditscale::worker
