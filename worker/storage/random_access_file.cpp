#include "worker/storage/random_access_file.hpp"

#include <algorithm>
#include <cerrno>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/error.hpp"

namespace ditscale::worker {

using common::CorruptData;

RandomAccessFile::RandomAccessFile(common::FileDescriptor fd, std::uint64_t size_bytes, std::string label)
    : fd_(std::move(fd)), size_bytes_(size_bytes), label_(std::move(label)) {}

RandomAccessFile RandomAccessFile::open(const std::filesystem::path& path) {
  // Without O_NONBLOCK a pipe would wait for its writer.
  common::FileDescriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!fd.valid()) throw common::errno_error("open", path.string());
  struct stat info {};
  if (::fstat(fd.get(), &info) != 0) throw common::errno_error("stat", path.string());
  if (!S_ISREG(info.st_mode))
    throw common::SystemError(fmt::format("read {}: it is no ordinary file, one is needed", path.string()));
  return {std::move(fd), static_cast<std::uint64_t>(info.st_size), path.string()};
}

void RandomAccessFile::read(std::uint64_t offset, std::span<std::byte> out) const {
  if (offset > size_bytes_ || out.size() > size_bytes_ - offset) {
    throw CorruptData(fmt::format("{}: {} bytes are needed from byte {} on, the file has {}", label_, out.size(),
                                  offset, size_bytes_));
  }
  constexpr std::size_t kMaxStep_bytes = std::size_t{1} << 30;
  while (!out.empty()) {
    const ssize_t got =
        ::pread(fd_.get(), out.data(), std::min(out.size(), kMaxStep_bytes), static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw common::errno_error("read", label_);
    if (got == 0) throw CorruptData(fmt::format("{}: it became shorter while it was read", label_));
    out = out.subspan(static_cast<std::size_t>(got));
    offset += static_cast<std::uint64_t>(got);
  }
}

std::string RandomAccessFile::read_text(std::uint64_t offset, std::uint64_t count) const {
  if (offset > size_bytes_ || count > size_bytes_ - offset) {
    throw CorruptData(
        fmt::format("{}: {} bytes are needed from byte {} on, the file has {}", label_, count, offset, size_bytes_));
  }
  std::string text(count, '\0');
  read(offset, std::as_writable_bytes(std::span(text)));
  return text;
}

}  // namespace ditscale::worker
