#ifdef DITSCALE_HAVE_NCCL

#include "worker/distributed/nccl_communicator.hpp"

#include <ATen/cuda/CUDAEvent.h>
#include <c10/cuda/CUDAGuard.h>
#include <spdlog/spdlog.h>

#include "common/error.hpp"

namespace ditscale::worker {

namespace {

void check_nccl(ncclResult_t result, const char* call) {
  if (result != ncclSuccess) {
    throw common::SystemError(fmt::format("{}: {} ({})", call, ncclGetErrorString(result), ncclGetLastError(nullptr)));
  }
}

}  // namespace

NcclCommunicator::NcclCommunicator(torch::Device device) : device_(device) {
  try {
    connect();
  } catch (const std::exception& error) {  // LibTorch's own kind too
    spdlog::error("rank {}: {}", session_.rank(), error.what());
    session_.abort();  // the others would wait for this rank for ever
    throw;
  }
}

void NcclCommunicator::connect() {
  // NCCL comes back to the device that is current: were that the first for all ranks, each would have a context there.
  c10::cuda::set_device(device_.index());
  stream_ = c10::cuda::getStreamFromPool(/*isHighPriority=*/true, device_.index());
  ncclUniqueId id;
  if (session_.rank() == 0) check_nccl(ncclGetUniqueId(&id), "ncclGetUniqueId");
  check_mpi(MPI_Bcast(&id, sizeof id, MPI_BYTE, 0, MPI_COMM_WORLD), "MPI_Bcast");
  check_nccl(ncclCommInitRank(&communicator_, session_.size(), id, session_.rank()), "ncclCommInitRank");
}

NcclCommunicator::~NcclCommunicator() {
  // Abort does not wait for the other ranks, so a destructor may call it.
  if (communicator_ != nullptr) ncclCommAbort(communicator_);
}

void NcclCommunicator::all_reduce_sum(torch::Tensor& values) {
  sum_over_ranks(values, c10::cuda::getCurrentCUDAStream(device_.index()));
}

void NcclCommunicator::start_all_reduce_sum(torch::Tensor values) {
  at::cuda::CUDAEvent made;
  made.record(c10::cuda::getCurrentCUDAStream(device_.index()));
  made.block(*stream_);
  sum_over_ranks(values, *stream_);
}

void NcclCommunicator::wait_for_sums() {
  at::cuda::CUDAEvent summed;
  summed.record(*stream_);
  summed.block(c10::cuda::getCurrentCUDAStream(device_.index()));
}

void NcclCommunicator::sum_over_ranks(const torch::Tensor& values, c10::cuda::CUDAStream stream) {
  DITSCALE_CHECK(values.device() == device_ && values.is_contiguous() && values.scalar_type() == torch::kFloat32,
                 "not a float32 buffer of this rank's GPU");
  const c10::cuda::CUDAGuard guard(device_);  // gradients come from autograd's threads
  float* data = values.data_ptr<float>();
  check_nccl(ncclAllReduce(data, data, static_cast<std::size_t>(values.numel()), ncclFloat, ncclSum, communicator_,
                           stream.stream()),
             "ncclAllReduce");
}

}  // namespace ditscale::worker

#endif
