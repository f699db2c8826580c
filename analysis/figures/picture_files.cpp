#include "analysis/figures/picture_files.hpp"

#include <algorithm>
#include <fstream>
#include <string>
#include <string_view>
#include <system_error>

#include <fmt/format.h>

#include "common/atomic_file.hpp"
#include "common/error.hpp"

namespace ditscale::analysis {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view kSvgEnd = "</svg>";
/// The PNG's last chunk: its length, its name, its checksum.
constexpr std::string_view kPngEnd{"\0\0\0\0IEND\xAE\x42\x60\x82", 12};
constexpr std::string_view kPdfEnd = "%%EOF";
/// Longer than any of these with the line ends after it.
constexpr std::streamoff kTail_bytes = 32;

std::string tail_of(const fs::path& file) {
  std::ifstream stream(file, std::ios::binary | std::ios::ate);
  const std::streamoff size = stream ? static_cast<std::streamoff>(stream.tellg()) : 0;
  std::string tail(static_cast<std::size_t>(std::min(size, kTail_bytes)), '\0');
  stream.seekg(size - static_cast<std::streamoff>(tail.size()));
  stream.read(tail.data(), static_cast<std::streamsize>(tail.size()));
  return tail.substr(0, tail.find_last_not_of("\r\n") + 1);
}

void require_whole(const fs::path& temporary, std::string_view end, const fs::path& file) {
  if (tail_of(temporary).ends_with(end)) return;
  throw common::SystemError(fmt::format("{}: gnuplot wrote only a part of it; is there room on the disk? (df {})",
                                        file.string(), file.has_parent_path() ? file.parent_path().string() : "."));
}

}  // namespace

PictureFiles PictureFiles::temporary() const {
  return {common::temporary_name(svg), common::temporary_name(png), common::temporary_name(pdf)};
}

void publish_pictures(const PictureFiles& files) {
  const PictureFiles written = files.temporary();
  require_whole(written.svg, kSvgEnd, files.svg);
  require_whole(written.png, kPngEnd, files.png);
  require_whole(written.pdf, kPdfEnd, files.pdf);
  common::publish_file(written.svg, files.svg);
  common::publish_file(written.png, files.png);
  common::publish_file(written.pdf, files.pdf);
}

void remove_temporary_pictures(const PictureFiles& files) {
  std::error_code ignored;
  const PictureFiles written = files.temporary();
  for (const fs::path& file : {written.svg, written.png, written.pdf}) fs::remove(file, ignored);
}

}  // namespace ditscale::analysis
