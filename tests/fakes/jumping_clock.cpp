// Preloaded into a program (LD_PRELOAD) it makes the wall clock jump: every second by two hours, forth and back. The
// monotonic clock is left alone, as it is when an administrator or NTP sets the time.
#include <ctime>

#include <sys/syscall.h>
#include <unistd.h>

extern "C" int clock_gettime(clockid_t clock, timespec* time) noexcept {
  const long result = ::syscall(SYS_clock_gettime, clock, time);
  if (result != 0 || clock != CLOCK_REALTIME) return static_cast<int>(result);
  constexpr std::time_t kJump_s = 3600;
  timespec steady{};
  ::syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &steady);
  time->tv_sec += steady.tv_sec % 2 == 0 ? kJump_s : -kJump_s;
  return 0;
}
