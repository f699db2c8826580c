#include "orchestrator/coordinator/event_file.hpp"

#include <algorithm>
#include <fstream>
#include <string>
#include <string_view>

#include "common/error.hpp"

namespace ditscale::orchestrator {

namespace {

/// How much is read at first, and how much more each time.
constexpr std::streamoff kFirst_bytes = 4096;
constexpr std::streamoff kGrowth = 8;

/// The last `bytes` of the file, from the start of a line on.
std::string tail_of(std::ifstream& stream, const std::filesystem::path& path, std::streamoff size,
                    std::streamoff bytes) {
  std::string text(static_cast<std::size_t>(bytes), '\0');
  stream.seekg(size - bytes);
  if (!stream.read(text.data(), bytes)) throw common::SystemError(fmt::format("read {}: it failed", path.string()));
  return bytes == size ? text : text.substr(std::min(text.find('\n'), text.size() - 1) + 1);
}

EventFile events_in(std::string_view text) {
  EventFile file;
  std::size_t start = 0;
  for (std::size_t end = text.find('\n'); end != std::string_view::npos; end = text.find('\n', start)) {
    try {
      file.events.push_back(common::Event::from_line(text.substr(start, end - start)));
    } catch (const common::CorruptData&) {
      ++file.num_unreadable;
    }
    start = end + 1;
  }
  return file;
}

}  // namespace

EventFile read_event_file(const std::filesystem::path& path, std::int64_t after) {
  std::ifstream stream(path, std::ios::binary | std::ios::ate);
  if (!stream && (errno == ENOENT || errno == ENOTDIR)) return {};
  if (!stream) throw common::errno_error("open", path.string());
  std::error_code unknown;
  if (std::filesystem::is_directory(path, unknown))
    throw common::SystemError(fmt::format("read {}: it is a folder", path.string()));
  const std::streamoff size = stream.tellg();
  EventFile file;
  for (std::streamoff bytes = after > 0 ? std::min(kFirst_bytes, size) : size;;
       bytes = std::min(bytes * kGrowth, size)) {
    file = events_in(tail_of(stream, path, size, bytes));
    const bool reached = !file.events.empty() && file.events.front().number <= after;
    if (bytes == size || reached) break;
  }
  std::erase_if(file.events, [&](const common::Event& event) { return event.number <= after; });
  return file;
}

}  // namespace ditscale::orchestrator
