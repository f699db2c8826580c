#include "worker/weights/tensor_source.hpp"

#include <algorithm>

#include "common/error.hpp"
#include "worker/weights/legacy_pt_file.hpp"
#include "worker/weights/pt_file.hpp"

namespace ditscale::worker {

namespace {

class SafetensorsSource final : public TensorSource {
 public:
  explicit SafetensorsSource(SafetensorsFile file) : file_(std::move(file)) {}
  const std::vector<std::string>& names() const override { return file_.names(); }
  const std::vector<std::int64_t>& shape(const std::string& name) const override { return file_.entry(name).shape; }
  at::ScalarType type(const std::string& name) const override { return file_.entry(name).type; }
  torch::Tensor read(const std::string& name) override { return file_.read(name); }
  const TextMap& metadata() const override { return file_.metadata(); }
  const std::string& key() const override { return whole_; }

 private:
  SafetensorsFile file_;
  std::string whole_;
};

}  // namespace

std::optional<std::int64_t> num_values(const std::vector<std::int64_t>& shape) {
  std::int64_t count = 1;
  for (const std::int64_t size : shape) {
    if (__builtin_mul_overflow(count, std::max<std::int64_t>(size, 1), &count)) return std::nullopt;
  }
  return std::find(shape.begin(), shape.end(), 0) == shape.end() ? count : 0;
}

std::unique_ptr<TensorSource> open_tensor_source(const std::filesystem::path& file, const std::string& key) {
  std::string start;
  {
    const RandomAccessFile bytes = RandomAccessFile::open(file);
    start = bytes.read_text(0, std::min<std::uint64_t>(bytes.size_bytes(), kLegacyPtStart.size()));
  }
  if (start.starts_with("PK\x03\x04")) return std::make_unique<PtFile>(file, key);
  if (!key.empty())
    throw common::UsageError(fmt::format(
        "--key {}: {} is no .pt file of PyTorch 1.6 or newer, it has one set of tensors", key, file.string()));
  if (start == kLegacyPtStart) return std::make_unique<LegacyPtFile>(file);
  return std::make_unique<SafetensorsSource>(SafetensorsFile::open(file));
}

}  // namespace ditscale::worker
