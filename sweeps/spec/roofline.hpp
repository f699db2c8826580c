#pragma once

#include <cstdint>
#include <string>

#include "sweeps/spec/device_rates.hpp"
#include "sweeps/spec/trial_spec.hpp"

namespace ditscale::sweeps {

/// What is computed, in multiply-accumulates.
struct TrialWork {
  /// Three forward passes for each training image.
  double training_macs = 0;
  /// Sampling for all scores over the trial's life; guidance doubles the batch.
  double sampling_macs = 0;
};

/// Seconds of some work before anything was measured, in the two parts that measurements correct apart.
struct RooflineTime {
  /// The larger of arithmetic and memory traffic (Williams et al. 2009, "Roofline"), and a gang's sums of gradients:
  /// grows with the model and the batch.
  double work_s = 0;
  /// Launches of kernels, which take as long for a small model as for a large one.
  double launches_s = 0;
};

/// Devices that a trial runs on.
struct DeviceShare {
  std::int64_t processes = 1;
  /// Of each process.
  std::int64_t cpus = 1;
  std::int64_t gpus = 0;
  /// The GPUs' name; empty: unknown.
  std::string gpu_name;

  [[nodiscard]] DeviceRates rates() const;
};

/// Of `work` by this trial's model, batch and precision. A training step reads and writes for each parameter twelve
/// times four bytes (weights twice, gradient twice, two moments and EMA each twice, weights once more and their write),
/// and each activation that is kept four times (written, read, its gradient written and read). "auto" precision counts
/// as bf16 on GPUs and fp32 on cores. Samples are drawn in fp32, and decoded and looked at too: that work counts in
/// proportion to `sampling_macs`, which is the model's alone.
[[nodiscard]] RooflineTime roofline(const TrialSpec& trial, const TrialWork& work, const DeviceShare& devices);

/// "fp32" or "bf16": what "auto" comes to.
[[nodiscard]] std::string expected_precision(const TrialSpec& trial, std::int64_t gpus);

}  // namespace ditscale::sweeps
