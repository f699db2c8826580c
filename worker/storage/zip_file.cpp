#include "worker/storage/zip_file.hpp"

#include <algorithm>
#include <utility>

#include "common/error.hpp"
#include "common/json_document.hpp"
#include "worker/storage/zip_format.hpp"

namespace ditscale::worker {

using common::CorruptData;

namespace {

constexpr std::uint64_t kEndRecord_bytes = 22;
constexpr std::uint64_t kMaxComment_bytes = 65'535;
constexpr std::uint64_t kLocator_bytes = 20;
constexpr std::uint64_t kZip64EndRecord_bytes = 56;
constexpr std::uint64_t kLocalHeader_bytes = 30;
constexpr std::uint64_t kDirectoryHeader_bytes = 46;
constexpr std::uint64_t kMaxDirectory_bytes = std::uint64_t{64} << 20;
/// Deflate's best: 258 bytes out of two bits, and a little for the stream's frame.
constexpr std::uint64_t kMaxInflation = 1032;
constexpr std::uint16_t kEncrypted = 1;

[[noreturn]] void fail(const RandomAccessFile& file, const std::string& reason) {
  throw CorruptData(fmt::format("{}: {}", file.label(), reason));
}

struct ZipDirectory {
  std::uint64_t num_entries = 0;
  std::uint64_t num_bytes = 0;
  std::uint64_t offset_bytes = 0;
  /// Where what follows the entries begins.
  std::uint64_t end_bytes = 0;
};

/// The zip64 record, whose place stands right before the ordinary end record.
ZipDirectory read_zip64_end(const RandomAccessFile& file, std::uint64_t end_record) {
  if (end_record < kLocator_bytes) fail(file, "its zip64 locator is missing");
  const std::string locator_text = file.read_text(end_record - kLocator_bytes, kLocator_bytes);
  ByteReader locator(locator_text, file.label());
  if (locator.number<std::uint32_t>() != kZip64Locator) fail(file, "its zip64 locator is missing");
  locator.skip(4);
  const auto place = locator.number<std::uint64_t>();
  const std::string text = file.read_text(place, kZip64EndRecord_bytes);
  ByteReader end(text, file.label());
  if (end.number<std::uint32_t>() != kZip64End) fail(file, "its zip64 end record is not where it should be");
  end.skip(8 + 2 + 2 + 4 + 4 + 8);
  ZipDirectory directory;
  directory.num_entries = end.number<std::uint64_t>();
  directory.num_bytes = end.number<std::uint64_t>();
  directory.offset_bytes = end.number<std::uint64_t>();
  directory.end_bytes = place;
  return directory;
}

bool has_zip64_locator(const RandomAccessFile& file, std::uint64_t end_record) {
  if (end_record < kLocator_bytes) return false;
  const std::string text = file.read_text(end_record - kLocator_bytes, sizeof kZip64Locator);
  return ByteReader(text, file.label()).number<std::uint32_t>() == kZip64Locator;
}

ZipDirectory read_end(const RandomAccessFile& file, std::uint64_t place, std::string_view record) {
  ByteReader end(record, file.label());
  end.skip(4);
  const auto disk = end.number<std::uint16_t>();
  const auto first_disk = end.number<std::uint16_t>();
  end.skip(2);
  ZipDirectory directory;
  directory.num_entries = end.number<std::uint16_t>();
  directory.num_bytes = end.number<std::uint32_t>();
  directory.offset_bytes = end.number<std::uint32_t>();
  directory.end_bytes = place;
  const bool beyond = directory.num_entries == kZipBeyond16 || directory.num_bytes == kZipBeyond32 ||
                      directory.offset_bytes == kZipBeyond32;
  // PyTorch writes the zip64 record always, between directory and end record.
  if (beyond || has_zip64_locator(file, place)) return read_zip64_end(file, place);
  if (disk != 0 || first_disk != 0) fail(file, "a zip archive in several parts is not read");
  return directory;
}

/// Finds the end record from behind: only a comment may follow it.
ZipDirectory find_directory(const RandomAccessFile& file) {
  const std::uint64_t tail_bytes = std::min(file.size_bytes(), kEndRecord_bytes + kMaxComment_bytes);
  const std::string tail = file.read_text(file.size_bytes() - tail_bytes, tail_bytes);
  const std::string_view signature("PK\x05\x06", 4);
  for (std::size_t at = tail.rfind(signature); at != std::string::npos; at = tail.rfind(signature, at - 1)) {
    const std::uint64_t left = tail.size() - at;
    if (left >= kEndRecord_bytes) {
      std::uint16_t comment_bytes = 0;
      std::memcpy(&comment_bytes, tail.data() + at + kEndRecord_bytes - 2, sizeof comment_bytes);
      if (left == kEndRecord_bytes + comment_bytes) {
        return read_end(file, file.size_bytes() - left, std::string_view(tail).substr(at, kEndRecord_bytes));
      }
    }
    if (at == 0) break;
  }
  fail(file, "no whole zip archive: its directory's end record is missing (is the file cut short?)");
}

/// Takes from the zip64 field what did not fit into 32 bits.
void read_zip64_extra(ByteReader extra, ZipEntry& entry, std::uint64_t& local_header) {
  while (extra.left() >= 4) {
    const auto kind = extra.number<std::uint16_t>();
    const auto size = extra.number<std::uint16_t>();
    ByteReader field(extra.text(size), "zip64 field");
    if (kind != kZip64Extra) continue;
    if (entry.num_bytes == kZipBeyond32) entry.num_bytes = field.number<std::uint64_t>();
    if (entry.packed_bytes == kZipBeyond32) entry.packed_bytes = field.number<std::uint64_t>();
    if (local_header == kZipBeyond32) local_header = field.number<std::uint64_t>();
    return;
  }
}

/// The data stands behind the entry's own header, whose length only that header knows.
void locate_data(const RandomAccessFile& file, const std::string& name, std::uint64_t local_header,
                 std::uint64_t directory_offset, ZipEntry& entry) {
  const std::string text = file.read_text(local_header, kLocalHeader_bytes);
  ByteReader header(text, file.label());
  if (header.number<std::uint32_t>() != kZipLocalHeader)
    fail(file, fmt::format("{}: its header is not where the directory says", common::valid_utf8(name)));
  header.skip(22);
  const auto name_bytes = header.number<std::uint16_t>();
  const auto extra_bytes = header.number<std::uint16_t>();
  if (file.read_text(local_header + kLocalHeader_bytes, name_bytes) != name)
    fail(file, fmt::format("{}: its header and the directory name it differently", common::valid_utf8(name)));
  entry.offset_bytes = local_header + kLocalHeader_bytes + name_bytes + extra_bytes;
  if (entry.offset_bytes > directory_offset || entry.packed_bytes > directory_offset - entry.offset_bytes)
    fail(file,
         fmt::format("{}: its {} bytes are not inside the archive", common::valid_utf8(name), entry.packed_bytes));
}

void check_sizes(const RandomAccessFile& file, const std::string& name, const ZipEntry& entry) {
  const bool possible =
      entry.deflated ? entry.num_bytes / kMaxInflation <= entry.packed_bytes : entry.num_bytes == entry.packed_bytes;
  if (!possible) {
    fail(file, fmt::format("{}: {} packed bytes cannot unpack to {}", common::valid_utf8(name), entry.packed_bytes,
                           entry.num_bytes));
  }
}

std::pair<std::string, ZipEntry> read_entry(const RandomAccessFile& file, const ZipDirectory& place,
                                            ByteReader& directory) {
  if (directory.number<std::uint32_t>() != kZipDirectoryHeader) fail(file, "its directory is damaged");
  directory.skip(4);
  const auto flags = directory.number<std::uint16_t>();
  const auto method = directory.number<std::uint16_t>();
  directory.skip(4);
  ZipEntry entry;
  entry.crc = directory.number<std::uint32_t>();
  entry.packed_bytes = directory.number<std::uint32_t>();
  entry.num_bytes = directory.number<std::uint32_t>();
  const auto name_bytes = directory.number<std::uint16_t>();
  const auto extra_bytes = directory.number<std::uint16_t>();
  const auto comment_bytes = directory.number<std::uint16_t>();
  directory.skip(8);
  std::uint64_t local_header = directory.number<std::uint32_t>();
  const std::string name(directory.text(name_bytes));
  read_zip64_extra(ByteReader(directory.text(extra_bytes), file.label()), entry, local_header);
  directory.skip(comment_bytes);
  if ((flags & kEncrypted) != 0)
    fail(file, fmt::format("{}: encrypted entries are not read", common::valid_utf8(name)));
  if (method != kZipStored && method != kZipDeflated) {
    fail(file,
         fmt::format("{}: packing method {} is not read; allowed: stored, deflated", common::valid_utf8(name), method));
  }
  entry.deflated = method == kZipDeflated;
  check_sizes(file, name, entry);
  locate_data(file, name, local_header, place.offset_bytes, entry);
  return {name, entry};
}

void check_no_overlap(const RandomAccessFile& file, const std::map<std::string, ZipEntry>& entries) {
  std::vector<const ZipEntry*> sorted;
  for (const auto& item : entries) sorted.push_back(&item.second);
  const auto place = [](const ZipEntry* e) { return std::pair(e->offset_bytes, e->packed_bytes); };
  std::sort(sorted.begin(), sorted.end(), [&](const auto* a, const auto* b) { return place(a) < place(b); });
  for (std::size_t i = 1; i < sorted.size(); ++i) {
    if (sorted[i - 1]->offset_bytes + sorted[i - 1]->packed_bytes > sorted[i]->offset_bytes)
      fail(file, "its entries overlap");
  }
}

}  // namespace

ZipFile ZipFile::open(const std::filesystem::path& path) {
  ZipFile result(RandomAccessFile::open(path));
  const ZipDirectory place = find_directory(result.file_);
  if (place.num_bytes > kMaxDirectory_bytes || place.num_entries > place.num_bytes / kDirectoryHeader_bytes ||
      place.offset_bytes > place.end_bytes || place.num_bytes != place.end_bytes - place.offset_bytes) {
    fail(result.file_, fmt::format("its directory of {} entries and {} bytes cannot stand at byte {}",
                                   place.num_entries, place.num_bytes, place.offset_bytes));
  }
  const std::string text = result.file_.read_text(place.offset_bytes, place.num_bytes);
  ByteReader directory(text, result.label() + " (directory)");
  for (std::uint64_t i = 0; i < place.num_entries; ++i) {
    auto [name, entry] = read_entry(result.file_, place, directory);
    if (!result.entries_.emplace(name, entry).second)
      fail(result.file_, fmt::format("{} stands twice", common::valid_utf8(name)));
    result.names_.push_back(std::move(name));
  }
  if (directory.left() != 0) fail(result.file_, "its directory has more bytes than entries");
  check_no_overlap(result.file_, result.entries_);
  return result;
}

const ZipEntry& ZipFile::entry(const std::string& name) const {
  const auto found = entries_.find(name);
  if (found == entries_.end()) throw CorruptData(fmt::format("{}: no entry {}", label(), common::valid_utf8(name)));
  return found->second;
}

std::string ZipFile::read_text(const std::string& name, std::uint64_t max_bytes) const {
  const std::uint64_t num_bytes = entry(name).num_bytes;
  if (num_bytes > max_bytes) {
    fail(file_, fmt::format("{}: {} bytes, at most {} are expected", common::valid_utf8(name), num_bytes, max_bytes));
  }
  std::string text(num_bytes, '\0');
  ZipStream in = stream(name);
  in.read(std::as_writable_bytes(std::span(text)));
  in.expect_end();
  return text;
}

}  // namespace ditscale::worker
