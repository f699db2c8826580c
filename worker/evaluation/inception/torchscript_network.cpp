#include "worker/evaluation/inception/torchscript_network.hpp"

#include <algorithm>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <torch/csrc/jit/api/module.h>
#include <torch/csrc/jit/serialization/import.h>

#include "common/error.hpp"
#include "worker/checkpoint/checkpoint_file.hpp"
#include "worker/torch.hpp"
#include "worker/vae/exact_convolutions.hpp"

namespace ditscale::worker {

namespace {

constexpr char kReturnFeatures[] = "return_features";
constexpr std::int64_t kScriptBatch = 16;
constexpr std::int64_t kTrialSide_px = 64;

/// LibTorch's errors go on with a trace of its own calls.
std::string first_line(const std::exception& error) {
  const std::string text = error.what();
  return text.substr(0, text.find('\n'));
}

}  // namespace

struct TorchScriptNetwork::Module {
  torch::jit::Module module;
  bool takes_return_features = false;
};

TorchScriptNetwork::TorchScriptNetwork(const std::filesystem::path& file, torch::Device device)
    : label_(fmt::format("features {}: {}", kName, file.string())),
      device_(device),
      digest_(file_digest(file)),
      module_(std::make_unique<Module>()) {
  try {
    module_->module = torch::jit::load(file.string(), device);
    module_->module.eval();
    const auto forward = module_->module.find_method("forward");
    if (!forward) throw common::ConfigError("it has no forward");
    module_->takes_return_features = forward->function().getSchema().argumentIndexWithName(kReturnFeatures).has_value();
  } catch (const std::exception& error) {
    throw common::ConfigError(fmt::format("{}: not a TorchScript network: {}", label_, first_line(error)));
  }
  width_ = call(torch::zeros({1, 3, kTrialSide_px, kTrialSide_px}, torch::kByte)).size(1);
}

TorchScriptNetwork::~TorchScriptNetwork() = default;

torch::Tensor TorchScriptNetwork::call(const torch::Tensor& images) const {
  const torch::NoGradGuard no_gradients;
  const ExactConvolutions exact;
  c10::IValue answer;
  try {
    std::unordered_map<std::string, c10::IValue> named;
    if (module_->takes_return_features) named[kReturnFeatures] = true;
    answer = module_->module.get_method("forward")({images.to(device_)}, named);
  } catch (const std::exception& error) {
    throw common::ConfigError(fmt::format("{}: it fails on uint8 images ({}): {}", label_,
                                          fmt::join(images.sizes(), ", "), first_line(error)));
  }
  if (!answer.isTensor())
    throw common::ConfigError(fmt::format("{}: it answers with {}, not with a tensor", label_, answer.tagKind()));
  const torch::Tensor features = answer.toTensor();
  if (features.dim() != 2 || features.size(0) != images.size(0) || features.size(1) < 1 ||
      !features.is_floating_point() || (width_ != 0 && features.size(1) != width_))
    throw common::ConfigError(fmt::format("{}: {} images became {} of ({}); needed are floating-point numbers ({}, D)",
                                          label_, images.size(0), at::toString(features.scalar_type()),
                                          fmt::join(features.sizes(), ", "), images.size(0)));
  return features.to(torch::kCPU, torch::kFloat32);
}

ImageFeatures TorchScriptNetwork::extract(const torch::Tensor& images, FeatureParts parts) const {
  if (images.dim() != 4 || images.scalar_type() != torch::kByte || images.size(1) != 3)
    throw common::ConfigError(fmt::format("{}: needs uint8 colour images (N, 3, H, W), got {} of ({})", label_,
                                          at::toString(images.scalar_type()), fmt::join(images.sizes(), ", ")));
  check_has(*this, parts);
  ImageFeatures result{torch::empty({images.size(0), width_}), {}, {}};
  for (std::int64_t begin = 0; begin < images.size(0); begin += kScriptBatch) {
    const std::int64_t end = std::min(begin + kScriptBatch, images.size(0));
    result.pooled.slice(0, begin, end).copy_(call(images.slice(0, begin, end)));
  }
  return result;
}

}  // namespace ditscale::worker
