#include "orchestrator/mpi/doorbell.hpp"

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <string>

#include <sys/socket.h>
#include <sys/un.h>

#include "common/atomic_file.hpp"
#include "common/error.hpp"
#include "common/hash.hpp"

namespace ditscale::orchestrator {

Doorbell::Doorbell() : socket_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)) {
  sockaddr_un own{};
  own.sun_family = AF_UNIX;
  socklen_t length = sizeof own;
  // A bare family asks the kernel for a name of its own choice.
  if (!socket_.valid() || ::bind(socket_.get(), reinterpret_cast<const sockaddr*>(&own), sizeof own.sun_family) != 0 ||
      ::getsockname(socket_.get(), reinterpret_cast<sockaddr*>(&own), &length) != 0) {
    throw common::errno_error("bind", "the socket that wakes this process");
  }
  DITSCALE_CHECK(length <= address_.name.size(), "the kernel gave a socket a name of {} bytes", length);
  std::memcpy(address_.name.data(), &own, length);
  address_.name_length = length;
  std::error_code absent;
  const std::string network = std::filesystem::read_symlink("/proc/self/ns/net", absent).string();
  const std::string place = common::hash_hex64(common::read_file("/proc/sys/kernel/random/boot_id") + network);
  std::copy(place.begin(), place.end(), address_.place.begin());
}

void Doorbell::hush() const noexcept {
  char nothing = 0;
  while (::recv(socket_.get(), &nothing, sizeof nothing, 0) >= 0) {
  }
}

void Doorbell::ring(const Address& bell) const noexcept {
  if (bell.place != address_.place) return;
  ::sendto(socket_.get(), nullptr, 0, 0, reinterpret_cast<const sockaddr*>(bell.name.data()), bell.name_length);
}

}  // namespace ditscale::orchestrator
