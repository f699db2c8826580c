#pragma once

// The C interface only: the C++ one is long withdrawn and would need a library of its own.
#define OMPI_SKIP_MPICXX 1
#define MPICH_SKIP_MPICXX 1
#include <cstdint>

#include <mpi.h>

namespace ditscale::worker {

/// Throws SystemError naming the MPI call when it failed.
void check_mpi(int code, const char* call);

/// MPI from initialisation to finalisation; one in a process, which the kernel kills when its launcher ends.
class MpiSession {
 public:
  /// Throws SystemError when MPI does not start, or not beside other threads.
  MpiSession();
  ~MpiSession();
  MpiSession(const MpiSession&) = delete;
  MpiSession& operator=(const MpiSession&) = delete;

  /// Rank 0's value, on every rank. *Collective: all ranks.*
  [[nodiscard]] std::int64_t value_of_first(std::int64_t value);
  /// MPI_Abort: ends every rank when there are several.
  void abort();

  [[nodiscard]] int rank() const { return rank_; }
  [[nodiscard]] int size() const { return size_; }

 private:
  int rank_ = 0;
  int size_ = 1;
};

}  // namespace ditscale::worker
