#include "sweeps/spec/roofline.hpp"

#include <algorithm>

#include "sweeps/spec/arithmetic.hpp"
#include "sweeps/spec/cost.hpp"

namespace ditscale::sweeps {

namespace {

constexpr double kBytesPerParameter = 12 * 4;
constexpr double kTouchesPerActivation = 4;
/// Of one block: forward and backward of the reference path, and the forward pass alone.
constexpr double kLaunchesPerTrainedBlock = 100;
constexpr double kLaunchesPerSampledBlock = 30;
/// Images that are sampled together; an assumption.
constexpr double kImagesSampledTogether = 128;

/// One device, as one model keeps it busy: trained at the trial's precision, sampled from in fp32.
class Device {
 public:
  Device(const TrialSpec& trial, const DeviceShare& share)
      : rates_(share.rates()),
        macs_per_s_(rates_.macs_per_s(expected_precision(trial, share.gpus))),
        activation_bytes_(static_cast<double>(
            activation_bytes(trial.shape(), 1, expected_precision(trial, share.gpus) == "fp32" ? 4 : 2))),
        sampled_activation_bytes_(static_cast<double>(activation_bytes(trial.shape(), 1, 4))) {}

  double training_s(double macs, double images, double parameters) const {
    const double bytes = kTouchesPerActivation * activation_bytes_ * images + kBytesPerParameter * parameters;
    return std::max(macs / macs_per_s_, bytes / rates_.bytes_per_s);
  }

  /// Each activation is written and read once.
  double sampling_s(double macs, double images) const {
    return std::max(macs / rates_.macs_per_s("fp32"), 2 * sampled_activation_bytes_ * images / rates_.bytes_per_s);
  }

  double helping_s(double macs) const { return macs / rates_.macs_per_s("fp32"); }

  /// A ring sends each gradient nearly twice (Patarasuk and Yuan 2009).
  double sum_s(double parameters, double processes) const {
    return 2 * (processes - 1) / processes * 4 * parameters / rates_.link_bytes_per_s;
  }

  double launch_s() const { return rates_.launch_s; }

 private:
  DeviceRates rates_;
  double macs_per_s_;
  double activation_bytes_;
  double sampled_activation_bytes_;
};

/// What the networks that decode and look at samples do, for each MAC of sampling.
double helper_share(const TrialSpec& trial) {
  double sampling = 0;
  double helpers = 0;
  for (const EvaluateSpec& evaluate : trial.evaluate) {
    const auto times = static_cast<double>(num_evaluations(evaluate, trial.train.steps));
    sampling += times * sampling_macs(trial, evaluate);
    helpers += times * helper_macs(trial, evaluate);
  }
  return sampling > 0 ? helpers / sampling : 0;
}

}  // namespace

DeviceRates DeviceShare::rates() const { return gpus > 0 ? gpu_rates(gpu_name) : cpu_rates(static_cast<double>(cpus)); }

std::string expected_precision(const TrialSpec& trial, std::int64_t gpus) {
  if (trial.train.precision != "auto") return trial.train.precision;
  return gpus > 0 ? "bf16" : "fp32";
}

RooflineTime roofline(const TrialSpec& trial, const TrialWork& work, const DeviceShare& devices) {
  const Device device(trial, devices);
  const auto forward = static_cast<double>(forward_macs(trial.shape()));
  const auto parameters = static_cast<double>(count_parameters(trial.shape()).trainable);
  const auto processes = static_cast<double>(devices.processes);
  const auto batch = static_cast<double>(trial.train.global_batch);
  const auto blocks = static_cast<double>(trial.model.depth);
  const double steps = work.training_macs / (3 * forward * batch);
  const double images = batch / processes;
  const double micro_batches = images / static_cast<double>(trial.train.local_micro_batch(devices.processes));
  const double images_sampled = work.sampling_macs / forward / processes;

  RooflineTime time;
  time.work_s =
      steps * (device.training_s(3 * forward * images, images, parameters) + device.sum_s(parameters, processes)) +
      device.sampling_s(work.sampling_macs / processes, images_sampled) +
      device.helping_s(work.sampling_macs * helper_share(trial) / processes);
  time.launches_s = device.launch_s() * blocks *
                    (kLaunchesPerTrainedBlock * steps * std::max(1.0, micro_batches) +
                     kLaunchesPerSampledBlock * images_sampled / kImagesSampledTogether);
  return time;
}

}  // namespace ditscale::sweeps
