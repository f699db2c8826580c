#pragma once

#include <string>
#include <string_view>

namespace ditscale::sweeps {

/// What one device (a GPU, or the cores of one process) may be expected to reach before anything was measured.
struct DeviceRates {
  /// Multiply-accumulates of matrix products, per second: in fp32, and in bf16 where that is faster.
  double fp32_macs_per_s = 0;
  double bf16_macs_per_s = 0;
  /// To and from its memory.
  double bytes_per_s = 0;
  /// Between the processes of a gang.
  double link_bytes_per_s = 0;
  /// From one kernel (or operator) to the next when they have nothing to do.
  double launch_s = 0;

  [[nodiscard]] double macs_per_s(const std::string& precision) const {
    return precision == "fp32" ? fp32_macs_per_s : bf16_macs_per_s;
  }
};

/// By its name as CUDA gives it ("NVIDIA H100 80GB HBM3"): parts of the peaks in its vendor's data sheet (dense,
/// without sparsity): 0.4 of arithmetic, 0.7 of bandwidth. A name that is not in the table, or none, gets deliberately
/// round rates: 1e14 MACs/s and 1e12 bytes/s.
[[nodiscard]] DeviceRates gpu_rates(std::string_view name);
/// Whether the table has it.
[[nodiscard]] bool is_known_gpu(std::string_view name);

/// Deliberately round: 2e10 MACs/s and 8e9 bytes/s for each core.
[[nodiscard]] DeviceRates cpu_rates(double cores);

}  // namespace ditscale::sweeps
