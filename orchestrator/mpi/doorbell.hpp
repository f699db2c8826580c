#pragma once

#include <array>

#include "common/file_descriptor.hpp"

namespace ditscale::orchestrator {

/// Wakes a process of this host that sleeps: MPI can only be asked for messages, so without a bell a message waits
/// until its receiver looks. A ring is an empty datagram to a Unix socket. It may get lost, and no other host hears it,
/// so whoever sleeps still has to look at intervals.
class Doorbell {
 public:
  /// Where a bell is, as plain bytes that can be sent.
  struct Address {
    /// Hash of the kernel's start and of the network namespace: who shares both can ring.
    std::array<char, 16> place{};
    /// Name that the kernel gave the socket.
    std::array<char, 32> name{};
    unsigned name_length = 0;
  };

  /// Throws SystemError when there is no socket to be had.
  Doorbell();

  [[nodiscard]] const Address& address() const { return address_; }
  /// Readable once somebody has rung.
  [[nodiscard]] int fd() const { return socket_.get(); }
  /// Forgets all rings so far. Look for messages after this, not before.
  void hush() const noexcept;
  /// Wakes the owner of `bell`, or does nothing when it lives elsewhere.
  void ring(const Address& bell) const noexcept;

 private:
  common::FileDescriptor socket_;
  Address address_;
};

}  // namespace ditscale::orchestrator
