#include "orchestrator/messages/mailbox.hpp"

#include <cstdint>
#include <utility>

#include <sys/eventfd.h>
#include <unistd.h>

#include "common/error.hpp"

namespace ditscale::orchestrator {

namespace {

std::size_t bytes_of(const Message& message) {
  const auto* lines = std::get_if<LinesMessage>(&message);
  return lines != nullptr ? lines->lines.size() : 0;
}

}  // namespace

Mailbox::Mailbox() : bell_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
  if (!bell_.valid()) throw common::errno_error("eventfd", "between coordinator and agent");
}

void Mailbox::put(Message message) {
  {
    const std::scoped_lock lock(mutex_);
    waiting_bytes_ += bytes_of(message);
    messages_.push_back(std::move(message));
  }
  ring();
}

void Mailbox::fail(std::exception_ptr error) {
  {
    const std::scoped_lock lock(mutex_);
    error_ = std::move(error);
  }
  ring();
}

std::optional<Message> Mailbox::take() {
  const std::scoped_lock lock(mutex_);
  if (messages_.empty() && error_) std::rethrow_exception(error_);
  if (messages_.empty()) return std::nullopt;
  Message message = std::move(messages_.front());
  messages_.pop_front();
  waiting_bytes_ -= bytes_of(message);
  return message;
}

std::size_t Mailbox::waiting_bytes() {
  const std::scoped_lock lock(mutex_);
  return waiting_bytes_;
}

void Mailbox::hush() const noexcept {
  std::uint64_t count = 0;
  [[maybe_unused]] const ssize_t ignored = ::read(bell_.get(), &count, sizeof count);
}

void Mailbox::ring() const noexcept {
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t ignored = ::write(bell_.get(), &one, sizeof one);
}

}  // namespace ditscale::orchestrator
