#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "common/error.hpp"

namespace ditscale::worker {

// Numbers of the zip format (PKWARE's APPNOTE, sections 4.3 and 4.5): stored, never renumber.
inline constexpr std::uint32_t kZipLocalHeader = 0x04034b50;
inline constexpr std::uint32_t kZipDirectoryHeader = 0x02014b50;
inline constexpr std::uint32_t kZipEnd = 0x06054b50;
inline constexpr std::uint32_t kZip64End = 0x06064b50;
inline constexpr std::uint32_t kZip64Locator = 0x07064b50;
inline constexpr std::uint16_t kZip64Extra = 1;
inline constexpr std::uint16_t kZipStored = 0;
inline constexpr std::uint16_t kZipDeflated = 8;
/// "See the zip64 field."
inline constexpr std::uint32_t kZipBeyond32 = 0xffffffff;
inline constexpr std::uint16_t kZipBeyond16 = 0xffff;

/// Takes little-endian numbers off the front of a text; running out of it is CorruptData.
class ByteReader {
 public:
  ByteReader(std::string_view bytes, std::string label) : bytes_(bytes), label_(std::move(label)) {}

  template <typename T>
  T number() {
    T value{};
    std::memcpy(&value, text(sizeof(T)).data(), sizeof(T));
    return value;
  }
  std::string_view text(std::uint64_t count) {
    if (count > bytes_.size())
      throw common::CorruptData(fmt::format("{}: {} bytes are needed, {} are left", label_, count, bytes_.size()));
    const std::string_view result = bytes_.substr(0, count);
    bytes_.remove_prefix(count);
    return result;
  }
  void skip(std::uint64_t count) { (void)text(count); }
  [[nodiscard]] std::size_t left() const { return bytes_.size(); }

 private:
  std::string_view bytes_;
  std::string label_;
};

}  // namespace ditscale::worker
