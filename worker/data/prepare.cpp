#include "worker/data/prepare.hpp"

#include <algorithm>
#include <system_error>

#include <spdlog/spdlog.h>
#include <unistd.h>

#include "common/atomic_file.hpp"
#include "common/clock.hpp"
#include "common/error.hpp"
#include "common/file_lock.hpp"
#include "worker/data/part_processes.hpp"
#include "worker/data/prepare_progress.hpp"

namespace ditscale::worker {

namespace fs = std::filesystem;

namespace {

/// Thrown through fill_shards when a stop was asked for.
struct Stopped {};

common::FileLock lock_parts(const PartsPaths& paths) {
  common::make_folder(paths.folder);
  auto lock = common::FileLock::try_acquire(paths.lock());
  if (!lock) throw common::ConfigError(fmt::format("{} is being prepared by another process", paths.out.string()));
  return *std::move(lock);
}

void remove_parts(const PartsPaths& paths) {
  std::error_code code;
  fs::remove_all(paths.folder, code);
  if (code) spdlog::warn("{} is left behind: {}", paths.folder.string(), code.message());
}

/// The store that is there already, when it is the one that is asked for.
std::optional<StoreFacts> find_finished(const PreparePlan& plan, const PartsPaths& paths) {
  if (!fs::exists(paths.out)) return std::nullopt;
  StoreFacts facts = Store(paths.out).facts();
  if (facts.plan == plan.facts.plan) return facts;
  throw common::ConfigError(
      fmt::format("{} is there and was made from other images or with other settings ({}): remove "
                  "it, or name another --out",
                  paths.out.string(), facts.source));
}

std::int64_t count_done(const PreparePlan& plan, const PartsPaths& paths) {
  std::int64_t done = 0;
  for (std::int64_t shard = 0; shard < plan.num_shards(); ++shard) {
    if (shard_is_done(paths, shard)) done += std::min(kShardImages, plan.list.num_images - shard * kShardImages);
  }
  return done;
}

/// False when a stop was asked for.
bool fill_all(const PreparePlan& plan, const PartsPaths& paths, const PrepareOptions& options,
              PrepareProgress& progress) {
  if (options.processes > 1) return run_part_processes(options, paths, progress);
  try {
    fill_shards(plan, paths, [&](bool damaged) {
      if (options.stop()) throw Stopped();
      progress.count(damaged);
    });
    return true;
  } catch (const Stopped&) {
    return false;
  }
}

/// "path: reason" of each, also in a file beside the store, which goes when there is none.
std::vector<std::string> report_damaged(const PreparePlan& plan, const PartsPaths& paths,
                                        const std::vector<DamagedImage>& damaged) {
  std::vector<std::string> lines;
  std::string text;
  for (const DamagedImage& image : damaged) {
    const auto index = static_cast<std::size_t>(image.index);
    const std::string name = plan.list.names.empty() ? fmt::format("image {}", index) : plan.list.names[index];
    lines.push_back(fmt::format("{}: {}", (plan.settings.source / name).string(), image.reason));
    text += lines.back() + "\n";
  }
  std::error_code ignored;
  if (damaged.empty()) {
    fs::remove(paths.damaged(), ignored);
  } else {
    common::write_file_atomically(paths.damaged(), text);
  }
  return lines;
}

/// Under --strict: the damaged shards are forgotten, so that they are looked at again once the files are mended.
[[noreturn]] void refuse_damaged(const PartsPaths& paths, const std::vector<DamagedImage>& damaged,
                                 const std::vector<std::string>& lines) {
  for (const DamagedImage& image : damaged) fs::remove(paths.shard(image.index / kShardImages));
  throw common::CorruptData(fmt::format(
      "{} images are damaged, listed in {} (the first: {}): mend them and run the same command again, or go "
      "on without --strict",
      lines.size(), paths.damaged().string(), lines.front()));
}

/// Under --strict: a store that an earlier call made without the damaged images is not what is asked for.
void refuse_incomplete(const PreparePlan& plan, const PartsPaths& paths, const StoreFacts& facts) {
  if (facts.num_images == plan.list.num_images) return;
  throw common::CorruptData(fmt::format(
      "{} is there, made without --strict: {} of {} images are damaged and left out, listed in {}: mend them, remove "
      "the store and run the same command again, or go on without --strict",
      paths.out.string(), plan.list.num_images - facts.num_images, plan.list.num_images, paths.damaged().string()));
}

}  // namespace

std::optional<PrepareResult> prepare_store(const PrepareSettings& settings, const PrepareOptions& options) {
  const PreparePlan plan = make_plan(settings);
  const PartsPaths paths(settings.out);
  PrepareResult result;
  if (const auto facts = find_finished(plan, paths)) {
    if (options.strict) refuse_incomplete(plan, paths, *facts);
    remove_parts(paths);
    result.facts = *facts;
    result.was_there = true;
    return result;
  }
  const common::FileLock lock = lock_parts(paths);
  begin_parts(plan, paths);

  const common::SystemClock clock;
  const double start_s = clock.monotonic_s();
  const std::int64_t done_before = count_done(plan, paths);
  PrepareProgress progress(plan.list.num_images, done_before);
  if (!fill_all(plan, paths, options, progress)) return std::nullopt;
  result.num_decoded = plan.list.num_images - done_before;
  result.seconds = clock.monotonic_s() - start_s;

  const std::vector<DamagedImage> damaged = collect_damaged(plan, paths);
  result.damaged = report_damaged(plan, paths, damaged);
  if (options.strict && !damaged.empty()) refuse_damaged(paths, damaged, result.damaged);
  result.facts = finish_parts(plan, paths, damaged);
  remove_parts(paths);
  return result;
}

void fill_part(const PrepareSettings& settings, int event_fd) {
  const PartsPaths paths(settings.out);
  const PreparePlan plan = read_parts_plan(settings, paths);
  fill_shards(plan, paths, [&](bool damaged) {
    const char event = damaged ? 'x' : '.';
    // The starter may be gone; then this process is about to be ended as well.
    [[maybe_unused]] const ssize_t written = ::write(event_fd, &event, 1);
  });
}

}  // namespace ditscale::worker
