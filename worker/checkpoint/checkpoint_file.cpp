#include "worker/checkpoint/checkpoint_file.hpp"

#include <fstream>
#include <memory>
#include <vector>

#include <xxhash.h>

#include "common/error.hpp"
#include "common/object_reader.hpp"
#include "worker/storage/hdf5_file.hpp"

namespace ditscale::worker {

using common::CorruptData;
using common::Json;
using common::ObjectReader;

namespace {

Json to_json(const MetricWindow& w) {
  return {{"loss_sum", w.loss_sum},
          {"loss_simple_sum", w.loss_simple_sum},
          {"loss_vlb_sum", w.loss_vlb_sum},
          {"seconds", w.seconds},
          {"images", w.images},
          {"steps", w.steps}};
}

constexpr double kMostSteps = 1e15;
constexpr common::Range kCount{0, kMostSteps};

MetricWindow read_window(ObjectReader reader) {
  MetricWindow w;
  reader.get("loss_sum", w.loss_sum);
  reader.get("loss_simple_sum", w.loss_simple_sum);
  reader.get("loss_vlb_sum", w.loss_vlb_sum);
  reader.get("seconds", w.seconds);
  reader.get("images", w.images, kCount);
  reader.get("steps", w.steps, kCount);
  return w;
}

CheckpointHeader read_header(const common::JsonDocument& document) {
  ObjectReader reader(document, document.value, "");
  std::int64_t version = 0;
  reader.get("version", version);
  if (version != kCheckpointVersion) {
    reader.fail("version", fmt::format("checkpoint version {}, this program reads {}", version, kCheckpointVersion));
  }
  for (const char* key : {"step", "images_seen", "training_s", "window", "trial", "precision", "data_digest"}) {
    if (!reader.has(key)) reader.fail(key, "is missing");
  }
  CheckpointHeader header;
  reader.get("step", header.step, kCount);
  reader.get("images_seen", header.images_seen, kCount);
  reader.get("training_s", header.training_s, {0, 1e12});
  reader.get_choice("precision", header.precision = "fp32", {"fp32", "bf16"});
  reader.get("data_digest", header.data_digest);
  header.window = read_window(ObjectReader(document, *reader.child("window"), "window"));
  header.trial = *reader.child("trial");
  return header;
}

/// JSON text out of the file; nonsense is CorruptData.
common::JsonDocument read_text(const Hdf5File& file, const std::string& name, const std::filesystem::path& path) {
  try {
    return common::parse_json(file.read_text(name), fmt::format("{} ({})", path.string(), name));
  } catch (const common::ConfigError& error) {
    throw CorruptData(error.what());
  }
}

CheckpointHeader header_of(const Hdf5File& file, const std::filesystem::path& path) {
  try {
    return read_header(read_text(file, "header", path));
  } catch (const common::ConfigError& error) {
    throw CorruptData(error.what());
  }
}

}  // namespace

Json layout_json(const FlatLayout& layout) {
  Json slots = Json::array();
  for (const ParameterSlot& slot : layout.slots())
    slots.push_back({{"name", slot.name}, {"shape", slot.shape}, {"offset", slot.offset}});
  return slots;
}

std::string power_ema_name(std::size_t index) { return fmt::format("power_ema_{}", index); }

Snapshot take_snapshot(const TrainState& state, const Json& trial, const std::string& precision,
                       const std::string& data_digest) {
  const auto copy = [](const torch::Tensor& buffer) {
    return buffer.to(torch::kCPU, /*non_blocking=*/false, /*copy=*/true);
  };
  PowerEma power_ema;
  for (std::size_t i = 0; i < power_ema.size(); ++i) {
    if (state.power_ema[i].defined()) power_ema[i] = copy(state.power_ema[i]);
  }
  return {copy(state.weights), copy(state.moment1), copy(state.moment2), copy(state.ema), power_ema, state.layout,
          state.step,          state.images_seen,   state.training_s,    state.window,    trial,     precision,
          data_digest};
}

void write_checkpoint_file(const std::filesystem::path& path, const Snapshot& s) {
  Hdf5File file = Hdf5File::create(path);
  const Json header{{"version", kCheckpointVersion},
                    {"step", s.step},
                    {"images_seen", s.images_seen},
                    {"training_s", s.training_s},
                    {"trial", s.trial},
                    {"precision", s.precision},
                    {"window", to_json(s.window)},
                    {"data_digest", s.data_digest}};
  file.write_text("header", header.dump());
  file.write_text("layout", layout_json(s.layout).dump());
  file.write("weights", s.weights);
  file.write("moment1", s.moment1);
  file.write("moment2", s.moment2);
  file.write("ema", s.ema);
  for (std::size_t i = 0; i < s.power_ema.size(); ++i) {
    if (s.power_ema[i].defined()) file.write(power_ema_name(i), s.power_ema[i]);
  }
  file.close();
}

CheckpointHeader read_checkpoint_header(const std::filesystem::path& path) {
  return header_of(Hdf5File::open(path), path);
}

void load_checkpoint_file(const std::filesystem::path& path, TrainState& state) {
  const Hdf5File file = Hdf5File::open(path);
  const CheckpointHeader header = header_of(file, path);
  if (read_text(file, "layout", path).value != layout_json(state.layout)) {
    throw CorruptData(fmt::format("{}: its parameters are not those of this trial's model", path.string()));
  }
  const auto load = [&](const char* name, torch::Tensor& buffer) {
    buffer.copy_(file.read(name, torch::kFloat32, buffer.sizes()));
  };
  load("weights", state.weights);
  load("moment1", state.moment1);
  load("moment2", state.moment2);
  load("ema", state.ema);
  for (std::size_t i = 0; i < state.power_ema.size(); ++i) {
    if (state.power_ema[i].defined()) load(power_ema_name(i).c_str(), state.power_ema[i]);
  }
  state.step = header.step;
  state.images_seen = header.images_seen;
  state.training_s = header.training_s;
  state.window = header.window;
}

std::string file_digest(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) throw common::errno_error("open", path.string());
  const std::unique_ptr<XXH3_state_t, XXH_errorcode (*)(XXH3_state_t*)> hash(XXH3_createState(), XXH3_freeState);
  XXH3_128bits_reset(hash.get());
  std::vector<char> piece(std::size_t{1} << 20);
  while (in.read(piece.data(), static_cast<std::streamsize>(piece.size())), in.gcount() > 0) {
    XXH3_128bits_update(hash.get(), piece.data(), static_cast<std::size_t>(in.gcount()));
  }
  if (in.bad()) throw common::errno_error("read", path.string());
  const XXH128_hash_t digest = XXH3_128bits_digest(hash.get());
  return fmt::format("{:016x}{:016x}", digest.high64, digest.low64);
}

}  // namespace ditscale::worker
