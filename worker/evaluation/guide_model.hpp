#pragma once

#include <string>

#include "sweeps/spec/trial_spec.hpp"
#include "worker/model/dit.hpp"
#include "worker/torch.hpp"

namespace ditscale::worker {

/// A weaker model that guides another (autoguidance; Karras et al. 2024).
struct GuideModel {
  DiT model{nullptr};
  /// Of its weights, whatever file they came from.
  std::string digest;
};

/// `argument` is a checkpoint file or a trial's folder. Throws ConfigError when its images, labels or objective are not
/// those of the trial it is to guide: their predictions could not be mixed.
[[nodiscard]] GuideModel load_guide(const std::string& argument, const sweeps::TrialSpec& guided, torch::Device device);

}  // namespace ditscale::worker
