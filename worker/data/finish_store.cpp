#include "worker/data/finish_store.hpp"

#include <algorithm>

#include "common/atomic_file.hpp"
#include "common/error.hpp"
#include "worker/data/store_header.hpp"

namespace ditscale::worker {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t kCopy_bytes = std::size_t{8} << 20;

/// Neighbouring rows that stay, from `begin` to before `end`.
struct Run {
  std::int64_t begin, end;
};

std::vector<Run> good_runs(std::int64_t num_images, const std::vector<DamagedImage>& damaged) {
  std::vector<Run> runs;
  std::int64_t begin = 0;
  for (const DamagedImage& image : damaged) {
    if (image.index > begin) runs.push_back({begin, image.index});
    begin = image.index + 1;
  }
  if (begin < num_images) runs.push_back({begin, num_images});
  return runs;
}

/// Copies the runs of one array, one after the other.
void copy_rows(const fs::path& from, const fs::path& to, const std::string& array, const std::vector<Run>& runs) {
  const RowFile in(from, array), out(to, array, RowFile::Access::kReadWrite);
  const auto step = static_cast<std::int64_t>(std::max<std::size_t>(kCopy_bytes / in.row_bytes(), 1));
  std::vector<std::byte> buffer;
  std::int64_t next = 0;
  for (const Run& run : runs) {
    for (std::int64_t row = run.begin; row < run.end; row += step) {
      const std::int64_t count = std::min(step, run.end - row);
      buffer.resize(static_cast<std::size_t>(count) * in.row_bytes());
      in.read(row, buffer);
      out.write(next, buffer);
      next += count;
    }
  }
  out.sync();
}

torch::Tensor labels_of(const SourceList& list, const std::vector<Run>& runs) {
  std::vector<std::int64_t> labels;
  for (const Run& run : runs) {
    for (std::int64_t i = run.begin; i < run.end; ++i)
      labels.push_back(list.labels.empty() ? 0 : list.labels[static_cast<std::size_t>(i)]);
  }
  return torch::tensor(labels, torch::kLong);
}

fs::path compact(const PreparePlan& plan, const PartsPaths& paths, const std::vector<DamagedImage>& damaged) {
  const std::vector<Run> runs = good_runs(plan.list.num_images, damaged);
  StoreFacts facts = plan.facts;
  facts.num_images = plan.list.num_images - static_cast<std::int64_t>(damaged.size());
  create_store(paths.compacted(), facts, plan.list.class_names, labels_of(plan.list, runs));
  std::vector<std::string> arrays{facts.row_name(), kRowHashesName};
  if (facts.has_context()) arrays.emplace_back(kEmbeddingsName);
  for (const std::string& array : arrays) copy_rows(paths.store(), paths.compacted(), array, runs);
  return paths.compacted();
}

}  // namespace

std::vector<DamagedImage> collect_damaged(const PreparePlan& plan, const PartsPaths& paths) {
  std::vector<DamagedImage> all;
  for (std::int64_t shard = 0; shard < plan.num_shards(); ++shard) {
    DITSCALE_CHECK(shard_is_done(paths, shard), "shard {} of {} is not done", shard, paths.folder.string());
    const std::vector<DamagedImage> some = damaged_of_shard(paths, shard);
    all.insert(all.end(), some.begin(), some.end());
  }
  return all;
}

StoreFacts finish_parts(const PreparePlan& plan, const PartsPaths& paths, const std::vector<DamagedImage>& damaged) {
  if (static_cast<std::int64_t>(damaged.size()) == plan.list.num_images)
    throw common::CorruptData(
        fmt::format("{}: none of its {} images can be decoded", plan.facts.source, plan.list.num_images));
  const fs::path whole = damaged.empty() ? paths.store() : compact(plan, paths, damaged);
  finish_store(whole);
  common::publish_file(whole, paths.out);
  return Store(paths.out).facts();
}

}  // namespace ditscale::worker
