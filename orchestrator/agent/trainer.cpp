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

/// Where a trainer finds the pipe to its agent.
constexpr int kEventFd = 3;
/// Another trainer's turn comes after this much.
constexpr std::size_t kMostAtOnce_bytes = std::size_t{1} << 20;
/// As much of a log as its last lines can need.
constexpr std::streamoff kTailBytes = 8192;

std::map<std::string, std::string> environment_of(const StartMessage& order, const TrainerSettings& settings) {
  std::map<std::string, std::string> environment{
      {"CUDA_VISIBLE_DEVICES", fmt::format("{}", fmt::join(order.devices.gpus, ","))},
      {"OMP_NUM_THREADS", std::to_string(order.devices.cpus.size())}};
  if (settings.gpus_by_bus) environment["CUDA_DEVICE_ORDER"] = "PCI_BUS_ID";
  return environment;
}

common::SpawnOptions spawn_options(const StartMessage& order, const TrainerSettings& settings) {
  const common::TrialPaths paths{order.folder};
  common::SpawnOptions options;
  options.argv = {settings.worker.string(),
                  "train",
                  paths.trial_json().string(),
                  "--folder",
                  paths.folder.string(),
                  "--attempt",
                  std::to_string(common::to_int(order.attempt)),
                  "--event-fd",
                  std::to_string(kEventFd),
                  "--threads",
                  std::to_string(order.devices.cpus.size())};
  options.environment = environment_of(order, settings);
  options.removed_prefixes = {"OMPI_", "PMIX_", "PRTE_", "PMI_"};
  options.log = paths.log(order.attempt);
  options.cpus = order.devices.cpus;
  options.parent_death_signal = SIGTERM;
  options.event_fd = kEventFd;
  return options;
}

}  // namespace

Trainer Trainer::start(const StartMessage& order, const TrainerSettings& settings, double now_s) {
  return {order, settings.silence_s, common::ChildProcess::spawn(spawn_options(order, settings)), now_s};
}

std::size_t Trainer::read(double now_s) {
  char chunk[1 << 16];
  std::size_t total = 0;
  while (!pipe_closed_ && total < kMostAtOnce_bytes) {
    const ssize_t got = ::read(event_fd(), chunk, sizeof chunk);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) break;
    pipe_closed_ = got == 0;
    last_word_s_ = now_s;
    total += static_cast<std::size_t>(got);
    unsent_.append(chunk, static_cast<std::size_t>(got));
  }
  return total;
}

std::vector<std::string> Trainer::take_lines() {
  std::vector<std::string> lines;
  std::size_t start = 0;
  for (std::size_t end = unsent_.find('\n'); end != std::string::npos; end = unsent_.find('\n', start)) {
    lines.push_back(unsent_.substr(start, end - start));
    start = end + 1;
  }
  unsent_.erase(0, start);
  return lines;
}

void Trainer::watch_silence(double now_s) {
  if (silent_s_ || now_s - last_word_s_ < silence_limit_s_) return;
  silent_s_ = now_s - last_word_s_;
  child_.signal_group(SIGKILL);
}

void Trainer::stop(bool kill) { child_.signal_group(kill ? SIGKILL : SIGTERM); }

std::optional<EndedMessage> Trainer::poll() {
  const auto status = child_.poll();
  if (!status) return std::nullopt;
  EndedMessage ended;
  ended.trial = order_.trial;
  ended.attempt = order_.attempt;
  ended.code = status->code;
  ended.signal = status->signal;
  ended.how = status->text();
  ended.silent_s = silent_s_;
  ended.log_tail = last_lines(common::TrialPaths{order_.folder}.log(order_.attempt), kQuotedLogLines);
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
