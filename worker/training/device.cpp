#include "worker/training/device.hpp"

#include <ATen/Context.h>
#include <ATen/autocast_mode.h>

#include "common/error.hpp"
#ifdef DITSCALE_HAVE_CUDA
#include <ATen/cuda/CUDAContext.h>
#endif

#include <fstream>

namespace ditscale::worker {

namespace {

/// The first value of `key` in /proc/cpuinfo, or empty.
std::string cpuinfo(const std::string& key) {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    const auto colon = line.find(':');
    if (line.rfind(key, 0) == 0 && colon != std::string::npos && colon + 2 <= line.size())
      return line.substr(colon + 2);
  }
  return {};
}

#ifdef DITSCALE_HAVE_CUDA
constexpr const char* kNoGpuAdvice =
    "check nvidia-smi (a driver older than this program's CUDA hides every GPU) and CUDA_VISIBLE_DEVICES";
#else
constexpr const char* kNoGpuAdvice = "this program was built without CUDA: configure it with -DDITSCALE_CUDA=ON";
#endif

bool computes_bf16(torch::Device device) {
  if (device.is_cpu()) {
    const std::string flags = fmt::format(" {} ", cpuinfo("flags"));
    return flags.find(" avx512_bf16 ") != std::string::npos || flags.find(" amx_bf16 ") != std::string::npos;
  }
#ifdef DITSCALE_HAVE_CUDA
  return at::cuda::getDeviceProperties(device.index())->major >= 8;
#else
  return false;
#endif
}

}  // namespace

std::string to_name(Precision precision) { return precision == Precision::kBf16 ? "bf16" : "fp32"; }

torch::Device choose_device(const std::string& request, std::int64_t local_rank) {
  const auto visible = static_cast<std::int64_t>(torch::cuda::device_count());
  if (request == "cpu" || (request == "auto" && visible == 0)) return torch::kCPU;
  if (local_rank < visible) return {torch::kCUDA, static_cast<c10::DeviceIndex>(local_rank)};
  throw common::ConfigError(
      fmt::format("GPU {} was asked for, {} are visible: {}, or use --device cpu", local_rank, visible, kNoGpuAdvice));
}

Precision choose_precision(const std::string& request, torch::Device device) {
  if (request == "fp32") return Precision::kFp32;
  if (request == "auto") return device.is_cuda() && computes_bf16(device) ? Precision::kBf16 : Precision::kFp32;
  if (computes_bf16(device)) return Precision::kBf16;
  throw common::ConfigError(
      fmt::format("train.precision bf16: {} has no bf16 instructions; allowed here: auto, fp32", device_name(device)));
}

std::string device_name(torch::Device device) {
#ifdef DITSCALE_HAVE_CUDA
  if (device.is_cuda()) return at::cuda::getDeviceProperties(device.index())->name;
#endif
  const std::string name = cpuinfo("model name");
  return name.empty() ? device.str() : name;
}

PrecisionScope::PrecisionScope(Precision precision, torch::Device device)
    : active_(precision == Precision::kBf16), type_(device.type()) {
  if (!active_) return;
  at::autocast::set_autocast_enabled(type_, true);
  at::autocast::set_autocast_dtype(type_, at::kBFloat16);
  at::autocast::increment_nesting();
}

PrecisionScope::~PrecisionScope() {
  if (!active_) return;
  if (at::autocast::decrement_nesting() == 0) at::autocast::clear_cache();
  at::autocast::set_autocast_enabled(type_, false);
}

DeterministicScope::DeterministicScope(torch::Device device) : active_(device.is_cuda()) {
  if (!active_) return;
  at::Context& context = at::globalContext();
  context.setDeterministicFillUninitializedMemory(false);  // nothing here reads what it has not written
  // With warnings alone, attention would warn and add in any order.
  context.setDeterministicAlgorithms(true, /*warn_only=*/false);
}

DeterministicScope::~DeterministicScope() {
  if (active_) at::globalContext().setDeterministicAlgorithms(false, /*warn_only=*/false);
}

}  // namespace ditscale::worker
