#include "orchestrator/agent/trainer.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <fstream>

#include <fmt/ranges.h>
#include <unistd.h>

#include "common/error.hpp"
#include "common/trial_paths.hpp"
#include "orchestrator/coordinator/policy.hpp"

namespace ditscale::orchestrator {

namespace {

/// Another trainer's turn comes after this much.
constexpr std::size_t kMostAtOnce_bytes = std::size_t{1} << 20;
/// As much of a log as its last lines can need.
constexpr std::streamoff kTailBytes = 8192;

}  // namespace

Trainer Trainer::start(const StartMessage& order, const TrainerSettings& settings, double now_s) {
  if (num_processes(order.shares) == 1) {
    return {order, settings.silence_s, common::ChildProcess::spawn(single_trainer(order, settings)), std::nullopt,
            now_s};
  }
  EventPipe events;
  auto child = common::ChildProcess::spawn(gang_of_trainers(order, settings, events.path()));
  return {order, settings.silence_s, std::move(child), std::move(events), now_s};
}

std::size_t Trainer::read(double now_s) {
  char chunk[1 << 16];
  std::size_t total = 0;
  while (!pipe_closed_ && total < kMostAtOnce_bytes) {
    const ssize_t got = ::read(event_fd(), chunk, sizeof chunk);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) break;
    if (got == 0) pipe_closed_ = true;
    last_word_s_ = now_s;
    if (got > 0 && !std::exchange(has_spoken_, true) && gang_events_) gang_events_->remove_name();
    total += static_cast<std::size_t>(got);
    unsent_.append(chunk, static_cast<std::size_t>(got));
  }
  return total;
}

std::string Trainer::take_lines() {
  std::string rest = unsent_.substr(unsent_.rfind('\n') + 1);  // npos + 1 is 0
  unsent_.resize(unsent_.size() - rest.size());
  return std::exchange(unsent_, std::move(rest));
}

void Trainer::watch_silence(double now_s) {
  if (silent_s_ || now_s - last_word_s_ < silence_limit_s_) return;
  silent_s_ = now_s - last_word_s_;
  child_.signal_group(SIGKILL);
}

void Trainer::stop(bool kill) {
  const bool gang = gang_events_.has_value();
  child_.signal_group(kill ? SIGKILL : gang ? SIGUSR2 : SIGTERM);
}

void Trainer::leave() {
  stop(/*kill=*/false);
  child_.release();
}

std::optional<EndedMessage> Trainer::poll(double now_s) {
  const auto status = child_.poll();
  if (!status) return std::nullopt;
  read(now_s);
  EndedMessage ended;
  ended.trial = order_.trial;
  ended.attempt = order_.attempt;
  ended.code = status->code;
  ended.signal = status->signal;
  ended.how = status->text();
  ended.silent_s = silent_s_;
  ended.lines = take_lines();
  if (!has_spoken_) ended.log_tail = last_lines(common::TrialPaths{order_.folder}.log(order_.attempt), kQuotedLogLines);
  return ended;
}

std::string last_lines(const std::filesystem::path& file, int count) {
  std::ifstream stream(file, std::ios::binary | std::ios::ate);
  if (!stream) return {};
  stream.seekg(std::max<std::streamoff>(0, stream.tellg() - kTailBytes));
  std::vector<std::string> lines;
  for (std::string line; std::getline(stream, line);) {
    std::erase_if(line, [](unsigned char letter) { return letter < 0x20 || letter == 0x7f; });
    if (!line.empty()) lines.push_back(line);
  }
  const auto first = lines.end() - std::min<std::ptrdiff_t>(count, std::ssize(lines));
  return fmt::format("{}", fmt::join(first, lines.end(), " | "));
}

}  // namespace ditscale::orchestrator
