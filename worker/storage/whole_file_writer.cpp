#include "worker/storage/whole_file_writer.hpp"

#include <cerrno>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

#include "common/atomic_file.hpp"
#include "common/error.hpp"

namespace ditscale::worker {

WholeFileWriter::WholeFileWriter(std::filesystem::path path)
    : path_(std::move(path)),
      temporary_(common::temporary_name(path_)),
      fd_(::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644)) {
  if (!fd_.valid()) throw common::errno_error("create", temporary_.string());
}

WholeFileWriter::~WholeFileWriter() {
  if (!fd_.valid()) return;
  fd_.reset();
  ::unlink(temporary_.c_str());
}

void WholeFileWriter::write(std::span<const std::byte> bytes) {
  DITSCALE_CHECK(fd_.valid(), "{} is written after it was finished", path_.string());
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd_.get(), bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) throw common::errno_error("write", temporary_.string());
    bytes = bytes.subspan(static_cast<std::size_t>(written));
    position_ += static_cast<std::uint64_t>(written);
  }
}

void WholeFileWriter::commit() {
  common::publish_file(temporary_, path_);
  fd_.reset();
}

}  // namespace ditscale::worker
