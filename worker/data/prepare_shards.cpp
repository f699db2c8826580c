#include "worker/data/prepare_shards.hpp"

#include <algorithm>
#include <future>
#include <memory>
#include <optional>
#include <utility>

#include "common/atomic_file.hpp"
#include "common/error.hpp"
#include "common/file_lock.hpp"
#include "worker/data/adm_crop.hpp"
#include "worker/data/latent_rows.hpp"
#include "worker/data/row_maker.hpp"
#include "worker/data/store_header.hpp"

namespace ditscale::worker {

using common::Json;

namespace {

/// Pictures that are decoded before their rows are made: enough for the VAE to work on.
constexpr std::int64_t kBatchImages = 16;

/// Fills shards, one after the other.
class ShardFiller {
 public:
  ShardFiller(const PreparePlan& plan, const PartsPaths& paths, const ImageDone& done)
      : plan_(plan),
        paths_(paths),
        done_(done),
        source_(open_source(plan.settings.source, plan.list.kind, plan.list.names)),
        maker_(plan.facts.latents ? make_latent_rows(plan.facts, plan.settings.vae, plan.settings.device)
                                  : make_pixel_rows(plan.facts)),
        rows_(paths.store(), plan.facts.row_name(), RowFile::Access::kReadWrite),
        hashes_(paths.store(), kRowHashesName, RowFile::Access::kReadWrite) {
    if (!plan.facts.has_context()) return;
    context_from_.emplace(plan.settings.embeddings_file, plan.settings.embeddings_dataset);
    context_to_.emplace(paths.store(), kEmbeddingsName, RowFile::Access::kReadWrite);
  }

  void fill(std::int64_t shard, common::FileLock claim) {
    const std::int64_t begin = shard * kShardImages;
    const std::int64_t end = std::min(begin + kShardImages, plan_.list.num_images);
    damaged_ = Json::array();
    for (std::int64_t first = begin; first < end; first += kBatchImages)
      fill_batch(first, std::min(first + kBatchImages, end));
    publish(shard, std::move(claim));
  }

  /// Returns when everything filled is on the disk.
  void finish() {
    if (publishing_.valid()) publishing_.get();
  }

 private:
  void fill_batch(std::int64_t begin, std::int64_t end) {
    std::vector<Picture> pictures;
    std::vector<std::int64_t> indices;
    for (std::int64_t index = begin; index < end; ++index) {
      if (auto picture = decode(index)) {
        pictures.push_back(*std::move(picture));
        indices.push_back(index);
      }
    }
    const std::size_t row_bytes = rows_.row_bytes();
    buffer_.resize(row_bytes * pictures.size());
    if (!pictures.empty()) maker_->make(pictures, buffer_);
    for (std::size_t i = 0; i < indices.size(); ++i)
      write_row(indices[i], std::span(buffer_).subspan(i * row_bytes, row_bytes));
  }

  std::optional<Picture> decode(std::int64_t index) {
    try {
      Picture picture = adm_crop(source_->picture(index), plan_.facts.image_size);
      done_(false);
      return picture;
    } catch (const common::CorruptData& error) {
      damaged_.push_back({{"index", index}, {"reason", common::valid_utf8(error.what())}});
      done_(true);
      return std::nullopt;
    }
  }

  void write_row(std::int64_t index, std::span<const std::byte> row) {
    std::vector<std::byte> embedding;
    if (context_from_) {
      embedding.resize(context_from_->row_bytes());
      context_from_->read(index, embedding);
      context_to_->write(index, embedding);
    }
    rows_.write(index, row);
    const std::int64_t hash = hash_of_row(row, embedding);
    hashes_.write(index, std::as_bytes(std::span(&hash, 1)));
  }

  /// The disk writes while the next shard is decoded. One shard at a time: memory stays bounded.
  void publish(std::int64_t shard, common::FileLock claim) {
    finish();
    publishing_ = std::async(std::launch::async, [this, shard, damaged = damaged_, lock = std::move(claim)] {
      rows_.sync();
      common::write_file_atomically(paths_.shard(shard), Json{{"damaged", damaged}}.dump() + "\n");
    });
  }

  const PreparePlan& plan_;
  const PartsPaths& paths_;
  const ImageDone& done_;
  std::unique_ptr<ImageSource> source_;
  std::unique_ptr<RowMaker> maker_;
  RowFile rows_, hashes_;
  std::optional<RowFile> context_from_, context_to_;
  std::vector<std::byte> buffer_;
  Json damaged_;
  /// Last: it uses what stands above.
  std::future<void> publishing_;
};

}  // namespace

void fill_shards(const PreparePlan& plan, const PartsPaths& paths, const ImageDone& done) {
  ShardFiller filler(plan, paths, done);
  for (std::int64_t shard = 0; shard < plan.num_shards(); ++shard) {
    if (shard_is_done(paths, shard)) continue;
    auto claim = common::FileLock::try_acquire(paths.claim(shard));
    // Another process may have finished it between the two looks.
    if (!claim || shard_is_done(paths, shard)) continue;
    filler.fill(shard, *std::move(claim));
  }
  filler.finish();
}

bool shard_is_done(const PartsPaths& paths, std::int64_t shard) { return std::filesystem::exists(paths.shard(shard)); }

std::vector<DamagedImage> damaged_of_shard(const PartsPaths& paths, std::int64_t shard) {
  std::vector<DamagedImage> result;
  const Json json = common::read_json(paths.shard(shard)).value;
  for (const Json& damaged : json.at("damaged"))
    result.push_back({damaged.at("index").get<std::int64_t>(), damaged.at("reason").get<std::string>()});
  return result;
}

}  // namespace ditscale::worker
