// Do all samplers draw from the same distribution? Without a trained model's errors in the way: the images of a finite
// set are the data, and the best possible denoiser of such data is known (the mean of the set's images, weighted by how
// likely each is to have become x). With it in the network's place every sampler must end at images of the set, each as
// often as the others: the FID against the set is then that of as many random draws from it. Prints one row for each
// sampler, draws in the last one, and fails when a sampler's mean FID over the seeds lies more than 3 standard errors
// of the difference from the draws'.
#include <algorithm>
#include <cmath>
#include <functional>
#include <iostream>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "common/clock.hpp"
#include "common/error.hpp"
#include "common/exit_code.hpp"
#include "worker/data/image_set.hpp"
#include "worker/diffusion/noise_schedule.hpp"
#include "worker/evaluation/fashion_cnn.hpp"
#include "worker/evaluation/frechet.hpp"
#include "worker/sampling/sampler.hpp"

namespace {

using namespace ditscale;
using namespace ditscale::worker;
using sweeps::SamplerKind;
using torch::Tensor;

struct Options {
  std::int64_t images = 2000, samples = 2000, batch = 500, seeds = 4;
};

/// x = signal · image + deviation · noise.
struct NoiseLevel {
  double signal, deviation;
};

/// The mean of all images that may have become x, weighted by their likelihoods: softmax of -|x - a y|² / (2 s²).
class IdealDenoiser {
 public:
  explicit IdealDenoiser(const Tensor& images) : images_(images), squares_(images.square().sum(1)) {}

  [[nodiscard]] Tensor x0(const Tensor& x, NoiseLevel level) const {
    const double a = level.signal, variance = level.deviation * level.deviation;
    // |x|² is the same for all images and drops out.
    const Tensor logits = (x.flatten(1).matmul(images_.t()) * a - squares_ * (a * a / 2)) / variance;
    return logits.softmax(1).matmul(images_).view_as(x);
  }

 private:
  Tensor images_;   // (M, S S)
  Tensor squares_;  // (M)
};

/// As a network that predicts the noise, or a flow's velocity, noise - image.
Network network_of(const IdealDenoiser& denoiser, const sweeps::ObjectiveSpec& objective) {
  if (objective.kind == sweeps::ObjectiveKind::kFlow) {
    return [&denoiser, T = static_cast<double>(objective.num_timesteps)](const Tensor& x, const Tensor& t,
                                                                         const Conditions&) {
      const double time = t[0].item<double>() / T;
      return (x - denoiser.x0(x, {1 - time, time})) / time;
    };
  }
  return [&denoiser, schedule = NoiseSchedule::make(objective)](const Tensor& x, const Tensor& t, const Conditions&) {
    const double alpha_bar = schedule.alpha_bar[static_cast<std::size_t>(t[0].item<double>())];
    const NoiseLevel level{std::sqrt(alpha_bar), std::sqrt(1 - alpha_bar)};
    return (x - level.signal * denoiser.x0(x, level)) / level.deviation;
  };
}

struct Spread {
  double mean, standard_error;
};

Spread spread_of(const std::vector<double>& values) {
  double sum = 0, squares = 0;
  for (const double value : values) sum += value;
  const auto count = static_cast<double>(values.size());
  for (const double value : values) squares += (value - sum / count) * (value - sum / count);
  return {sum / count, std::sqrt(squares / (count - 1) / count)};
}

class Comparison {
 public:
  Comparison(const Tensor& bytes, const Options& options)
      : options_(options),
        bytes_(bytes),
        denoiser_((bytes.to(torch::kFloat) / 127.5 - 1.0).flatten(1)),
        reference_(statistics(bytes)) {}

  /// A row of the table: the FID of images(seed), over the seeds.
  Spread row(const std::string& name, std::int64_t steps, const std::function<Tensor(std::int64_t)>& images) const {
    const common::SystemClock clock;
    const double start_s = clock.monotonic_s();
    std::vector<double> fids;
    for (std::int64_t seed = 0; seed < options_.seeds; ++seed)
      fids.push_back(reference_.distance(statistics(images(seed))).value);
    const Spread spread = spread_of(fids);
    std::cout << fmt::format("{:<24}{:>6}{:>10.3f}{:>12.3f}{:>8.0f}\n", name, steps, spread.mean, spread.standard_error,
                             clock.monotonic_s() - start_s)
              << std::flush;
    return spread;
  }

  [[nodiscard]] Tensor draws(std::int64_t seed) const {
    torch::manual_seed(static_cast<std::uint64_t>(seed));
    return bytes_.index({torch::randint(bytes_.size(0), {options_.samples}, torch::kLong)});
  }

  [[nodiscard]] Tensor samples(const sweeps::ObjectiveSpec& objective, SamplerKind kind, std::int64_t steps,
                               std::int64_t seed) const {
    sweeps::ModelShape shape;
    shape.input = {.size = bytes_.size(2), .channels = 1, .num_classes = 10};
    shape.learn_variance = false;
    const Sampler sampler(network_of(denoiser_, objective), {}, shape, objective,
                          {.sampler = kind, .steps = steps, .seed = static_cast<std::uint64_t>(seed)}, torch::kCPU);
    std::vector<Tensor> parts;
    for (std::int64_t first = 0; first < options_.samples; first += options_.batch) {
      const std::int64_t count = std::min(options_.batch, options_.samples - first);
      // To the nearest byte: images of the set come out as they were.
      parts.push_back((sampler.sample(first, torch::zeros({count}, torch::kLong)) * 127.5 + 127.5).round());
    }
    return torch::cat(parts).clamp(0, 255).to(torch::kByte);
  }

 private:
  [[nodiscard]] GaussianStats statistics(const Tensor& images) const {
    GaussianAccumulator accumulator(network_.width());
    accumulator.add(network_.features(images));
    return accumulator.stats();
  }

  const Options& options_;
  FashionCnn network_;
  Tensor bytes_;
  IdealDenoiser denoiser_;
  FrechetReference reference_;
};

sweeps::ObjectiveSpec objective_of(sweeps::ObjectiveKind kind, sweeps::FixedVariance variance) {
  sweeps::ObjectiveSpec objective;
  objective.kind = kind;
  objective.learn_variance = false;
  objective.fixed_variance = variance;
  return objective;
}

/// Whether every sampler agreed with the draws.
bool run(const Options& options) {
  const ImageSet train = load_image_set(sweeps::DataSpec{}, Split::kTrain);
  const Comparison comparison(train.images.slice(0, 0, options.images), options);
  const auto large = objective_of(sweeps::ObjectiveKind::kDdpm, sweeps::FixedVariance::kLarge);
  const auto small = objective_of(sweeps::ObjectiveKind::kDdpm, sweeps::FixedVariance::kSmall);
  const auto flow = objective_of(sweeps::ObjectiveKind::kFlow, sweeps::FixedVariance::kLarge);
  struct Row {
    std::string name;
    const sweeps::ObjectiveSpec& objective;
    SamplerKind kind;
    std::int64_t steps;
  };
  const std::vector<Row> rows{{"ddpm, large variance", large, SamplerKind::kDdpm, 1000},
                              {"ddpm, small variance", small, SamplerKind::kDdpm, 250},
                              {"ddim", large, SamplerKind::kDdim, 250},
                              {"dpm_solver", large, SamplerKind::kDpmSolver, 100},
                              {"euler", flow, SamplerKind::kEuler, 250},
                              {"heun", flow, SamplerKind::kHeun, 100}};
  std::cout << fmt::format("{:<24}{:>6}{:>10}{:>12}{:>8}\n", "sampler", "steps", "mean FID", "its error", "s");
  std::vector<std::pair<std::string, Spread>> spreads;
  for (const Row& row : rows) {
    spreads.emplace_back(row.name, comparison.row(row.name, row.steps, [&](std::int64_t seed) {
      return comparison.samples(row.objective, row.kind, row.steps, seed);
    }));
  }
  const Spread draws = comparison.row("random draws", 0, [&](std::int64_t seed) { return comparison.draws(seed); });
  bool agree = true;
  for (const auto& [name, spread] : spreads) {
    const double room = 3 * std::hypot(spread.standard_error, draws.standard_error);
    const bool good = std::abs(spread.mean - draws.mean) <= room;
    agree = agree && good;
    std::cout << fmt::format("{} {} lies {:+.3f} from the draws (room {:.3f})\n", good ? "ok  " : "FAIL", name,
                             spread.mean - draws.mean, room);
  }
  return agree;
}

}  // namespace

int main(int argc, char** argv) {
  using common::ExitCode;
  Options options;
  CLI::App app(
      "FID of each sampler with the best possible denoiser of some Fashion-MNIST images, against those images.");
  app.footer("Example: samplers_agree --images 2000 --samples 2000 --seeds 4");
  app.add_option("--images", options.images, "Images that are the data")
      ->check(CLI::Range(100, 60'000))
      ->capture_default_str();
  app.add_option("--samples", options.samples, "Samples for each FID")
      ->check(CLI::Range(100, 1'000'000))
      ->capture_default_str();
  app.add_option("--seeds", options.seeds, "Sets of samples of each sampler")
      ->check(CLI::Range(2, 100))
      ->capture_default_str();
  try {
    app.parse(argc, argv);
    return common::to_int(run(options) ? ExitCode::kDone : ExitCode::kError);
  } catch (const CLI::ParseError& error) {
    return common::to_int(app.exit(error) == 0 ? ExitCode::kDone : ExitCode::kUsage);
  } catch (const std::exception& error) {
    std::cerr << "error: " << error.what() << "\n";
    return common::to_int(ExitCode::kError);
  }
}
