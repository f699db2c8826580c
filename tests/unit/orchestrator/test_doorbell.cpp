#include <gtest/gtest.h>
#include <poll.h>

#include "orchestrator/mpi/doorbell.hpp"

namespace ditscale::orchestrator {
namespace {

bool rings(const Doorbell& bell) {
  pollfd ready{bell.fd(), POLLIN, 0};
  return ::poll(&ready, 1, 0) == 1;
}

TEST(Doorbell, WakesItsOwnerAndNobodyElse) {
  const Doorbell one, other, caller;
  caller.ring(one.address());
  EXPECT_TRUE(rings(one));
  EXPECT_FALSE(rings(other));
}

TEST(Doorbell, IsQuietOnceItWasHeard) {
  const Doorbell bell, caller;
  for (int i = 0; i < 1000; ++i) caller.ring(bell.address());
  bell.hush();
  EXPECT_FALSE(rings(bell));
  caller.ring(bell.address());
  EXPECT_TRUE(rings(bell));
}

TEST(Doorbell, LeavesAlonePlacesThatItCannotReach) {
  const Doorbell bell, caller;
  Doorbell::Address elsewhere = bell.address();
  elsewhere.place.fill('x');
  caller.ring(elsewhere);
  EXPECT_FALSE(rings(bell));
  Doorbell::Address gone;
  {
    const Doorbell brief;
    gone = brief.address();
  }
  caller.ring(gone);
}

}  // namespace
}  // namespace ditscale::orchestrator
