#include "common/clock.hpp"

#include <chrono>

namespace ditscale::common {

namespace {
template <typename ChronoClock>
double seconds_now() {
  return std::chrono::duration<double>(ChronoClock::now().time_since_epoch()).count();
}
}  // namespace

double SystemClock::unix_s() const { return seconds_now<std::chrono::system_clock>(); }

double SystemClock::monotonic_s() const { return seconds_now<std::chrono::steady_clock>(); }

}  // namespace ditscale::common
