#include "worker/data/packed_file.hpp"

#include <algorithm>
#include <array>
#include <cstring>

#include "common/atomic_file.hpp"
#include "common/error.hpp"

namespace ditscale::worker {

namespace {

constexpr std::size_t kMaxFile_bytes = std::size_t{1} << 30;
/// One call unpacks at most this much: zlib counts in 32 bits.
constexpr std::size_t kMaxStep_bytes = std::size_t{1} << 30;
/// The largest window, and 16 for "gzip only".
constexpr int kGzipWindow_bits = 15 + 16;

}  // namespace

PackedFile::PackedFile(const std::filesystem::path& path)
    : path_(path), bytes_(common::read_file(path, kMaxFile_bytes)), packed_(bytes_.starts_with("\x1f\x8b")) {
  if (!packed_) return;
  stream_.next_in = reinterpret_cast<Bytef*>(bytes_.data());
  stream_.avail_in = static_cast<uInt>(bytes_.size());
  if (inflateInit2(&stream_, kGzipWindow_bits) != Z_OK)
    throw common::SystemError(fmt::format("start unpacking {}: zlib has no memory", path.string()));
}

PackedFile::~PackedFile() {
  if (packed_) inflateEnd(&stream_);
}

void PackedFile::fail(const std::string& reason) const {
  throw common::CorruptData(fmt::format("{}: {}", path_.string(), reason));
}

std::size_t PackedFile::inflate_into(std::span<std::byte> out) {
  std::size_t done = 0;
  while (done < out.size() && !ended_) {
    const std::size_t step = std::min(out.size() - done, kMaxStep_bytes);
    stream_.next_out = reinterpret_cast<Bytef*>(out.data() + done);
    stream_.avail_out = static_cast<uInt>(step);
    const int code = inflate(&stream_, Z_NO_FLUSH);
    done += step - stream_.avail_out;
    ended_ = code == Z_STREAM_END;
    if (code == Z_BUF_ERROR || (code == Z_OK && stream_.avail_out > 0)) fail("the gzip file is cut short");
    if (code != Z_OK && code != Z_STREAM_END)
      fail(fmt::format("gzip data is damaged ({})", stream_.msg != nullptr ? stream_.msg : "no reason given"));
  }
  return done;
}

std::int64_t PackedFile::most_bytes() const {
  constexpr std::int64_t kMostOfDeflate = 1032;
  return static_cast<std::int64_t>(bytes_.size()) * (packed_ ? kMostOfDeflate : 1);
}

void PackedFile::read(std::span<std::byte> out) {
  std::size_t got = 0;
  if (packed_) {
    got = inflate_into(out);
  } else {
    got = std::min(out.size(), bytes_.size() - position_);
    std::memcpy(out.data(), bytes_.data() + position_, got);
    position_ += got;
  }
  if (got < out.size()) fail(fmt::format("it ends {} bytes before what its header promises", out.size() - got));
}

void PackedFile::expect_end() {
  if (!packed_) {
    if (position_ != bytes_.size()) fail(fmt::format("{} bytes too many at its end", bytes_.size() - position_));
    return;
  }
  // zlib compares the checksum when it is asked for more than there is.
  std::array<std::byte, 1> surplus{};
  if (inflate_into(surplus) != 0) fail("more data than its header promises");
  if (stream_.avail_in != 0) fail(fmt::format("{} bytes too many after the gzip data", stream_.avail_in));
}

}  // namespace ditscale::worker
