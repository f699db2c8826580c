#include "worker/evaluation/inception/inception_weights.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "common/error.hpp"
#include "common/json_document.hpp"
#include "worker/checkpoint/checkpoint_file.hpp"
#include "worker/weights/tensor_source.hpp"

namespace ditscale::worker {

using common::CorruptData;

namespace {

constexpr double kEps = 1e-3;
constexpr std::size_t kMostProblemsShown = 6;

/// What the file has beside, or instead of, what the graph needs.
std::vector<std::string> problems_of(const TensorSource& file) {
  const auto expected = inception_tensor_shapes();
  const auto& names = file.names();
  std::vector<std::string> problems;
  for (const auto& [name, shape] : expected) {
    if (std::find(names.begin(), names.end(), name) == names.end()) {
      problems.push_back(fmt::format("{} is missing", name));
    } else if (file.shape(name) != shape) {
      problems.push_back(fmt::format("{} has shape ({}), expected is ({})", name, fmt::join(file.shape(name), ", "),
                                     fmt::join(shape, ", ")));
    } else if (!at::isFloatingType(file.type(name))) {
      problems.push_back(fmt::format("{} holds {} values", name, at::toString(file.type(name))));
    }
  }
  for (const std::string& name : names) {
    if (!expected.contains(name) && !name.ends_with(".bn.num_batches_tracked"))
      problems.push_back(
          fmt::format("{} does not belong to it", common::shown(common::Json(common::valid_utf8(name)))));
  }
  return problems;
}

void check_layout(const TensorSource& file, const std::string& label) {
  std::vector<std::string> problems = problems_of(file);
  if (problems.empty()) return;
  const std::size_t more = problems.size() - std::min(problems.size(), kMostProblemsShown);
  problems.resize(problems.size() - more);
  throw CorruptData(fmt::format("{}: not the weights of the 2015 Inception network (pt_inception-2015-12-05): {}{}",
                                label, fmt::join(problems, "; "), more == 0 ? "" : fmt::format("; and {} more", more)));
}

/// In float64: the fold itself rounds once.
InceptionWeights::Layer folded(const InceptionConvolution& convolution, TensorSource& file, torch::Device device) {
  const auto read = [&](const char* part) { return file.read(convolution.name + part).to(torch::kFloat64); };
  const torch::Tensor scale = read(".bn.weight") / (read(".bn.running_var") + kEps).sqrt();
  const torch::Tensor weight = read(".conv.weight") * scale.view({-1, 1, 1, 1});
  const torch::Tensor bias = read(".bn.bias") - read(".bn.running_mean") * scale;
  return {convolution, weight.to(device, torch::kFloat32).contiguous(at::MemoryFormat::ChannelsLast),
          bias.to(device, torch::kFloat32)};
}

}  // namespace

InceptionWeights load_inception_weights(const std::filesystem::path& path, torch::Device device) {
  const auto file = open_tensor_source(path, "");
  check_layout(*file, path.string());
  const at::NoGradGuard no_gradients;
  InceptionWeights weights;
  for (const InceptionConvolution& convolution : inception_convolutions())
    weights.layers.emplace(convolution.name, folded(convolution, *file, device));
  weights.classes = file->read("fc.weight").to(device, torch::kFloat32);
  weights.digest = file_digest(path);
  return weights;
}

}  // namespace ditscale::worker
