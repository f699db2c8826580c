#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <zlib.h>

namespace ditscale::worker {

/// One entry of an archive put together by hand, so that each field can lie.
struct HandmadeEntry {
  std::string name;
  std::string packed;
  std::uint32_t num_bytes = 0;
  std::uint32_t crc = 0;
  std::uint16_t method = 0;
  std::uint16_t flags = 0;
  /// What the directory says of where the entry begins; absent (negative): the truth.
  std::int64_t place = -1;
  /// What the entry's own header says its name is; empty: the truth.
  std::string local_name = {};
};

inline std::uint32_t crc_of(const std::string& bytes) {
  return static_cast<std::uint32_t>(
      crc32(0, reinterpret_cast<const Bytef*>(bytes.data()), static_cast<uInt>(bytes.size())));
}

inline HandmadeEntry stored(const std::string& name, const std::string& bytes) {
  return {name, bytes, static_cast<std::uint32_t>(bytes.size()), crc_of(bytes)};
}

/// The same, packed by zlib as zip has it.
inline HandmadeEntry deflated(const std::string& name, const std::string& bytes) {
  z_stream stream{};
  deflateInit2(&stream, 9, Z_DEFLATED, -MAX_WBITS, 9, Z_DEFAULT_STRATEGY);
  std::string packed(deflateBound(&stream, static_cast<uLong>(bytes.size())), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  deflate(&stream, Z_FINISH);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  return {name, packed, static_cast<std::uint32_t>(bytes.size()), crc_of(bytes), 8};
}

template <typename T>
void append(std::string& out, T value) {
  out.append(reinterpret_cast<const char*>(&value), sizeof value);
}

/// The fields that an entry's own header and the directory share.
inline void append_common(std::string& out, const HandmadeEntry& entry, std::size_t name_bytes) {
  append(out, entry.flags);
  append(out, entry.method);
  append(out, std::uint32_t{0});
  append(out, entry.crc);
  append(out, static_cast<std::uint32_t>(entry.packed.size()));
  append(out, entry.num_bytes);
  append(out, static_cast<std::uint16_t>(name_bytes));
  append(out, std::uint16_t{0});
}

/// An archive of the format's first version (APPNOTE 4.3), with `comment` at its end.
inline std::string handmade_zip(const std::vector<HandmadeEntry>& entries, const std::string& comment = "") {
  std::string out, directory;
  for (const HandmadeEntry& entry : entries) {
    const auto place =
        static_cast<std::uint32_t>(entry.place < 0 ? static_cast<std::int64_t>(out.size()) : entry.place);
    const std::string& local_name = entry.local_name.empty() ? entry.name : entry.local_name;
    append(out, std::uint32_t{0x04034b50});
    append(out, std::uint16_t{20});
    append_common(out, entry, local_name.size());
    out += local_name + entry.packed;
    append(directory, std::uint32_t{0x02014b50});
    append(directory, std::uint32_t{20 | 20 << 16});
    append_common(directory, entry, entry.name.size());
    directory += std::string(10, '\0');
    append(directory, place);
    directory += entry.name;
  }
  const auto start = static_cast<std::uint32_t>(out.size());
  out += directory;
  append(out, std::uint32_t{0x06054b50});
  append(out, std::uint32_t{0});
  append(out, static_cast<std::uint16_t>(entries.size()));
  append(out, static_cast<std::uint16_t>(entries.size()));
  append(out, static_cast<std::uint32_t>(directory.size()));
  append(out, start);
  append(out, static_cast<std::uint16_t>(comment.size()));
  return out + comment;
}

}  // namespace ditscale::worker
