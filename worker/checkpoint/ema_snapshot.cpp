#include "worker/checkpoint/ema_snapshot.hpp"

#include <algorithm>

#include "common/atomic_file.hpp"
#include "common/error.hpp"
#include "common/hash.hpp"
#include "common/object_reader.hpp"
#include "common/trial_paths.hpp"
#include "worker/checkpoint/checkpoint_file.hpp"
#include "worker/storage/hdf5_file.hpp"

namespace ditscale::worker {

namespace fs = std::filesystem;
using common::CorruptData;
using common::Json;

namespace {

std::string digest_of(const torch::Tensor& values) {
  return common::hash_hex128({static_cast<const char*>(values.const_data_ptr()), values.nbytes()});
}

EmaSnapshotHeader snapshot_header_of(const Hdf5File& file, const fs::path& path) {
  try {
    const auto document = common::parse_json(file.read_text("header"), fmt::format("{} (header)", path.string()));
    common::ObjectReader reader(document, document.value, "");
    std::int64_t version = 0;
    reader.get("version", version);
    if (version != kEmaSnapshotVersion)
      reader.fail("version", fmt::format("snapshot version {}, this program reads {}", version, kEmaSnapshotVersion));
    EmaSnapshotHeader header;
    reader.get("step", header.step, {1, 1e15});
    header.trial = document.value.at("trial");
    header.digests = document.value.at("digests").get<std::vector<std::string>>();
    if (header.digests.size() != kStoredSigmaRel.size()) throw CorruptData("digests of another number of averages");
    return header;
  } catch (const Json::exception& error) {
    throw CorruptData(fmt::format("{}: {}", path.string(), error.what()));
  } catch (const common::ConfigError& error) {
    throw CorruptData(error.what());
  }
}

}  // namespace

void write_ema_snapshot(const fs::path& path, const TrainState& state, const Json& trial) {
  common::make_folder(path.parent_path());
  std::vector<torch::Tensor> averages;
  Json digests = Json::array();
  for (const torch::Tensor& average : state.power_ema) {
    averages.push_back(average.to(torch::kCPU));
    digests.push_back(digest_of(averages.back()));
  }
  const Json header{{"version", kEmaSnapshotVersion}, {"step", state.step}, {"trial", trial}, {"digests", digests}};
  const fs::path temporary = common::temporary_name(path);
  try {
    Hdf5File file = Hdf5File::create(temporary);
    file.write_text("header", header.dump());
    file.write_text("layout", layout_json(state.layout).dump());
    for (std::size_t i = 0; i < averages.size(); ++i) file.write(power_ema_name(i), averages[i]);
    file.close();
    common::publish_file(temporary, path);
  } catch (...) {
    std::error_code ignored;
    fs::remove(temporary, ignored);
    throw;
  }
}

EmaSnapshotHeader read_ema_snapshot_header(const fs::path& path) {
  return snapshot_header_of(Hdf5File::open(path), path);
}

torch::Tensor read_power_ema(const fs::path& path, const FlatLayout& layout, std::size_t index) {
  const Hdf5File file = Hdf5File::open(path);
  const EmaSnapshotHeader header = snapshot_header_of(file, path);
  if (file.read_text("layout") != layout_json(layout).dump())
    throw CorruptData(fmt::format("{}: its parameters are not those of this trial's model", path.string()));
  const auto average = file.read(power_ema_name(index), torch::kFloat32, {layout.size()});
  if (digest_of(average) != header.digests[index])
    throw CorruptData(
        fmt::format("{}: {} is damaged: its digest is not the header's", path.string(), power_ema_name(index)));
  return average;
}

std::vector<EmaSnapshotFile> list_ema_snapshots(const fs::path& folder) {
  std::vector<EmaSnapshotFile> found;
  if (!fs::is_directory(folder)) return found;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (const auto step = common::step_of(entry.path(), ".h5")) found.push_back({*step, entry.path()});
  }
  std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.step < b.step; });
  return found;
}

}  // namespace ditscale::worker
