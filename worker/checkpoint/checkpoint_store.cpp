#include "worker/checkpoint/checkpoint_store.hpp"

#include <algorithm>
#include <system_error>
#include <utility>

#include "common/atomic_file.hpp"
#include "common/clock.hpp"
#include "common/error.hpp"

namespace ditscale::worker {

namespace fs = std::filesystem;
using common::Json;

namespace {

constexpr std::int64_t kManifestVersion = 1;
constexpr std::size_t kMaxManifestBytes = 1 << 16;

void remove_quietly(const fs::path& path) {
  std::error_code ignored;
  fs::remove(path, ignored);
}

Json to_json(const StoredCheckpoint& c) {
  return {{"version", kManifestVersion},
          {"step", c.step},
          {"file", c.file.filename().string()},
          {"bytes", c.bytes},
          {"digest", c.digest}};
}

/// Empty when the manifest is not one or cannot be read: it is then as if it were absent.
std::optional<StoredCheckpoint> read_manifest(const fs::path& path, const common::TrialPaths& paths) {
  try {
    const Json json = common::parse_json(common::read_file(path, kMaxManifestBytes), path.string()).value;
    if (json.at("version").get<std::int64_t>() != kManifestVersion) return std::nullopt;
    StoredCheckpoint c;
    c.step = json.at("step").get<std::int64_t>();
    c.file = paths.checkpoint(c.step);  // never a path out of a file
    c.bytes = json.at("bytes").get<std::int64_t>();
    c.digest = json.at("digest").get<std::string>();
    return c;
  } catch (const Json::exception&) {
    return std::nullopt;
  } catch (const common::Error&) {
    return std::nullopt;
  }
}

/// Why the file is not what its manifest says, or empty.
std::string why_invalid(const StoredCheckpoint& c) {
  std::error_code code;
  const auto bytes = fs::file_size(c.file, code);
  if (code) return code.message();
  if (static_cast<std::int64_t>(bytes) != c.bytes) return fmt::format("{} bytes, its manifest says {}", bytes, c.bytes);
  try {
    return file_digest(c.file) == c.digest ? "" : "its digest is not the manifest's";
  } catch (const common::SystemError& error) {
    return error.what();
  }
}

/// Of a writer that was killed: no other is at work, for the folder is locked.
void remove_unfinished(const fs::path& folder) {
  std::error_code absent;
  for (const auto& entry : fs::directory_iterator(folder, absent)) {
    if (entry.path().filename().string().find(".tmp-") != std::string::npos) remove_quietly(entry.path());
  }
}

}  // namespace

CheckpointStore::CheckpointStore(common::TrialPaths paths, std::int64_t keep) : paths_(std::move(paths)), keep_(keep) {}

void CheckpointStore::prepare() {
  common::make_folder(paths_.checkpoints());
  for (const fs::path& folder : {paths_.checkpoints(), paths_.ema(), paths_.evaluations(), paths_.samples()})
    remove_unfinished(folder);
  // The manifest comes last and goes first: a file without one is half of a checkpoint.
  for (const auto& entry : fs::directory_iterator(paths_.checkpoints())) {
    const auto step = common::step_of(entry.path(), ".h5");
    std::error_code unknown;
    if (step && fs::status(paths_.manifest(*step), unknown).type() == fs::file_type::not_found)
      remove_quietly(entry.path());
  }
}

CheckpointStore::~CheckpointStore() {
  if (writer_.joinable()) writer_.join();
}

void CheckpointStore::wait() {
  if (writer_.joinable()) writer_.join();
  if (error_) std::rethrow_exception(std::exchange(error_, nullptr));
}

void CheckpointStore::save(Snapshot snapshot, OnSaved on_saved) {
  wait();
  writer_ = std::thread([this, snapshot = std::move(snapshot), on_saved = std::move(on_saved)] {
    try {
      write(snapshot, on_saved);
    } catch (...) {
      error_ = std::current_exception();
    }
  });
}

void CheckpointStore::write(const Snapshot& snapshot, const OnSaved& on_saved) {
  const common::SystemClock clock;
  const double start_s = clock.monotonic_s();
  common::make_folder(paths_.checkpoints());
  StoredCheckpoint stored;
  stored.step = snapshot.step;
  stored.file = paths_.checkpoint(snapshot.step);
  const fs::path temporary = common::temporary_name(stored.file);
  try {
    write_checkpoint_file(temporary, snapshot);
    common::publish_file(temporary, stored.file);
  } catch (...) {
    remove_quietly(temporary);
    throw;
  }
  stored.bytes = static_cast<std::int64_t>(fs::file_size(stored.file));
  stored.digest = file_digest(stored.file);
  common::write_file_atomically(paths_.manifest(snapshot.step), to_json(stored).dump() + "\n");
  on_saved(stored, clock.monotonic_s() - start_s);
  remove_old(snapshot.step);
}

void CheckpointStore::remove_old(std::int64_t step) {
  std::int64_t kept = 0;
  for (const StoredCheckpoint& stored : list()) {
    if (stored.step > step || kept++ < keep_) continue;
    remove_quietly(paths_.manifest(stored.step));  // the manifest first: never one without its file
    remove_quietly(stored.file);
  }
}

std::vector<StoredCheckpoint> CheckpointStore::list() const {
  std::vector<StoredCheckpoint> found;
  if (!fs::is_directory(paths_.checkpoints())) return found;
  const std::string ending = ".manifest.json";
  for (const auto& entry : fs::directory_iterator(paths_.checkpoints())) {
    const std::string name = entry.path().filename().string();
    if (name.size() <= ending.size() || name.compare(name.size() - ending.size(), ending.size(), ending) != 0) continue;
    if (auto stored = read_manifest(entry.path(), paths_)) found.push_back(std::move(*stored));
  }
  std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.step > b.step; });
  return found;
}

std::optional<StoredCheckpoint> CheckpointStore::newest_valid(
    const std::function<void(const std::string&, const std::string&)>& on_refused) const {
  for (const StoredCheckpoint& stored : list()) {
    const std::string reason = why_invalid(stored);
    if (reason.empty()) return stored;
    on_refused(stored.file.string(), reason);
  }
  return std::nullopt;
}

}  // namespace ditscale::worker
