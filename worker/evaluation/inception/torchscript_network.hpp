#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "worker/evaluation/feature_network.hpp"

namespace ditscale::worker {

/// A feature network out of a TorchScript file, such as NVIDIA's inception-2015-12-05.pt. It is called with uint8
/// (N, 3, H, W), and with return_features=true where its forward has such an argument, and must answer with
/// floating-point numbers (N, D); D is found by a trial with one black image.
///
/// A TorchScript file is a program, and loading it runs it with the rights of this process: use files of people that
/// you trust. Nothing else of this project ever executes what a file says.
class TorchScriptNetwork final : public FeatureNetwork {
 public:
  static constexpr char kName[] = "torchscript";

  /// Throws ConfigError when the file is no such network, SystemError when it cannot be read.
  TorchScriptNetwork(const std::filesystem::path& file, torch::Device device);
  ~TorchScriptNetwork() override;

  [[nodiscard]] std::string name() const override { return kName; }
  [[nodiscard]] std::string digest() const override { return digest_; }
  [[nodiscard]] std::int64_t width() const override { return width_; }
  [[nodiscard]] ImageFeatures extract(const torch::Tensor& images, FeatureParts parts) const override;

 private:
  struct Module;
  [[nodiscard]] torch::Tensor call(const torch::Tensor& images) const;

  std::string label_;
  torch::Device device_;
  std::string digest_;
  std::unique_ptr<Module> module_;
  std::int64_t width_ = 0;
};

}  // namespace ditscale::worker
