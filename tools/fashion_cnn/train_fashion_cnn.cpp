// Makes the weights of fashion_cnn, the feature network of the Fashion-MNIST scores. Run it only to replace the
// network: scores of different weights cannot be compared.

#include <cmath>
#include <cstdint>
#include <filesystem>
#include <iostream>
#include <numbers>
#include <string>

#include <ATen/autocast_mode.h>
#include <CLI/CLI.hpp>
#include <torch/torch.h>

#include "common/atomic_file.hpp"
#include "common/error.hpp"
#include "common/exit_code.hpp"
#include "common/json_document.hpp"
#include "worker/data/image_set.hpp"
#include "worker/evaluation/fashion_cnn_model.hpp"
#include "worker/storage/hdf5_file.hpp"

namespace ditscale::worker {
namespace {

namespace fs = std::filesystem;

struct Options {
  fs::path out = "worker/evaluation/fashion_cnn.h5";
  std::uint64_t seed = 0;
  std::int64_t epochs = 24;
  std::int64_t batch = 128;
  double lr = 3e-3;
  double weight_decay = 1e-2;
  double dropout = 0.1;
  /// Training images are moved by up to this many pixels each way.
  std::int64_t max_shift_px = 1;
};

FashionCnnModel random_model() {
  FashionCnnModel model;
  const auto parameters = model.parameters();
  const auto layout = FashionCnnModel::layout();
  for (std::size_t i = 0; i < layout.size(); ++i) {
    torch::Tensor& parameter = *parameters[i];
    parameter = torch::zeros(layout[i].second);
    if (parameter.dim() > 1) torch::nn::init::kaiming_normal_(parameter, 0.0, torch::kFanIn, torch::kReLU);
    if (parameter.dim() == 4) parameter = parameter.contiguous(at::MemoryFormat::ChannelsLast);  // faster convolutions
    parameter.requires_grad_();
  }
  return model;
}

/// Each image moved by its own random whole number of pixels, black coming in at the border.
torch::Tensor shifted(const torch::Tensor& images, std::int64_t max_shift_px) {
  constexpr std::int64_t kSide = FashionCnnModel::kImageSide;
  const std::int64_t m = max_shift_px;
  const torch::Tensor padded = at::constant_pad_nd(images, {m, m, m, m}, 0).squeeze(1);
  const torch::Tensor windows = padded.unfold(1, kSide, 1).unfold(2, kSide, 1);  // (N, 2m + 1, 2m + 1, 28, 28)
  const auto draw = [&] { return torch::randint(2 * m + 1, {images.size(0)}, torch::kLong); };
  return windows.index({torch::arange(images.size(0)), draw(), draw()}).unsqueeze(1);
}

/// Products in bf16 while it lives; the weights stay float32.
class LowPrecision {
 public:
  LowPrecision() {
    at::autocast::set_autocast_dtype(at::kCPU, at::kBFloat16);
    at::autocast::set_autocast_enabled(at::kCPU, true);
  }
  LowPrecision(const LowPrecision&) = delete;
  LowPrecision& operator=(const LowPrecision&) = delete;
  ~LowPrecision() {
    at::autocast::set_autocast_enabled(at::kCPU, false);
    at::autocast::clear_cache();  // of converted weights, which the optimiser is about to change
  }
};

torch::Tensor training_logits(const FashionCnnModel& model, const torch::Tensor& images, const Options& options) {
  const LowPrecision low_precision;
  const torch::Tensor input = FashionCnnModel::normalise(shifted(images, options.max_shift_px));
  const torch::Tensor features = model.features(at::dropout(model.pooled(input), options.dropout, true));
  return model.logits(at::dropout(features, options.dropout, true)).to(torch::kFloat);
}

double test_accuracy(const FashionCnnModel& model, const ImageSet& test) {
  const torch::NoGradGuard no_gradients;
  std::int64_t num_right = 0;
  for (std::int64_t begin = 0; begin < test.images.size(0); begin += 500) {
    const torch::Tensor input = FashionCnnModel::normalise(test.images.slice(0, begin, begin + 500));
    const torch::Tensor answer = model.logits(model.features(model.pooled(input))).argmax(1);
    num_right += answer.eq(test.labels.slice(0, begin, begin + 500)).sum().item<std::int64_t>();
  }
  return static_cast<double>(num_right) / static_cast<double>(test.images.size(0));
}

void set_lr(torch::optim::AdamW& optimiser, double lr) {
  for (auto& group : optimiser.param_groups()) group.options().set_lr(lr);
}

/// AdamW with the learning rate falling along half a cosine.
void train(FashionCnnModel& model, const ImageSet& data, const Options& options) {
  std::vector<torch::Tensor> parameters;
  for (const torch::Tensor* parameter : model.parameters()) parameters.push_back(*parameter);
  torch::optim::AdamW optimiser(parameters, torch::optim::AdamWOptions(options.lr).weight_decay(options.weight_decay));
  const std::int64_t steps_per_epoch = data.images.size(0) / options.batch;
  for (std::int64_t epoch = 0; epoch < options.epochs; ++epoch) {
    const torch::Tensor order = torch::randperm(data.images.size(0), torch::kLong);
    double loss_sum = 0;
    for (std::int64_t step = 0; step < steps_per_epoch; ++step) {
      const double progress =
          static_cast<double>(epoch * steps_per_epoch + step) / static_cast<double>(options.epochs * steps_per_epoch);
      set_lr(optimiser, options.lr * 0.5 * (1 + std::cos(std::numbers::pi * progress)));
      const torch::Tensor chosen = order.slice(0, step * options.batch, (step + 1) * options.batch);
      const torch::Tensor logits = training_logits(model, data.images.index({chosen}), options);
      const torch::Tensor loss = at::cross_entropy_loss(logits, data.labels.index({chosen}));
      optimiser.zero_grad();
      loss.backward();
      optimiser.step();
      loss_sum += loss.item<double>();
    }
    std::cout << fmt::format("epoch {:2} of {}: training loss {:.4f}\n", epoch + 1, options.epochs,
                             loss_sum / static_cast<double>(steps_per_epoch))
              << std::flush;
  }
}

void save(FashionCnnModel& model, const common::Json& metadata, const fs::path& path) {
  const fs::path temporary = common::temporary_name(path);
  Hdf5File file = Hdf5File::create(temporary);
  const auto parameters = model.parameters();
  const auto layout = FashionCnnModel::layout();
  for (std::size_t i = 0; i < layout.size(); ++i) file.write(layout[i].first, parameters[i]->detach());
  file.write_text("metadata", common::canonical_text(metadata));
  file.close();
  common::publish_file(temporary, path);
}

void run(const Options& options) {
  at::set_num_threads(1);  // so that the weights do not depend on the machine's cores
  torch::manual_seed(options.seed);
  const ImageSet training = load_image_set({}, Split::kTrain);
  const ImageSet test = load_image_set({}, Split::kTest);
  FashionCnnModel model = random_model();
  train(model, training, options);
  const double accuracy = test_accuracy(model, test);
  save(model,
       {{"test_accuracy", accuracy},
        {"seed", options.seed},
        {"epochs", options.epochs},
        {"torch", TORCH_VERSION},
        {"data_digest", training.digest}},
       options.out);
  std::cout << fmt::format("test accuracy {:.2f} %, weights in {}\n", 100 * accuracy, options.out.string());
}

}  // namespace
}  // namespace ditscale::worker

int main(int argc, char** argv) {
  using ditscale::common::ExitCode;
  using ditscale::common::to_int;
  ditscale::worker::Options options;
  CLI::App app("Trains the classifier whose features the Fashion-MNIST scores use, and writes its weights.");
  app.footer("Example: train_fashion_cnn --out worker/evaluation/fashion_cnn.h5 --seed 0");
  app.add_option("--out", options.out, "File to write")->capture_default_str();
  app.add_option("--seed", options.seed, "Of the initial weights, the order and the dropout")->capture_default_str();
  app.add_option("--epochs", options.epochs, "Passes over the training images")
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
  try {
    app.parse(argc, argv);
    ditscale::worker::run(options);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? to_int(ExitCode::kDone) : to_int(ExitCode::kUsage);
  } catch (const std::exception& error) {
    std::cerr << "error: " << error.what() << "\n";
    return to_int(ExitCode::kError);
  }
  return to_int(ExitCode::kDone);
}
