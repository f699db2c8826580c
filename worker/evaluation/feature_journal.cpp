#include "worker/evaluation/feature_journal.hpp"

#include <array>
#include <cstring>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/error.hpp"
#include "common/hash.hpp"

namespace ditscale::worker {

using common::SystemError;

namespace {

/// Part of the header, so that a change of the format begins new files. Stored, never reuse.
constexpr int kJournalVersion = 1;
constexpr std::size_t kDigestChars = 16;

[[noreturn]] void fail(const char* call, const std::filesystem::path& path) {
  throw SystemError(fmt::format("{} {}: {}", call, path.string(), std::strerror(errno)));
}

void write_at(int fd, std::int64_t offset, const std::string& bytes, const std::filesystem::path& path) {
  std::size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t count =
        ::pwrite(fd, bytes.data() + done, bytes.size() - done, offset + static_cast<std::int64_t>(done));
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) fail("write", path);
    done += static_cast<std::size_t>(count);
  }
}

/// False when the file ends before.
bool read_at(int fd, std::int64_t offset, std::span<char> out, const std::filesystem::path& path) {
  std::size_t done = 0;
  while (done < out.size()) {
    const ssize_t count = ::pread(fd, out.data() + done, out.size() - done, offset + static_cast<std::int64_t>(done));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) fail("read", path);
    if (count == 0) return false;
    done += static_cast<std::size_t>(count);
  }
  return true;
}

std::int64_t size_of(int fd, const std::filesystem::path& path) {
  struct stat status {};
  if (::fstat(fd, &status) != 0) fail("stat", path);
  return status.st_size;
}

common::FileDescriptor open_alone(const std::filesystem::path& path) {
  common::FileDescriptor file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
  if (!file.valid()) fail("open", path);
  if (::flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) fail("flock", path);
    throw SystemError(fmt::format("{}: another process is making this score", path.string()));
  }
  return file;
}

void append_rows(std::string& bytes, const torch::Tensor& rows) {
  const torch::Tensor data = rows.to(torch::kFloat).cpu().contiguous();
  bytes.append(static_cast<const char*>(data.const_data_ptr()), data.nbytes());
}

}  // namespace

/// In front of a piece's values: pooled, spatial and logits one after the other, float32.
struct FeatureJournal::PieceHead {
  std::int64_t num_samples = 0;
  std::array<char, kDigestChars> digest{};
};

FeatureJournal::FeatureJournal(std::filesystem::path path, const std::string& key, FeatureWidths widths)
    : path_(std::move(path)), widths_(widths), file_(open_alone(path_)) {
  DITSCALE_CHECK(widths.total() > 0, "a journal of no features");
  const std::string header = fmt::format("ditscale features {} {} {} {} {}\n", kJournalVersion, widths.pooled,
                                         widths.spatial, widths.logits, common::hash_hex128(key));
  std::string found(header.size(), '\0');
  if (!read_at(file_.get(), 0, found, path_) || found != header) begin(header);
  first_piece_ = static_cast<std::int64_t>(header.size());
  end_ = end_of_whole_pieces(first_piece_);
  if (::ftruncate(file_.get(), end_) != 0) fail("truncate", path_);
}

void FeatureJournal::begin(const std::string& header) {
  if (::ftruncate(file_.get(), 0) != 0) fail("truncate", path_);
  write_at(file_.get(), 0, header, path_);
}

bool FeatureJournal::read_piece(std::int64_t offset, std::int64_t file_size_bytes, std::string& piece) const {
  PieceHead head;
  if (!read_at(file_.get(), offset, {reinterpret_cast<char*>(&head), sizeof head}, path_)) return false;
  const std::int64_t row_bytes = widths_.total() * static_cast<std::int64_t>(sizeof(float));
  const std::int64_t left_bytes = file_size_bytes - offset - static_cast<std::int64_t>(sizeof head);
  if (head.num_samples <= 0 || head.num_samples > left_bytes / row_bytes) return false;
  piece.resize(static_cast<std::size_t>(head.num_samples * row_bytes));
  return read_at(file_.get(), offset + static_cast<std::int64_t>(sizeof head), piece, path_) &&
         common::hash_hex64(piece) == std::string_view(head.digest.data(), head.digest.size());
}

std::int64_t FeatureJournal::end_of_whole_pieces(std::int64_t offset) {
  const std::int64_t size_bytes = size_of(file_.get(), path_);
  const std::int64_t row_bytes = widths_.total() * static_cast<std::int64_t>(sizeof(float));
  for (std::string piece; read_piece(offset, size_bytes, piece);) {
    num_done_ += static_cast<std::int64_t>(piece.size()) / row_bytes;
    offset += static_cast<std::int64_t>(sizeof(PieceHead) + piece.size());
  }
  return offset;
}

ImageFeatures FeatureJournal::features_of(const std::string& piece) const {
  const auto count = static_cast<std::int64_t>(piece.size() / sizeof(float)) / widths_.total();
  const torch::Tensor values = torch::empty({count * widths_.total()}, torch::kFloat);
  std::memcpy(values.data_ptr(), piece.data(), piece.size());
  std::int64_t at = 0;
  const auto part = [&](std::int64_t width) {
    if (width == 0) return torch::Tensor();
    const torch::Tensor rows = values.narrow(0, at, count * width).view({count, width});
    at += count * width;
    return rows;
  };
  ImageFeatures features;
  features.pooled = part(widths_.pooled);
  features.spatial = part(widths_.spatial);
  features.logits = part(widths_.logits);
  return features;
}

void FeatureJournal::replay(const Take& take) const {
  std::int64_t first = 0;
  std::string piece;
  for (std::int64_t offset = first_piece_; offset < end_;) {
    if (!read_piece(offset, end_, piece))
      throw common::CorruptData(fmt::format("{}: changed while it was read", path_.string()));
    const ImageFeatures features = features_of(piece);
    take(first, features);
    first += features.pooled.size(0);
    offset += static_cast<std::int64_t>(sizeof(PieceHead) + piece.size());
  }
}

void FeatureJournal::append(const ImageFeatures& features) {
  std::string values;
  append_rows(values, features.pooled);
  if (widths_.spatial > 0) append_rows(values, features.spatial);
  if (widths_.logits > 0) append_rows(values, features.logits);
  PieceHead head;
  head.num_samples = features.pooled.size(0);
  const std::string digest = common::hash_hex64(values);
  std::copy(digest.begin(), digest.end(), head.digest.begin());
  const std::string bytes = std::string(reinterpret_cast<const char*>(&head), sizeof head) + values;
  write_at(file_.get(), end_, bytes, path_);
  end_ += static_cast<std::int64_t>(bytes.size());
  num_done_ += head.num_samples;
}

void FeatureJournal::remove() {
  if (::unlink(path_.c_str()) != 0) fail("unlink", path_);
}

}  // namespace ditscale::worker
