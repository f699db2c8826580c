#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "sweeps/spec/trial_spec.hpp"

namespace ditscale::worker {

/// What a command line says of scores; what it leaves out is the trial's. Lists stand for their product.
struct EvaluateSettings {
  std::vector<std::string> samplers;
  std::vector<std::int64_t> steps, sample_seeds;
  std::vector<double> guidances;
  std::optional<std::int64_t> num_samples, guidance_channels;
  std::vector<double> guidance_interval;
  std::optional<std::string> guide, decoder, labels, features, features_file, reference;
  std::vector<std::string> metrics;

  /// Adds the options to `command`; this object must outlive it.
  void add_to(CLI::App& command);

  /// The first name of an option that says how samples are drawn, if any was given.
  [[nodiscard]] std::optional<std::string> sampling_option() const;
  /// Each combination, checked as a sweep's would be. Throws ConfigError.
  [[nodiscard]] std::vector<sweeps::EvaluateSpec> for_trial(const sweeps::TrialSpec& trial) const;
};

}  // namespace ditscale::worker
