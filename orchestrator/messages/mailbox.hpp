#pragma once

#include <cstddef>
#include <deque>
#include <exception>
#include <mutex>
#include <optional>

#include "common/file_descriptor.hpp"
#include "orchestrator/messages/messages.hpp"

namespace ditscale::orchestrator {

/// Messages from one thread to another, in order.
class Mailbox {
 public:
  /// Throws SystemError.
  Mailbox();

  /// Wakes who sleeps on `fd`.
  void put(Message message);
  /// The sender is gone: once the last message is taken, `take` throws this.
  void fail(std::exception_ptr error);
  [[nodiscard]] std::optional<Message> take();
  /// Of the trainers' lines that nobody has taken.
  [[nodiscard]] std::size_t waiting_bytes();

  /// Readable once something was put.
  [[nodiscard]] int fd() const { return bell_.get(); }
  /// Forgets what was put so far. Take messages after this, not before.
  void hush() const noexcept;

 private:
  void ring() const noexcept;

  common::FileDescriptor bell_;
  std::mutex mutex_;
  std::deque<Message> messages_;
  std::size_t waiting_bytes_ = 0;
  std::exception_ptr error_;
};

}  // namespace ditscale::orchestrator
