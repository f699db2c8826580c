#include "orchestrator/agent/event_pipe.hpp"

#include <cstdlib>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/error.hpp"

namespace ditscale::orchestrator {

namespace fs = std::filesystem;

EventPipe::EventPipe() {
  std::error_code gone;
  const fs::path temporary = fs::temp_directory_path(gone);
  if (gone) throw common::SystemError("a gang's pipe needs the folder for temporary files (TMPDIR): " + gone.message());
  std::string folder = (temporary / "ditscale-XXXXXX").string();
  if (::mkdtemp(folder.data()) == nullptr) throw common::errno_error("make a folder", folder);
  path_ = fs::path(folder) / "events";
  if (::mkfifo(path_.c_str(), 0600) != 0) throw common::errno_error("make a named pipe", path_.string());
  read_end_ = common::FileDescriptor(::open(path_.c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC));
  if (!read_end_.valid()) throw common::errno_error("open", path_.string());
}

EventPipe::~EventPipe() { remove_name(); }

void EventPipe::remove_name() noexcept {
  if (path_.empty()) return;
  std::error_code ignored;
  fs::remove_all(path_.parent_path(), ignored);
  path_.clear();
}

EventPipe::EventPipe(EventPipe&& other) noexcept
    : path_(std::exchange(other.path_, {})), read_end_(std::move(other.read_end_)) {}

}  // namespace ditscale::orchestrator
