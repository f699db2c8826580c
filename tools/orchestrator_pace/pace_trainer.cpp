// The programs that pace.py starts, in one that starts fast (nothing but the C library and what C++ needs of it):
//
//   pace_trainer train TRIAL --folder F --attempt N …   a trainer that computes nothing: PACE_ROWS metrics (0 when
//       unset), PACE_ROWS_PER_S of them a second (as fast as they are taken when unset), then success. Every line goes
//       to the attempt's file and to the pipe, as a real trainer's does.
//   pace_trainer loop COUNT SLOTS PROGRAM [ARGUMENT…]   starts PROGRAM COUNT times by posix_spawn, SLOTS at a time, and
//       prints the seconds that took.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <string>
#include <vector>

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

namespace {

double now_s(clockid_t clock) {
  timespec time{};
  ::clock_gettime(clock, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

double number_of(const char* name, double otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::atof(text);
}

[[noreturn]] void give_up(const char* what) {
  std::perror(what);
  std::exit(1);
}

void write_all(int fd, const std::string& text) {
  for (std::size_t done = 0; done < text.size();) {
    const ssize_t written = ::write(fd, text.data() + done, text.size() - done);
    if (written < 0) give_up("write");
    done += static_cast<std::size_t>(written);
  }
}

/// Collects event lines and hands them over in the sizes in which they came.
class Voice {
 public:
  Voice(const std::string& path, int pipe)
      : file_(::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644)), pipe_(pipe) {
    if (file_ < 0) give_up(path.c_str());
  }
  void add(const char* kind, const char* body) {
    char line[512];
    std::snprintf(line, sizeof line, "{\"v\":1,\"n\":%lld,\"t\":%.6f,\"kind\":\"%s\",\"body\":{%s}}\n", ++number_,
                  now_s(CLOCK_REALTIME), kind, body);
    text_ += line;
  }
  void say() {
    write_all(file_, text_);
    write_all(pipe_, text_);
    text_.clear();
  }

 private:
  int file_;
  int pipe_;
  long long number_ = 0;
  std::string text_;
};

void add_metric(Voice& voice, long long step, double start_s) {
  char body[384];
  std::snprintf(body, sizeof body,
                "\"step\":%lld,\"images\":%lld,\"loss\":%.9f,\"loss_simple\":%.9f,\"loss_vlb\":%.9f,\"grad_norm\":%.9f,"
                "\"lr\":0.001,\"images_per_s\":%.6f,\"time_s\":%.6f",
                step, step * 64, 1.0 / (1.0 + 1e-3 * static_cast<double>(step)), 0.25, 0.125, 0.5, 640.5,
                now_s(CLOCK_MONOTONIC) - start_s);
  voice.add("metric", body);
}

/// Rows that are due together (a hundredth of a second's) are written together.
void say_metrics(Voice& voice, long long rows, double rows_per_s) {
  constexpr double kPulse_s = 0.01;
  const double start_s = now_s(CLOCK_MONOTONIC);
  for (long long step = 1; step <= rows;) {
    const double due = rows_per_s * (now_s(CLOCK_MONOTONIC) - start_s + kPulse_s);
    const long long pulse = rows_per_s > 0 ? static_cast<long long>(due) : step + 99;
    for (; step <= rows && step <= pulse; ++step) add_metric(voice, step, start_s);
    voice.say();
    if (rows_per_s > 0) ::usleep(static_cast<useconds_t>(kPulse_s * 1e6));
  }
}

const char* option(int argc, char** argv, const char* name) {
  for (int i = 1; i + 1 < argc; ++i) {
    if (std::strcmp(argv[i], name) == 0) return argv[i + 1];
  }
  give_up(name);
}

int train(int argc, char** argv) {
  const std::string attempt =
      std::string(option(argc, argv, "--folder")) + "/attempts/" + option(argc, argv, "--attempt");
  Voice voice(attempt + "/events.jsonl", std::atoi(option(argc, argv, "--event-fd")));
  const auto rows = static_cast<long long>(number_of("PACE_ROWS", 0));
  if (rows > 0) {
    voice.add("started", "\"step\":0,\"images\":0,\"device\":\"none\"");
    say_metrics(voice, rows, number_of("PACE_ROWS_PER_S", 0));
  }
  voice.add("outcome", "\"state\":\"succeeded\",\"reason\":\"\"");
  voice.say();
  return 0;
}

void start(char** argv) {
  pid_t pid = -1;
  if (::posix_spawn(&pid, argv[0], nullptr, nullptr, argv, environ) != 0) give_up(argv[0]);
}

int loop(long count, long slots, char** argv) {
  const double start_s = now_s(CLOCK_MONOTONIC);
  long started = 0;
  for (; started < std::min(slots, count); ++started) start(argv);
  for (long ended = 0; ended < count; ++ended) {
    ::wait(nullptr);
    if (started < count) start(argv), ++started;
  }
  std::printf("%.6f\n", now_s(CLOCK_MONOTONIC) - start_s);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc > 2 && std::strcmp(argv[1], "train") == 0) return train(argc, argv);
  if (argc > 4 && std::strcmp(argv[1], "loop") == 0) return loop(std::atol(argv[2]), std::atol(argv[3]), argv + 4);
  std::fputs("usage: pace_trainer train TRIAL --folder F --attempt N --event-fd FD … | loop COUNT SLOTS PROGRAM …\n",
             stderr);
  return 2;
}
