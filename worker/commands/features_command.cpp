#include <algorithm>
#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <ATen/Parallel.h>
#include <fmt/format.h>

#include "common/error.hpp"
#include "common/exit_code.hpp"
#include "common/json_document.hpp"
#include "worker/commands/commands.hpp"
#include "worker/data/prepare_progress.hpp"
#include "worker/evaluation/feature_network.hpp"
#include "worker/evaluation/image_input.hpp"
#include "worker/storage/npz_file.hpp"
#include "worker/training/device.hpp"
#include "worker/training/stop_request.hpp"

namespace ditscale::worker {

namespace {

struct FeaturesArguments {
  std::string images, out, network, weights;
  std::vector<std::string> parts;
  std::string device = "auto";
  int threads = 0;
  bool json = false;
};

using Arrays = std::vector<std::pair<std::string, torch::Tensor>>;

bool asks_for(const FeaturesArguments& arguments, const char* part) {
  return std::find(arguments.parts.begin(), arguments.parts.end(), part) != arguments.parts.end();
}

/// ASCII as uint8: npz files of numbers have no texts that can be read without pickle.
torch::Tensor bytes_of(const std::string& text) {
  return torch::tensor(std::vector<std::uint8_t>(text.begin(), text.end()), torch::kByte);
}

/// Empty when a stop was asked for.
Arrays extract_all(ImageInput& images, const FeatureNetwork& network, FeatureParts parts) {
  const std::int64_t count = images.num_images();
  Arrays arrays{{"pooled", torch::empty({count, network.width()})}};
  if (parts.spatial) arrays.emplace_back("spatial", torch::empty({count, network.spatial_width()}));
  if (parts.logits) arrays.emplace_back("logits", torch::empty({count, network.num_classes()}));
  PrepareProgress progress(count, 0);
  for (std::int64_t begin = 0; begin < count; begin += images.piece_size()) {
    if (stop_requested()) return {};
    const std::int64_t end = std::min(begin + images.piece_size(), count);
    const ImageFeatures piece = network.extract(images.piece(begin, end), parts);
    for (auto& [name, all] : arrays)
      all.slice(0, begin, end)
          .copy_(name == "pooled"    ? piece.pooled
                 : name == "spatial" ? piece.spatial
                                     : piece.logits);
    for (std::int64_t i = begin; i < end; ++i) progress.count(/*damaged=*/false);
  }
  return arrays;
}

int run(const FeaturesArguments& arguments) {
  listen_for_stop();
  if (arguments.threads > 0) at::set_num_threads(arguments.threads);
  const FeatureParts parts{asks_for(arguments, "spatial"), asks_for(arguments, "logits")};
  const auto images = open_image_input(arguments.images, at::get_num_threads());
  const auto network = make_feature_network(arguments.network, arguments.weights, choose_device(arguments.device, 0));
  check_has(*network, parts);
  const auto start = std::chrono::steady_clock::now();
  Arrays arrays = extract_all(*images, *network, parts);
  if (arrays.empty()) return common::to_int(common::ExitCode::kIncomplete);
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  arrays.emplace_back("network", bytes_of(network->name()));
  arrays.emplace_back("digest", bytes_of(network->digest()));
  write_npz(arguments.out, arrays);
  if (arguments.json) {
    fmt::print("{}\n", common::Json{{"images", images->num_images()},
                                    {"seconds", seconds},
                                    {"network", network->name()},
                                    {"digest", network->digest()},
                                    {"width", network->width()}}
                           .dump());
  } else {
    fmt::print("{} images in {:.2f} s: {} features (digest {}) in {}\n", images->num_images(), seconds, network->name(),
               network->digest(), arguments.out);
  }
  return common::to_int(common::ExitCode::kDone);
}

}  // namespace

void add_features_command(CLI::App& app, Context& context) {
  auto a = std::make_shared<FeaturesArguments>();
  CLI::App* command = app.add_subcommand("features", "Write what a feature network sees in images as an npz file");
  command->add_option("images", a->images, "Folder of images, npz of samples, IDX file, or store of pixels")
      ->required();
  command->add_option("out", a->out, "npz to write: pooled (N, D), network, digest")->required();
  command
      ->add_option("--features", a->network,
                   "fashion_cnn; inception; torchscript, whose file is a program that is run: use trusted ones only")
      ->check(CLI::IsMember({"fashion_cnn", "inception", "torchscript"}))
      ->required();
  command->add_option("--features-file", a->weights, "File of the inception or torchscript network");
  command->add_option("--parts", a->parts, "Arrays beside pooled: spatial (for sFID), logits (Inception Score)")
      ->delimiter(',')
      ->check(CLI::IsMember({"spatial", "logits"}));
  command->add_option("--device", a->device, "auto, cpu or cuda")
      ->check(CLI::IsMember({"auto", "cpu", "cuda"}))
      ->capture_default_str();
  command->add_option("--threads", a->threads, "Threads; default: all processors")->check(CLI::Range(1, 4096));
  command->add_flag("--json", a->json, "Report as JSON");
  command->footer(
      "Example: worker features samples.npz features.npz --features inception --features-file "
      "pt_inception-2015-12-05-6726825d.pth --parts spatial,logits");
  command->callback([a, &context] { context.action = [a] { return run(*a); }; });
}

}  // namespace ditscale::worker
