#pragma once

#include <string>
#include <vector>

#include "common/json_document.hpp"
#include "worker/commands/commands.hpp"
#include "worker/commands/evaluate_settings.hpp"
#include "worker/distributed/communicator.hpp"
#include "worker/torch.hpp"

namespace ditscale::worker {

struct EvaluateOptions {
  /// A model, or images.
  std::string what;
  std::vector<std::string> weights{"ema"};
  EvaluateSettings settings;
  std::string out, samples;
  std::string device = "auto";
  int threads = 0;
  bool json = false;
};

/// A checkpoint, weights file or trial's folder, rather than images. Throws ConfigError when there is no such file.
[[nodiscard]] bool is_model(const std::string& what);

/// Scores every kind of weights of the model under every setting, and tells each on standard output, or all as JSON.
/// False when stopped on the way. *Collective: all ranks.*
bool evaluate_model(const EvaluateOptions& options, const Environment& environment, torch::Device device,
                    Communicator& communicator);

/// Scores images that lie in a file or folder; one process. False when stopped on the way: nothing of it is kept.
bool evaluate_images(const EvaluateOptions& options, const Environment& environment, torch::Device device);

}  // namespace ditscale::worker
