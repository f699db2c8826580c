#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <ATen/Parallel.h>
#include <fmt/format.h>

#include "common/error.hpp"
#include "common/exit_code.hpp"
#include "common/json_document.hpp"
#include "common/output_place.hpp"
#include "worker/commands/commands.hpp"
#include "worker/data/prepare_progress.hpp"
#include "worker/evaluation/feature_network.hpp"
#include "worker/evaluation/image_input.hpp"
#include "worker/evaluation/scores/features_file.hpp"
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

bool asks_for(const FeaturesArguments& arguments, const char* part) {
  return std::find(arguments.parts.begin(), arguments.parts.end(), part) != arguments.parts.end();
}

torch::Tensor room_for(bool wanted, std::int64_t count, std::int64_t width) {
  return wanted ? torch::empty({count, width}) : torch::Tensor();
}

/// Empty when a stop was asked for.
std::optional<ImageFeatures> extract_all(ImageInput& images, const FeatureNetwork& network, FeatureParts parts) {
  const std::int64_t count = images.num_images();
  ImageFeatures all{room_for(true, count, network.width()), room_for(parts.spatial, count, network.spatial_width()),
                    room_for(parts.logits, count, network.num_classes())};
  PrepareProgress progress(count, 0);
  for (std::int64_t begin = 0; begin < count; begin += images.piece_size()) {
    if (stop_requested()) return std::nullopt;
    const std::int64_t end = std::min(begin + images.piece_size(), count);
    const ImageFeatures piece = network.extract(images.piece(begin, end), parts);
    all.pooled.slice(0, begin, end).copy_(piece.pooled);
    if (parts.spatial) all.spatial.slice(0, begin, end).copy_(piece.spatial);
    if (parts.logits) all.logits.slice(0, begin, end).copy_(piece.logits);
    for (std::int64_t i = begin; i < end; ++i) progress.count(/*damaged=*/false);
  }
  return all;
}

int run(const FeaturesArguments& arguments) {
  listen_for_stop();
  if (arguments.threads > 0) at::set_num_threads(arguments.threads);
  common::check_output_place(arguments.out);
  const FeatureParts parts{asks_for(arguments, "spatial"), asks_for(arguments, "logits")};
  const auto images = open_image_input(arguments.images, at::get_num_threads());
  const auto network = make_feature_network(arguments.network, arguments.weights, choose_device(arguments.device, 0));
  check_has(*network, parts);
  const auto start = std::chrono::steady_clock::now();
  const auto features = extract_all(*images, *network, parts);
  if (!features) return common::to_int(common::ExitCode::kIncomplete);
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  write_features(arguments.out, {*features, network->name(), network->digest()});
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
