#include "worker/storage/zip_writer.hpp"

#include <algorithm>

#include <zlib.h>

#include "worker/storage/zip_format.hpp"

namespace ditscale::worker {

namespace {

/// 4.5: understands zip64.
constexpr std::uint16_t kZipVersion = 45;
constexpr std::uint16_t kUtf8Names = 1 << 11;
/// 1980-01-01, the format's first day.
constexpr std::uint32_t kNoTime = 0x00210000;

/// Little-endian numbers one after the other.
class ZipRecord {
 public:
  template <typename T>
  ZipRecord& add(T value) {
    bytes_.append(reinterpret_cast<const char*>(&value), sizeof value);
    return *this;
  }
  ZipRecord& add_text(std::string_view text) {
    bytes_.append(text);
    return *this;
  }
  [[nodiscard]] const std::string& bytes() const { return bytes_; }

 private:
  std::string bytes_;
};

std::uint32_t zip_checksum(std::uint32_t crc, std::span<const std::byte> bytes) {
  constexpr std::size_t kMaxStep_bytes = std::size_t{1} << 30;  // zlib counts in 32 bits
  while (!bytes.empty()) {
    const auto piece = bytes.first(std::min(bytes.size(), kMaxStep_bytes));
    crc = static_cast<std::uint32_t>(
        crc32(crc, reinterpret_cast<const Bytef*>(piece.data()), static_cast<uInt>(piece.size())));
    bytes = bytes.subspan(piece.size());
  }
  return crc;
}

/// Sizes and place of every entry stand in a zip64 field: one form for all sizes.
constexpr std::uint16_t kLocalExtra_bytes = 16;
constexpr std::uint16_t kDirectoryExtra_bytes = 24;
constexpr std::uint16_t kExtraFrame_bytes = 4;

}  // namespace

void ZipWriter::add(const std::string& name, std::initializer_list<std::span<const std::byte>> parts) {
  Added entry{name, 0, file_.position(), 0};
  for (const auto& part : parts) {
    entry.num_bytes += part.size();
    entry.crc = zip_checksum(entry.crc, part);
  }
  ZipRecord header;
  header.add(kZipLocalHeader).add(kZipVersion).add(kUtf8Names).add(kZipStored).add(kNoTime).add(entry.crc);
  header.add(kZipBeyond32).add(kZipBeyond32).add(static_cast<std::uint16_t>(name.size()));
  header.add(static_cast<std::uint16_t>(kLocalExtra_bytes + kExtraFrame_bytes)).add_text(name);
  header.add(kZip64Extra).add(kLocalExtra_bytes).add(entry.num_bytes).add(entry.num_bytes);
  file_.write(header.bytes());
  for (const auto& part : parts) file_.write(part);
  added_.push_back(std::move(entry));
}

void ZipWriter::write_directory_entry(const Added& entry) {
  ZipRecord header;
  header.add(kZipDirectoryHeader).add(kZipVersion).add(kZipVersion).add(kUtf8Names).add(kZipStored).add(kNoTime);
  header.add(entry.crc).add(kZipBeyond32).add(kZipBeyond32).add(static_cast<std::uint16_t>(entry.name.size()));
  header.add(static_cast<std::uint16_t>(kDirectoryExtra_bytes + kExtraFrame_bytes));
  header.add(std::uint16_t{0}).add(std::uint16_t{0}).add(std::uint16_t{0}).add(std::uint32_t{0});  // no comment
  header.add(kZipBeyond32).add_text(entry.name);
  header.add(kZip64Extra).add(kDirectoryExtra_bytes).add(entry.num_bytes).add(entry.num_bytes).add(entry.offset_bytes);
  file_.write(header.bytes());
}

void ZipWriter::commit() {
  const std::uint64_t start = file_.position();
  for (const Added& entry : added_) write_directory_entry(entry);
  const std::uint64_t num_bytes = file_.position() - start;
  const std::uint64_t zip64_end = file_.position();
  const std::uint64_t count = added_.size();
  constexpr std::uint64_t kRestOfZip64End_bytes = 44;
  ZipRecord end;
  end.add(kZip64End)
      .add(kRestOfZip64End_bytes)
      .add(kZipVersion)
      .add(kZipVersion)
      .add(std::uint32_t{0})
      .add(std::uint32_t{0});
  end.add(count).add(count).add(num_bytes).add(start);
  end.add(kZip64Locator).add(std::uint32_t{0}).add(zip64_end).add(std::uint32_t{1});
  end.add(kZipEnd).add(std::uint16_t{0}).add(std::uint16_t{0}).add(kZipBeyond16).add(kZipBeyond16);
  end.add(kZipBeyond32).add(kZipBeyond32).add(std::uint16_t{0});
  file_.write(end.bytes());
  file_.commit();
}

}  // namespace ditscale::worker
