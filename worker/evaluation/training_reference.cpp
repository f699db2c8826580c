#include "worker/evaluation/training_reference.hpp"

#include <optional>

#include <spdlog/spdlog.h>

#include "common/atomic_file.hpp"
#include "common/error.hpp"
#include "common/hash.hpp"
#include "worker/evaluation/scores/adm_reference.hpp"
#include "worker/evaluation/scores/make_reference.hpp"
#include "worker/evaluation/scores/reference_file.hpp"

namespace ditscale::worker {

namespace fs = std::filesystem;

namespace {

/// Part of the key, so that a change of the file's meaning makes new files. Stored, never reuse.
constexpr int kCacheVersion = 2;

std::optional<Reference> find_cached(const fs::path& path, const FeatureNetwork& network, const ImageSet& train) {
  if (!fs::exists(path)) return std::nullopt;
  try {
    Reference reference = read_reference(path);
    reference.check_made_by(network.name(), network.digest());
    if (reference.content().data_digest != train.digest)
      throw common::CorruptData(fmt::format("{}: belongs to other data", path.string()));
    return reference;
  } catch (const common::Error& error) {
    spdlog::warn("reference statistics are computed anew: {}", error.what());
    return std::nullopt;
  }
}

void keep(const fs::path& path, const Reference& reference) {
  try {
    common::make_folder(path.parent_path());
    write_reference(path, reference);
  } catch (const common::Error& error) {
    spdlog::warn("reference statistics are not kept for the next run: {}", error.what());
  }
}

}  // namespace

fs::path training_reference_file(const FeatureNetwork& network, const ImageSet& train, const fs::path& cache_folder) {
  const std::string key =
      fmt::format("version {} network {} {} data {}", kCacheVersion, network.name(), network.digest(), train.digest);
  return cache_folder / fmt::format("{}-{}.h5", network.name(), common::hash_hex64(key));
}

Reference training_reference(const FeatureNetwork& network, const std::string& data_name, const ImageSet& train,
                             const fs::path& cache_folder, const std::function<void(std::int64_t)>& progress) {
  const fs::path path = training_reference_file(network, train, cache_folder);
  if (auto cached = find_cached(path, network, train)) return *std::move(cached);
  const ReferenceImages images{data_name + " train", train.digest, train.num_images(),
                               [&](std::int64_t begin, std::int64_t end) { return train.piece(begin, end); }};
  Reference reference = make_reference(network, {network.spatial_width() > 0, true}, images, progress);
  keep(path, reference);
  return reference;
}

Reference load_reference(const fs::path& file, const FeatureNetwork& network, bool keeps_features) {
  if (!is_reference_file(file)) return read_adm_reference(file, &network, keeps_features);
  Reference reference = read_reference(file);
  reference.check_made_by(network.name(), network.digest());
  return reference;
}

}  // namespace ditscale::worker
