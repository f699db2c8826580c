#include "worker/evaluation/scores/reference_file.hpp"

#include <array>
#include <cstring>
#include <fstream>
#include <system_error>

#include "common/atomic_file.hpp"
#include "common/error.hpp"
#include "worker/storage/hdf5_file.hpp"

namespace ditscale::worker {

namespace fs = std::filesystem;
using common::CorruptData;

namespace {

/// Stored, never reuse.
constexpr char kReferenceFormat[] = "ditscale reference 1";

void write_known(Hdf5File& file, const std::string& name, const std::string& text) {
  if (!text.empty()) file.write_text(name, text);
}

std::string read_known(const Hdf5File& file, const std::string& name) {
  return file.has(name) ? file.read_text(name) : std::string{};
}

void write_statistics(Hdf5File& file, const std::string& group, const GaussianStats& stats) {
  file.write(group + "/n", torch::tensor(stats.n, torch::kLong));
  file.write(group + "/mean", stats.mean);
  file.write(group + "/covariance", stats.covariance);
}

GaussianStats read_statistics(const Hdf5File& file, const std::string& group, const fs::path& path) {
  const torch::Tensor mean = file.read(group + "/mean");
  if (mean.dim() != 1 || mean.scalar_type() != torch::kDouble)
    throw CorruptData(fmt::format("{}: {}/mean is no vector of float64", path.string(), group));
  const std::int64_t width = mean.size(0);
  return {file.read(group + "/n", torch::kLong, {}).item<std::int64_t>(), mean,
          file.read(group + "/covariance", torch::kDouble, {width, width})};
}

void write_reference_content(const fs::path& temporary, const Reference& reference) {
  const ReferenceContent& content = reference.content();
  Hdf5File file = Hdf5File::create(temporary);
  file.write_text("format", kReferenceFormat);
  write_known(file, "name", content.name);
  write_known(file, "network", content.network);
  write_known(file, "network_digest", content.network_digest);
  write_known(file, "data_digest", content.data_digest);
  if (content.num_images) file.write("num_images", torch::tensor(*content.num_images, torch::kLong));
  write_statistics(file, "pooled", content.pooled);
  if (content.spatial) write_statistics(file, "spatial", *content.spatial);
  if (content.features.defined()) file.write("features", content.features);
  file.write_text("digest", reference.digest());
  file.close();
}

ReferenceContent read_reference_content(const Hdf5File& file, const fs::path& path) {
  if (read_known(file, "format") != kReferenceFormat)
    throw CorruptData(fmt::format("{}: is no reference (made by `worker reference`)", path.string()));
  ReferenceContent content;
  content.name = read_known(file, "name");
  content.network = read_known(file, "network");
  content.network_digest = read_known(file, "network_digest");
  content.data_digest = read_known(file, "data_digest");
  if (file.has("num_images")) content.num_images = file.read("num_images", torch::kLong, {}).item<std::int64_t>();
  content.pooled = read_statistics(file, "pooled", path);
  if (file.has("spatial")) content.spatial = read_statistics(file, "spatial", path);
  if (file.has("features")) content.features = file.read("features");
  return content;
}

}  // namespace

void write_reference(const fs::path& path, const Reference& reference) {
  const fs::path temporary = common::temporary_name(path);
  try {
    write_reference_content(temporary, reference);
    common::publish_file(temporary, path);
  } catch (...) {
    std::error_code ignored;
    fs::remove(temporary, ignored);
    throw;
  }
}

Reference read_reference(const fs::path& path) {
  const Hdf5File file = Hdf5File::open(path);
  Reference reference(read_reference_content(file, path), path.string());
  if (read_known(file, "digest") != reference.digest())
    throw CorruptData(fmt::format("{}: its digest does not fit its content", path.string()));
  return reference;
}

bool is_reference_file(const fs::path& path) {
  constexpr std::array<char, 8> kSignature{'\x89', 'H', 'D', 'F', '\r', '\n', '\x1a', '\n'};
  std::ifstream stream(path, std::ios::binary);
  std::array<char, 8> start{};
  stream.read(start.data(), start.size());
  return stream.good() && start == kSignature;
}

}  // namespace ditscale::worker
