#include "worker/evaluation/image_input.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <exception>
#include <fstream>
#include <future>
#include <string_view>
#include <utility>
#include <vector>

#include "common/error.hpp"
#include "worker/data/decode_image.hpp"
#include "worker/data/idx_file.hpp"
#include "worker/data/image_source.hpp"
#include "worker/data/row_maker.hpp"
#include "worker/data/store.hpp"
#include "worker/storage/npz_file.hpp"

namespace ditscale::worker {

namespace fs = std::filesystem;

namespace {

constexpr std::int64_t kPiece_bytes = std::int64_t{64} << 20;
constexpr std::int64_t kMostInPiece = 256;

std::string shape_text(const ImageShape& s) { return fmt::format("({}, {}, {})", s.channels, s.height, s.width); }

class FolderInput final : public ImageInput {
 public:
  FolderInput(const fs::path& folder, const SourceList& list, int num_threads)
      : FolderInput(folder, open_source(folder, list.kind, list.names), list.num_images, num_threads) {}

 private:
  FolderInput(const fs::path& folder, std::unique_ptr<ImageSource> source, std::int64_t num_images, int num_threads)
      : ImageInput(folder.string(), num_images, shape_of(decode(*source, 0))),
        images_(std::move(source)),
        num_threads_(num_threads) {}

  static ImageShape shape_of(const Picture& picture) { return {3, picture.height, picture.width}; }

  static Picture decode(const ImageSource& source, std::int64_t index) {
    try {
      return source.picture(index);
    } catch (const common::CorruptData& error) {
      throw common::CorruptData(fmt::format("{}: {}", source.name(index), error.what()));
    }
  }

  void decode_into(std::int64_t index, std::uint8_t* out) const {
    const Picture picture = decode(*images_, index);
    if (shape_of(picture) != shape())
      throw common::ConfigError(fmt::format("{}: {} x {} pixels, but {} has {} x {}: the images of a set need one size",
                                            images_->name(index), picture.width, picture.height, images_->name(0),
                                            shape().width, shape().height));
    copy_planes(picture, shape().channels, out);
  }

  torch::Tensor read(std::int64_t begin, std::int64_t end) override {
    const ImageShape& s = shape();
    torch::Tensor result = torch::empty({end - begin, s.channels, s.height, s.width}, torch::kByte);
    auto* const bytes = result.data_ptr<std::uint8_t>();
    std::vector<std::exception_ptr> errors(static_cast<std::size_t>(end - begin));
    std::atomic<std::int64_t> next = begin;
    const auto work = [&] {
      for (std::int64_t i = next++; i < end; i = next++) {
        try {
          decode_into(i, bytes + (i - begin) * s.channels * s.height * s.width);
        } catch (...) {
          errors[static_cast<std::size_t>(i - begin)] = std::current_exception();
        }
      }
    };
    std::vector<std::future<void>> helpers;
    for (int i = 1; i < num_threads_; ++i) helpers.push_back(std::async(std::launch::async, work));
    work();
    for (std::future<void>& helper : helpers) helper.get();
    // The first in the set's order, whichever thread met it.
    for (const std::exception_ptr& error : errors) {
      if (error) std::rethrow_exception(error);
    }
    return result;
  }

  std::unique_ptr<ImageSource> images_;
  int num_threads_;
};

class IdxInput final : public ImageInput {
 public:
  explicit IdxInput(const fs::path& path) : IdxInput(path, read_idx_array(path, 3).unsqueeze(1)) {}

 private:
  IdxInput(const fs::path& path, torch::Tensor images)
      : ImageInput(path.string(), images.size(0), {1, images.size(2), images.size(3)}), images_(std::move(images)) {}

  torch::Tensor read(std::int64_t begin, std::int64_t end) override { return images_.slice(0, begin, end); }

  torch::Tensor images_;
};

class NpzInput final : public ImageInput {
 public:
  explicit NpzInput(const fs::path& path) : NpzInput(path, open_rows(path)) {}

 private:
  NpzInput(const fs::path& path, std::unique_ptr<NpzRows> rows)
      : ImageInput(path.string(), rows->header().shape[0], shape_of(rows->header())), rows_(std::move(rows)) {}

  static std::unique_ptr<NpzRows> open_rows(const fs::path& path) {
    const NpzFile file = NpzFile::open(path);
    for (const char* name : {"arr_0", "images"}) {
      if (!file.has(name)) continue;
      const NpyHeader header = file.header(name);
      const auto& shape = header.shape;
      const bool fits = shape.size() == 3 || (shape.size() == 4 && (shape[3] == 1 || shape[3] == 3));
      const bool known = header.type == at::kByte && fits && header.num_bytes > 0;
      if (!known || header.num_bytes / static_cast<std::uint64_t>(shape[0]) > 3 * std::uint64_t{kMaxPixels})
        throw common::ConfigError(
            fmt::format("{}: {} is {} of shape ({}); images are uint8 (N, H, W), (N, H, W, 1) or (N, H, W, 3), of up "
                        "to {} pixels",
                        path.string(), name, at::toString(header.type), fmt::join(shape, ", "), kMaxPixels));
      return std::make_unique<NpzRows>(path, name);
    }
    throw common::ConfigError(
        fmt::format("{}: it has neither arr_0 nor images, but {}", path.string(), fmt::join(file.names(), ", ")));
  }

  static ImageShape shape_of(const NpyHeader& header) {
    return {header.shape.size() == 4 ? header.shape[3] : 1, header.shape[1], header.shape[2]};
  }

  torch::Tensor read(std::int64_t begin, std::int64_t end) override {
    const ImageShape& s = shape();
    return rows_->rows(begin, end).view({end - begin, s.height, s.width, s.channels}).permute({0, 3, 1, 2});
  }

  std::unique_ptr<NpzRows> rows_;
};

class StoreInput final : public ImageInput {
 public:
  explicit StoreInput(const fs::path& path) : StoreInput(path, std::make_unique<Store>(path)) {}

 private:
  StoreInput(const fs::path& path, std::unique_ptr<Store> store)
      : ImageInput(path.string(), store->facts().num_images, shape_of(path, store->facts())),
        store_(std::move(store)) {}

  static ImageShape shape_of(const fs::path& path, const StoreFacts& facts) {
    if (facts.latents)
      throw common::ConfigError(
          fmt::format("{}: a store of latents; images are needed: prepare one with --space pixels", path.string()));
    return {facts.channels, facts.side, facts.side};
  }

  torch::Tensor read(std::int64_t begin, std::int64_t end) override { return store_->rows(begin, end - begin); }

  std::unique_ptr<Store> store_;
};

bool is_hdf5(const fs::path& path) {
  constexpr std::string_view kMagic = "\x89HDF\r\n\x1a\n";
  std::array<char, kMagic.size()> start{};
  std::ifstream stream(path, std::ios::binary);
  stream.read(start.data(), start.size());
  return stream && std::string_view(start.data(), start.size()) == kMagic;
}

}  // namespace

ImageInput::ImageInput(std::string source, std::int64_t num_images, const ImageShape& shape)
    : source_(std::move(source)), num_images_(num_images), shape_(shape) {}

std::int64_t ImageInput::piece_size() const {
  const std::int64_t image_bytes = shape_.channels * shape_.height * shape_.width;
  return std::clamp<std::int64_t>(kPiece_bytes / image_bytes, 1, kMostInPiece);
}

torch::Tensor ImageInput::piece(std::int64_t begin, std::int64_t end) {
  end = std::min(end, num_images_);
  DITSCALE_CHECK(0 <= begin && begin < end, "images {} to {} of {}", begin, end, num_images_);
  torch::Tensor result = read(begin, end).contiguous();
  DITSCALE_CHECK(result.sizes().equals({end - begin, shape_.channels, shape_.height, shape_.width}),
                 "{}: images of {} came as ({})", source_, shape_text(shape_), fmt::join(result.sizes(), ", "));
  return result;
}

std::unique_ptr<ImageInput> open_image_input(const fs::path& source, int num_threads) {
  if (fs::is_regular_file(source) && is_hdf5(source)) return std::make_unique<StoreInput>(source);
  switch (kind_of_source(source)) {
    case SourceKind::kFolder:
      return std::make_unique<FolderInput>(source, list_source(source), num_threads);
    case SourceKind::kIdx:
      return std::make_unique<IdxInput>(source);
    case SourceKind::kNpz:
      return std::make_unique<NpzInput>(source);
  }
  throw common::InternalError("a kind of source that is not opened");
}

}  // namespace ditscale::worker
