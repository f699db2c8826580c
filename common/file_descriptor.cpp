#include "common/file_descriptor.hpp"

#include <unistd.h>

namespace ditscale::common {

void FileDescriptor::reset() noexcept {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

}  // namespace ditscale::common
