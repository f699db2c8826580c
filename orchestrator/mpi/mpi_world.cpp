#include "orchestrator/mpi/mpi_world.hpp"

#include <algorithm>
#include <cmath>
#include <string>

#include <mpi.h>

#include "common/error.hpp"

namespace ditscale::orchestrator {

namespace {

constexpr int kTag = 1;
/// MPI sends long messages piece by piece, whenever it is called.
constexpr double kSendingSleep_s = 0.001;

void check_mpi(int code, const char* call) {
  if (code == MPI_SUCCESS) return;
  char text[MPI_MAX_ERROR_STRING] = {};
  int length = 0;
  MPI_Error_string(code, text, &length);
  throw common::SystemError(fmt::format("{}: {}", call, std::string(text, static_cast<std::size_t>(length))));
}

}  // namespace

struct MpiWorld::Pending {
  std::vector<std::uint8_t> bytes;
  MPI_Request request = MPI_REQUEST_NULL;
};

MpiWorld::MpiWorld() {
  check_mpi(MPI_Init(nullptr, nullptr), "MPI_Init");
  check_mpi(MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN), "MPI_Comm_set_errhandler");
  check_mpi(MPI_Comm_rank(MPI_COMM_WORLD, &rank_), "MPI_Comm_rank");
  check_mpi(MPI_Comm_size(MPI_COMM_WORLD, &size_), "MPI_Comm_size");
  bells_.resize(static_cast<std::size_t>(size_));
  const Doorbell::Address own = bell_.address();
  check_mpi(MPI_Allgather(&own, sizeof own, MPI_BYTE, bells_.data(), sizeof own, MPI_BYTE, MPI_COMM_WORLD),
            "MPI_Allgather");
}

MpiWorld::~MpiWorld() = default;

void MpiWorld::send(int rank, Message message) {
  auto pending = std::make_unique<Pending>();
  pending->bytes = encode(message);
  check_mpi(MPI_Isend(pending->bytes.data(), static_cast<int>(pending->bytes.size()), MPI_BYTE, rank, kTag,
                      MPI_COMM_WORLD, &pending->request),
            "MPI_Isend");
  pending_.push_back(std::move(pending));
  bell_.ring(bells_[static_cast<std::size_t>(rank)]);
}

std::optional<Received> MpiWorld::receive() {
  [[maybe_unused]] const bool sent = all_sent();
  int found = 0;
  MPI_Message message = MPI_MESSAGE_NULL;
  MPI_Status status;
  // Open MPI looks among what has come, and only then fetches what is new: the second look sees that.
  for (int look = 0; look < 2 && found == 0; ++look) {
    check_mpi(MPI_Improbe(MPI_ANY_SOURCE, kTag, MPI_COMM_WORLD, &found, &message, &status), "MPI_Improbe");
  }
  if (found == 0) return std::nullopt;
  int count = 0;
  check_mpi(MPI_Get_count(&status, MPI_BYTE, &count), "MPI_Get_count");
  std::vector<std::uint8_t> bytes(static_cast<std::size_t>(count));
  check_mpi(MPI_Mrecv(bytes.data(), count, MPI_BYTE, &message, MPI_STATUS_IGNORE), "MPI_Mrecv");
  return Received{status.MPI_SOURCE, decode(bytes)};
}

void MpiWorld::sleep(double seconds, std::vector<pollfd> others) {
  if (!all_sent()) seconds = std::min(seconds, kSendingSleep_s);
  others.push_back({bell_.fd(), POLLIN, 0});
  ::poll(others.data(), others.size(), static_cast<int>(std::ceil(seconds * 1000)));
  bell_.hush();
}

bool MpiWorld::all_sent() {
  std::erase_if(pending_, [](const std::unique_ptr<Pending>& pending) {
    int done = 0;
    check_mpi(MPI_Test(&pending->request, &done, MPI_STATUS_IGNORE), "MPI_Test");
    return done != 0;
  });
  return pending_.empty();
}

std::size_t MpiWorld::unsent_bytes() {
  if (all_sent()) return 0;
  std::size_t bytes = 0;
  for (const auto& pending : pending_) bytes += pending->bytes.size();
  return bytes;
}

void MpiWorld::finish() { check_mpi(MPI_Finalize(), "MPI_Finalize"); }

}  // namespace ditscale::orchestrator
