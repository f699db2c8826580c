#include "worker/distributed/mpi_session.hpp"

#include <csignal>

#include <sys/prctl.h>

#include "common/error.hpp"

namespace ditscale::worker {

void check_mpi(int code, const char* call) {
  if (code == MPI_SUCCESS) return;
  char text[MPI_MAX_ERROR_STRING] = "";
  int length = 0;
  MPI_Error_string(code, text, &length);
  throw common::SystemError(fmt::format("{}: {}", call, text));
}

MpiSession::MpiSession() {
  // The launcher's end is the gang's. One that is gone already makes the initialisation fail.
  if (::prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) throw common::errno_error("prctl", "parent-death signal");
  int provided = 0;
  check_mpi(MPI_Init_thread(nullptr, nullptr, MPI_THREAD_FUNNELED, &provided), "MPI_Init_thread");
  if (provided < MPI_THREAD_FUNNELED) {
    MPI_Finalize();
    throw common::SystemError("MPI_Init_thread: this MPI allows no second thread, not even one that makes no calls");
  }
  MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
  check_mpi(MPI_Comm_rank(MPI_COMM_WORLD, &rank_), "MPI_Comm_rank");
  check_mpi(MPI_Comm_size(MPI_COMM_WORLD, &size_), "MPI_Comm_size");
}

MpiSession::~MpiSession() { MPI_Finalize(); }

std::int64_t MpiSession::value_of_first(std::int64_t value) {
  check_mpi(MPI_Bcast(&value, 1, MPI_INT64_T, 0, MPI_COMM_WORLD), "MPI_Bcast");
  return value;
}

void MpiSession::abort() {
  if (size_ > 1) MPI_Abort(MPI_COMM_WORLD, 1);
}

}  // namespace ditscale::worker
