// Shows what fashion_cnn's Fréchet distance sees: its floor (real test images against the training set) for several
// numbers of images, and how it grows as the same images are damaged.

#include <functional>
#include <iostream>
#include <string>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>
#include <torch/types.h>

#include "common/clock.hpp"
#include "common/error.hpp"
#include "common/exit_code.hpp"
#include "worker/data/image_set.hpp"
#include "worker/evaluation/feature_network.hpp"
#include "worker/evaluation/frechet.hpp"
#include "worker/evaluation/training_reference.hpp"

namespace ditscale::worker {
namespace {

using Damage = std::function<torch::Tensor(const torch::Tensor&)>;

torch::Tensor with_noise(const torch::Tensor& images, double deviation) {
  const torch::Tensor noisy = images.to(torch::kFloat) + torch::randn(images.sizes()) * deviation;
  return noisy.clamp(0, 255).to(torch::kByte);
}

torch::Tensor blurred(const torch::Tensor& images, std::int64_t window_px) {
  return at::avg_pool2d(images.to(torch::kFloat), window_px, 1, window_px / 2, false, false).to(torch::kByte);
}

std::vector<std::pair<std::string, Damage>> damages() {
  return {{"as they are", [](const torch::Tensor& x) { return x; }},
          {"half of them mirrored",
           [](const torch::Tensor& x) {
             const torch::Tensor mirrored = (torch::arange(x.size(0)) % 2).to(torch::kBool).view({-1, 1, 1, 1});
             return torch::where(mirrored, x.flip(3), x);
           }},
          {"all mirrored", [](const torch::Tensor& x) { return x.flip(3); }},
          {"noise of deviation 8", [](const torch::Tensor& x) { return with_noise(x, 8); }},
          {"noise of deviation 32", [](const torch::Tensor& x) { return with_noise(x, 32); }},
          {"blurred, 3 x 3 pixels", [](const torch::Tensor& x) { return blurred(x, 3); }},
          {"blurred, 5 x 5 pixels", [](const torch::Tensor& x) { return blurred(x, 5); }},
          {"uniform noise only", [](const torch::Tensor& x) { return torch::randint_like(x, 256); }}};
}

void run(const std::string& features, const sweeps::DataSpec& data, const std::string& cache) {
  const common::SystemClock clock;
  const auto network = make_feature_network(features);
  const ImageSet train = load_image_set(data, Split::kTrain);
  const ImageSet test = load_image_set(data, Split::kTest);
  const Reference real = training_reference(*network, data.name, train, cache);
  const FrechetReference& reference = real.pooled();
  torch::manual_seed(0);
  const torch::Tensor shuffled = test.images.index({torch::randperm(test.images.size(0), torch::kLong)});
  std::cout << fmt::format("{} {}\n{:<24}{:>8}{:>12}{:>6}{:>12}\n", features, network->digest(), "test images", "n",
                           "distance", "rank", "features/s");
  for (const auto& [name, damage] : damages()) {
    for (const std::int64_t n : {1000, 2000, 10'000}) {
      const torch::Tensor images = damage(shuffled.slice(0, 0, n));
      const double start_s = clock.monotonic_s();
      GaussianAccumulator accumulator(network->width());
      accumulator.add(network->features(images));
      const double rate = static_cast<double>(n) / (clock.monotonic_s() - start_s);
      const FrechetResult result = reference.distance(accumulator.stats());
      std::cout << fmt::format("{:<24}{:>8}{:>12.3f}{:>6}{:>12.0f}\n", name, n, result.value, result.rank, rate);
    }
  }
}

}  // namespace
}  // namespace ditscale::worker

int main(int argc, char** argv) {
  using ditscale::common::ExitCode;
  using ditscale::common::to_int;
  std::string features = "fashion_cnn";
  std::string cache = "runs/cache";
  ditscale::sweeps::DataSpec data;
  CLI::App app("Fréchet distances of real and of damaged test images to the training set.");
  app.footer("Example: fid_floor --cache runs/cache");
  app.add_option("--features", features, "Feature network")->capture_default_str();
  app.add_option("--root", data.root, "Folder of the images; default: where the data's package puts them");
  app.add_option("--cache", cache, "Folder that keeps the reference statistics")->capture_default_str();
  try {
    app.parse(argc, argv);
    ditscale::worker::run(features, data, cache);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? to_int(ExitCode::kDone) : to_int(ExitCode::kUsage);
  } catch (const std::exception& error) {
    std::cerr << "error: " << error.what() << "\n";
    return to_int(ExitCode::kError);
  }
  return to_int(ExitCode::kDone);
}
