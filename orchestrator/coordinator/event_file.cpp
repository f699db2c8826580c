#include "orchestrator/coordinator/event_file.hpp"

#include "common/atomic_file.hpp"
#include "common/error.hpp"

namespace ditscale::orchestrator {

EventFile read_event_file(const std::filesystem::path& path) {
  EventFile file;
  std::error_code missing;
  if (!std::filesystem::exists(path, missing)) return file;
  const std::string text = common::read_file(path);
  std::size_t start = 0;
  for (std::size_t end = text.find('\n'); end != std::string::npos; end = text.find('\n', start)) {
    try {
      file.events.push_back(common::Event::from_line(text.substr(start, end - start)));
    } catch (const common::CorruptData&) {
      ++file.num_unreadable;
    }
    start = end + 1;
  }
  return file;
}

}  // namespace ditscale::orchestrator
