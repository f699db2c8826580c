#include "worker/data/store.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <xxhash.h>

#include "common/error.hpp"
#include "common/file_descriptor.hpp"
#include "worker/data/store_header.hpp"
#include "worker/storage/hdf5_file.hpp"

namespace ditscale::worker {

namespace fs = std::filesystem;

namespace {

std::vector<std::int64_t> with_rows(std::int64_t num_rows, const std::vector<std::int64_t>& row) {
  std::vector<std::int64_t> shape{num_rows};
  shape.insert(shape.end(), row.begin(), row.end());
  return shape;
}

std::vector<std::int64_t> context_shape(const StoreFacts& facts) { return {facts.context_tokens, facts.context_width}; }

/// Asks for the file's blocks now. A file system that cannot is no error: it will say so when it is full.
void take_space(const fs::path& path) {
  const common::FileDescriptor file(::open(path.c_str(), O_RDWR | O_CLOEXEC));
  if (!file.valid()) throw common::errno_error("open", path.string());
  const auto num_bytes = fs::file_size(path);
  if (::fallocate(file.get(), 0, 0, static_cast<off_t>(num_bytes)) == 0) return;
  if (errno == ENOSPC) throw common::errno_error(fmt::format("take {} bytes for", num_bytes), path.string());
}

void check_array(const RowFile& rows, const fs::path& path, const std::string& name, at::ScalarType type,
                 std::int64_t num_rows, const std::vector<std::int64_t>& row) {
  if (rows.type() == type && rows.num_rows() == num_rows && rows.row_shape() == row) return;
  throw common::CorruptData(fmt::format("{}: {} is {} of shape ({}, {}), its header says {} of shape ({}, {})",
                                        path.string(), name, at::toString(rows.type()), rows.num_rows(),
                                        fmt::join(rows.row_shape(), ", "), at::toString(type), num_rows,
                                        fmt::join(row, ", ")));
}

std::string read_digest(const Hdf5File& file, const fs::path& path) {
  const torch::Tensor bytes = file.read(kDigestName, at::kByte, {1, kDigestBytes});
  std::string digest(static_cast<const char*>(bytes.const_data_ptr()), kDigestBytes);
  if (digest == std::string(kDigestBytes, '\0'))
    throw common::CorruptData(
        fmt::format("{}: its preparation was not finished: run `worker prepare` again", path.string()));
  return digest;
}

}  // namespace

void create_store(const fs::path& path, const StoreFacts& facts, const std::vector<std::string>& class_names,
                  const torch::Tensor& labels) {
  DITSCALE_CHECK(labels.dim() == 1 && labels.size(0) == facts.num_images && labels.scalar_type() == at::kLong,
                 "{} images have {} labels", facts.num_images, labels.numel());
  Hdf5File file = Hdf5File::create(path);
  file.write_text(kHeaderName, header_text(facts));
  file.write_text(kClassNamesName, class_names_text(class_names));
  file.write(kDigestName, torch::zeros({1, kDigestBytes}, torch::kByte));
  file.write(kLabelsName, labels);
  file.reserve(kRowHashesName, at::kLong, {facts.num_images});
  file.reserve(facts.row_name(), facts.type, with_rows(facts.num_images, facts.row_shape()));
  if (facts.has_context())
    file.reserve(kEmbeddingsName, facts.context_type, with_rows(facts.num_images, context_shape(facts)));
  file.close();
  take_space(path);
  RowFile(path, kDigestName).sync();
}

std::int64_t hash_of_row(std::span<const std::byte> row, std::span<const std::byte> embedding) {
  std::array<std::uint64_t, 2> hashes{XXH3_64bits(row.data(), row.size()), 0};
  if (!embedding.empty()) {
    hashes[1] = XXH3_64bits(embedding.data(), embedding.size());
    hashes[0] = XXH3_64bits(hashes.data(), sizeof hashes);
  }
  std::int64_t result = 0;
  std::memcpy(&result, hashes.data(), sizeof result);
  return result;
}

std::string finish_store(const fs::path& path) {
  std::string digest;
  {
    const Hdf5File file = Hdf5File::open(path);
    const StoreFacts facts = read_header_text(file.read_text(kHeaderName), path.string());
    digest = store_digest(facts, file.read_text(kClassNamesName), file.read(kLabelsName), file.read(kRowHashesName));
  }
  const RowFile out(path, kDigestName, RowFile::Access::kReadWrite);
  out.write(0, std::as_bytes(std::span(digest.data(), digest.size())));
  out.sync();
  return digest;
}

Store::Store(const fs::path& path)
    : path_(path), rows_([&] {
        const Hdf5File file = Hdf5File::open(path);
        facts_ = read_header_text(file.read_text(kHeaderName), path.string());
        return RowFile(path, facts_.row_name());
      }()) {
  const Hdf5File file = Hdf5File::open(path);
  facts_.digest = read_digest(file, path);
  const std::string names = file.read_text(kClassNamesName);
  class_names_ = read_class_names_text(names, path.string());
  labels_ = file.read(kLabelsName, at::kLong, {facts_.num_images});
  hashes_ = file.read(kRowHashesName, at::kLong, {facts_.num_images});
  check_array(rows_, path, facts_.row_name(), facts_.type, facts_.num_images, facts_.row_shape());
  if (facts_.has_context()) {
    context_.emplace_back(path, kEmbeddingsName);
    check_array(context_.front(), path, kEmbeddingsName, facts_.context_type, facts_.num_images, context_shape(facts_));
  }
  if (store_digest(facts_, names, labels_, hashes_) != facts_.digest)
    throw common::CorruptData(
        fmt::format("{}: header, labels and row hashes do not fit its digest: it is damaged", path.string()));
  const auto largest = std::max<std::int64_t>(facts_.num_classes, 1) - 1;
  if (labels_.min().item<std::int64_t>() < 0 || labels_.max().item<std::int64_t>() > largest)
    throw common::CorruptData(fmt::format("{}: a label lies outside 0 to {}", path.string(), largest));
}

void Store::read(std::int64_t row, std::span<std::byte> out, std::span<std::byte> context) const {
  rows_.read(row, out);
  std::vector<std::byte> own;
  if (facts_.has_context()) {
    if (context.empty()) {
      own.resize(context_bytes());
      context = own;
    }
    context_.front().read(row, context);
  }
  if (hash_of_row(out, context) != hashes_.const_data_ptr<std::int64_t>()[row])
    throw common::CorruptData(
        fmt::format("{}: row {} does not fit its hash: the file is damaged; prepare it again", path_.string(), row));
}

torch::Tensor Store::rows(std::int64_t first, std::int64_t count) const {
  torch::Tensor result = torch::empty(with_rows(count, facts_.row_shape()), torch::dtype(facts_.type));
  auto* out = static_cast<std::byte*>(result.data_ptr());
  for (std::int64_t i = 0; i < count; ++i)
    read(first + i, {out + i * static_cast<std::int64_t>(row_bytes()), row_bytes()}, {});
  return result;
}

void Store::will_need(std::int64_t row) const noexcept {
  rows_.will_need(row);
  if (facts_.has_context()) context_.front().will_need(row);
}

void Store::verify() const {
  std::vector<std::byte> row(row_bytes());
  for (std::int64_t i = 0; i < facts_.num_images; ++i) read(i, row, {});
}

common::Json data_object(const fs::path& path, const StoreFacts& facts) {
  common::Json json{{"name", "store"},
                    {"root", fs::absolute(path).lexically_normal().string()},
                    {"image_size", facts.image_size},
                    {"space", facts.latents ? "latents" : "pixels"},
                    {"channels", facts.channels},
                    {"num_classes", facts.num_classes},
                    {"num_images", facts.num_images},
                    {"digest", facts.digest}};
  if (facts.has_context()) {
    json["context_tokens"] = facts.context_tokens;
    json["context_width"] = facts.context_width;
  }
  return json;
}

}  // namespace ditscale::worker
