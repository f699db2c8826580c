#include "worker/training/event_log.hpp"

#include <algorithm>
#include <cerrno>
#include <fstream>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/clock.hpp"
#include "common/error.hpp"

namespace ditscale::worker {

namespace {

/// One more than the events already there; a last line that a kill cut short is closed off.
std::int64_t next_number_in(const std::filesystem::path& file, bool& cut) {
  std::ifstream in(file);
  std::int64_t next = 1;
  cut = false;
  for (std::string line; std::getline(in, line);) {
    cut = in.eof();
    try {
      next = std::max(next, common::Event::from_line(line).number + 1);
    } catch (const common::CorruptData&) {
      // A line that a kill cut short; what follows is numbered after the last whole one.
    }
  }
  return next;
}

bool must_be_durable(const std::string& kind) {
  return kind == "checkpoint" || kind == "evaluation" || kind == "outcome";
}

}  // namespace

common::FileDescriptor open_event_pipe(const std::filesystem::path& pipe) {
  // Without a reader a blocking open would wait for one for ever; writes may wait, as in the pipe of a lone trainer.
  common::FileDescriptor fd(::open(pipe.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC));
  if (!fd.valid() && errno == ENXIO)
    throw common::SystemError(fmt::format("open {}: nobody reads this pipe", pipe.string()));
  if (!fd.valid()) throw common::errno_error("open", pipe.string());
  struct stat facts {};
  if (::fstat(fd.get(), &facts) != 0) throw common::errno_error("stat", pipe.string());
  if (!S_ISFIFO(facts.st_mode)) throw common::SystemError(fmt::format("open {}: not a named pipe", pipe.string()));
  if (::fcntl(fd.get(), F_SETFL, O_WRONLY) != 0) throw common::errno_error("fcntl", pipe.string());
  return fd;
}

EventLog::EventLog(const std::filesystem::path& file, int pipe, double quiet_s)
    : file_(file.string()), pipe_(pipe), quiet_s_(quiet_s) {
  bool cut = false;
  next_number_ = next_number_in(file, cut);
  fd_ = common::FileDescriptor(::open(file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644));
  if (!fd_.valid()) throw common::errno_error("open", file_);
  if (cut && ::write(fd_.get(), "\n", 1) != 1) throw common::errno_error("write", file_);
}

void EventLog::append(const std::string& kind, common::Json body) {
  const std::lock_guard lock(mutex_);
  write(kind, std::move(body));
}

void EventLog::say_alive(common::Json body) {
  const std::lock_guard lock(mutex_);
  if (common::SystemClock().monotonic_s() - last_word_s_ >= quiet_s_) write("alive", std::move(body));
}

void EventLog::write(const std::string& kind, common::Json body) {
  last_word_s_ = common::SystemClock().monotonic_s();
  common::Event event;
  event.number = next_number_++;
  event.time_s = common::SystemClock().unix_s();
  event.kind = kind;
  event.body = std::move(body);
  const std::string line = event.to_line() + "\n";
  // One write of one line: readers never see two lines mixed.
  const ssize_t written = ::write(fd_.get(), line.data(), line.size());
  const int code = errno;
  if (written != static_cast<ssize_t>(line.size())) {
    // Half a line must not swallow the next one.
    if (written > 0 && ::ftruncate(fd_.get(), ::lseek(fd_.get(), 0, SEEK_END) - written) != 0)
      throw common::errno_error("truncate", file_);
    --next_number_;
    const common::SystemError refused = common::errno_error("write", file_, written < 0 ? code : ENOSPC);
    // The last word must arrive: that it is the disk which fails.
    if (kind == "outcome") send_to_pipe(line);
    throw refused;
  }
  if (must_be_durable(kind) && ::fsync(fd_.get()) != 0) throw common::errno_error("fsync", file_);
  send_to_pipe(line);
}

void EventLog::send_to_pipe(const std::string& line) noexcept {
  std::size_t sent = 0;
  while (pipe_ >= 0 && sent < line.size()) {
    const ssize_t written = ::write(pipe_, line.data() + sent, line.size() - sent);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) pipe_ = -1;  // the agent is gone: the file has it all
    if (written > 0) sent += static_cast<std::size_t>(written);
  }
}

}  // namespace ditscale::worker
