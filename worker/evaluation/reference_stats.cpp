#include "worker/evaluation/reference_stats.hpp"

#include <algorithm>
#include <optional>
#include <system_error>

#include <spdlog/spdlog.h>

#include "common/atomic_file.hpp"
#include "common/error.hpp"
#include "common/hash.hpp"
#include "worker/storage/hdf5_file.hpp"

namespace ditscale::worker {

namespace fs = std::filesystem;

namespace {

/// Part of the key, so that a change of the file's meaning makes new files. Stored, never reuse.
constexpr int kFormatVersion = 1;
/// Images whose features are held at once.
constexpr std::int64_t kPieceImages = 5000;

std::string bytes_of(const torch::Tensor& tensor) {
  const torch::Tensor data = tensor.contiguous();
  return {static_cast<const char*>(data.const_data_ptr()), data.nbytes()};
}

/// What the statistics belong to.
std::string key_of(const FeatureNetwork& network, const ImageSet& train) {
  return fmt::format("version {} network {} {} data {}", kFormatVersion, network.name(), network.digest(),
                     train.digest);
}

std::string content_digest(const GaussianStats& stats) {
  return common::hash_hex128(fmt::format("{} ", stats.n) + bytes_of(stats.mean) + bytes_of(stats.covariance));
}

GaussianStats compute(const FeatureNetwork& network, const ImageSet& train) {
  GaussianAccumulator accumulator(network.width());
  for (std::int64_t begin = 0; begin < train.num_images(); begin += kPieceImages)
    accumulator.add(network.features(train.piece(begin, begin + kPieceImages)));
  return accumulator.stats();
}

GaussianStats read_statistics(const fs::path& path, const std::string& key, std::int64_t width) {
  const Hdf5File file = Hdf5File::open(path);
  if (file.read_text("key") != key) throw common::CorruptData(fmt::format("{}: belongs to other data", path.string()));
  GaussianStats stats{file.read("n", torch::kLong, {}).item<std::int64_t>(), file.read("mean", torch::kDouble, {width}),
                      file.read("covariance", torch::kDouble, {width, width})};
  if (file.read_text("digest") != content_digest(stats))
    throw common::CorruptData(fmt::format("{}: its digest does not fit its content", path.string()));
  return stats;
}

std::optional<GaussianStats> find_cached(const fs::path& path, const std::string& key, std::int64_t width) {
  if (!fs::exists(path)) return std::nullopt;
  try {
    return read_statistics(path, key, width);
  } catch (const common::Error& error) {
    spdlog::warn("reference statistics are computed anew: {}", error.what());
    return std::nullopt;
  }
}

void write_statistics(const fs::path& temporary, const std::string& key, const GaussianStats& stats) {
  Hdf5File file = Hdf5File::create(temporary);
  file.write_text("key", key);
  file.write("n", torch::tensor(stats.n, torch::kLong));
  file.write("mean", stats.mean);
  file.write("covariance", stats.covariance);
  file.write_text("digest", content_digest(stats));
  file.close();
}

void keep(const fs::path& path, const std::string& key, const GaussianStats& stats) {
  const fs::path temporary = common::temporary_name(path);
  try {
    common::make_folder(path.parent_path());
    write_statistics(temporary, key, stats);
    common::publish_file(temporary, path);
  } catch (const common::Error& error) {
    std::error_code ignored;
    fs::remove(temporary, ignored);
    spdlog::warn("reference statistics are not kept for the next run: {}", error.what());
  }
}

}  // namespace

fs::path reference_file(const FeatureNetwork& network, const ImageSet& train, const fs::path& cache_folder) {
  return cache_folder / fmt::format("{}-{}.h5", network.name(), common::hash_hex64(key_of(network, train)));
}

GaussianStats reference_statistics(const FeatureNetwork& network, const ImageSet& train, const fs::path& cache_folder) {
  const std::string key = key_of(network, train);
  const fs::path path = reference_file(network, train, cache_folder);
  if (auto cached = find_cached(path, key, network.width())) return *std::move(cached);
  GaussianStats stats = compute(network, train);
  keep(path, key, stats);
  return stats;
}

}  // namespace ditscale::worker
