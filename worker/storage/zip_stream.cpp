#include <algorithm>
#include <array>
#include <utility>

#include <zlib.h>

#include "common/error.hpp"
#include "common/json_document.hpp"
#include "worker/storage/zip_file.hpp"

namespace ditscale::worker {

namespace {
/// zlib counts in 32 bits; this is also how much is checksummed while it is in the cache.
constexpr std::size_t kZipStep_bytes = std::size_t{1} << 20;
}  // namespace

struct ZipStream::Inflater {
  z_stream stream{};
  std::array<std::byte, std::size_t{1} << 16> packed{};
  bool ended = false;

  Inflater() {
    // Negative: deflate without a frame of its own, as zip has it.
    if (inflateInit2(&stream, -MAX_WBITS) != Z_OK) throw common::SystemError("start unpacking: zlib has no memory");
  }
  ~Inflater() { inflateEnd(&stream); }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;
};

ZipStream::ZipStream(const RandomAccessFile& file, const ZipEntry& entry, std::string name)
    : file_(file), entry_(entry), name_(std::move(name)) {
  if (entry.deflated) inflater_ = std::make_unique<Inflater>();
}

ZipStream::~ZipStream() = default;

void ZipStream::fail(const std::string& reason) const {
  throw common::CorruptData(fmt::format("{}: {}: {}", file_.label(), common::valid_utf8(name_), reason));
}

std::uint64_t ZipStream::left_bytes() const { return entry_.num_bytes - given_bytes_; }

std::size_t ZipStream::inflate_into(std::span<std::byte> out) {
  z_stream& z = inflater_->stream;
  z.next_out = reinterpret_cast<Bytef*>(out.data());
  z.avail_out = static_cast<uInt>(out.size());
  while (z.avail_out > 0 && !inflater_->ended) {
    if (z.avail_in == 0) {
      const std::uint64_t step = std::min<std::uint64_t>(inflater_->packed.size(), entry_.packed_bytes - taken_bytes_);
      if (step == 0) fail("its packed data ends too early");
      file_.read(entry_.offset_bytes + taken_bytes_, std::span(inflater_->packed).first(step));
      taken_bytes_ += step;
      z.next_in = reinterpret_cast<Bytef*>(inflater_->packed.data());
      z.avail_in = static_cast<uInt>(step);
    }
    const int code = inflate(&z, Z_NO_FLUSH);
    inflater_->ended = code == Z_STREAM_END;
    if (code != Z_OK && code != Z_STREAM_END)
      fail(fmt::format("its packed data is damaged ({})", z.msg != nullptr ? z.msg : "no reason given"));
  }
  return out.size() - z.avail_out;
}

void ZipStream::read(std::span<std::byte> out) {
  if (out.size() > left_bytes()) fail(fmt::format("{} bytes are needed, it has {} more", out.size(), left_bytes()));
  while (!out.empty()) {
    const std::span<std::byte> piece = out.first(std::min(out.size(), kZipStep_bytes));
    if (inflater_) {
      if (inflate_into(piece) < piece.size()) fail("it unpacks to less than the directory says");
    } else {
      file_.read(entry_.offset_bytes + given_bytes_, piece);
    }
    crc_ = static_cast<std::uint32_t>(
        crc32(crc_, reinterpret_cast<const Bytef*>(piece.data()), static_cast<uInt>(piece.size())));
    given_bytes_ += piece.size();
    out = out.subspan(piece.size());
  }
}

void ZipStream::expect_end() {
  if (left_bytes() != 0) fail(fmt::format("{} bytes more than expected", left_bytes()));
  if (inflater_) {
    std::array<std::byte, 1> surplus{};
    if (inflate_into(surplus) != 0) fail("it unpacks to more than the directory says");
    if (taken_bytes_ != entry_.packed_bytes || inflater_->stream.avail_in != 0) fail("bytes follow its packed data");
  }
  if (crc_ != entry_.crc) fail(fmt::format("its checksum is {:08x}, the directory says {:08x}", crc_, entry_.crc));
}

}  // namespace ditscale::worker
