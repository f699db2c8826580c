#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <memory>

#include <ATen/Parallel.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "common/clock.hpp"
#include "common/error.hpp"
#include "common/hash.hpp"
#include "common/trial_paths.hpp"
#include "worker/checkpoint/weights_file.hpp"
#include "worker/commands/evaluate_job.hpp"
#include "worker/data/prepare_progress.hpp"
#include "worker/evaluation/evaluator.hpp"
#include "worker/evaluation/image_input.hpp"
#include "worker/evaluation/score_report.hpp"
#include "worker/evaluation/score_settings.hpp"
#include "worker/evaluation/scores/reference_file.hpp"
#include "worker/evaluation/training_reference.hpp"
#include "worker/training/stop_request.hpp"

namespace ditscale::worker {

namespace fs = std::filesystem;
using common::Json;

namespace {

constexpr char kEmbeddedNetwork[] = "fashion_cnn";

/// What is asked of images, whose drawing is past.
struct ImageQuestion {
  std::string features = kEmbeddedNetwork;
  std::string features_file, reference;
  std::vector<std::string> metrics{"fid"};
};

ImageQuestion question_of(const EvaluateSettings& settings) {
  if (const auto option = settings.sampling_option())
    throw common::UsageError(fmt::format("{}: images are drawn already; this option is for models", *option));
  ImageQuestion question;
  question.features = settings.features.value_or(kEmbeddedNetwork);
  question.features_file = settings.features_file.value_or("");
  question.reference = settings.reference.value_or("");
  if (!settings.metrics.empty()) question.metrics = settings.metrics;
  if (question.features == "none") throw common::UsageError("--features none: of images there is nothing else to do");
  const auto allowed = sweeps::allowed_metrics(question.features);
  for (const std::string& metric : question.metrics) {
    if (std::find(allowed.begin(), allowed.end(), metric) == allowed.end())
      throw common::UsageError(
          fmt::format("--metrics {}: allowed of features {}: {}", metric, question.features, fmt::join(allowed, ", ")));
  }
  return question;
}

/// Null where nothing is compared.
std::unique_ptr<Reference> reference_for(const ImageQuestion& question, const FeatureNetwork& network,
                                         bool keeps_features, const Environment& environment) {
  if (!sweeps::needs_reference(question.metrics)) return nullptr;
  if (!question.reference.empty())
    return std::make_unique<Reference>(load_reference(question.reference, network, keeps_features));
  if (question.features != kEmbeddedNetwork) {
    throw common::UsageError(
        "--reference: a file of statistics to compare with is needed: `worker reference` makes one of images; ADM's "
        "npz files are read too");
  }
  const sweeps::DataSpec fashion;
  return std::make_unique<Reference>(
      training_reference(network, fashion.name, load_image_set(fashion, Split::kTrain), environment.cache_folder));
}

/// All images, piece by piece, into `collector`; empty when stopped, else their digest.
std::string collect(ImageInput& images, const FeatureNetwork& network, FeatureParts parts, ScoreCollector& collector) {
  std::string digests;
  PrepareProgress progress(images.num_images(), 0);
  for (std::int64_t begin = 0; begin < images.num_images(); begin += images.piece_size()) {
    if (stop_requested()) return {};
    const torch::Tensor piece = images.piece(begin, begin + images.piece_size()).contiguous();
    digests += common::hash_hex128({static_cast<const char*>(piece.const_data_ptr()), piece.nbytes()});
    collector.add(begin, network.extract(piece, parts));
    for (std::int64_t i = 0; i < piece.size(0); ++i) progress.count(/*damaged=*/false);
  }
  return common::hash_hex128(digests);
}

}  // namespace

bool is_model(const std::string& what) {
  if (!fs::exists(what)) throw common::ConfigError(fmt::format("{}: there is no such file or folder", what));
  if (fs::is_directory(what)) return fs::is_directory(common::TrialPaths{what}.checkpoints());
  if (!is_reference_file(what)) return false;  // not HDF5
  try {
    (void)read_model_header(what);
    return true;
  } catch (const common::CorruptData&) {
    // A store of pixels says itself what it is, and a damaged checkpoint is no store.
    return fs::path(what).filename().string().starts_with("step-");
  }
}

bool evaluate_images(const EvaluateOptions& options, const Environment& environment, torch::Device device) {
  if (!options.samples.empty()) throw common::UsageError("--samples: images are drawn already");
  if (options.weights != std::vector<std::string>{"ema"})
    throw common::UsageError("--weights: images have none; this option is for models");
  const common::SystemClock clock;
  const double start_s = clock.monotonic_s();
  const ImageQuestion question = question_of(options.settings);
  ScoreReport report(options.out);  // before the work: what cannot be written to is refused
  const ScoreRequest request{{question.metrics.begin(), question.metrics.end()}};
  const auto images = open_image_input(options.what, at::get_num_threads());
  const auto network = make_feature_network(question.features, question.features_file, device);
  check_has(*network, request.parts());
  const auto reference = reference_for(question, *network, request.keeps_features(), environment);
  const FeatureWidths widths = FeatureWidths::of(*network, request.parts());
  check_reference(request, widths, reference.get());  // before the work
  ScoreCollector collector(request, images->num_images(), widths);
  const std::string digest = collect(*images, *network, request.parts(), collector);
  if (digest.empty()) return false;
  std::optional<ReferenceFacts> facts;
  if (reference) facts = facts_of(*reference, question.reference);
  Evaluation evaluation;
  evaluation.settings = image_score_settings(question.features, network->digest(), facts, images->num_images());
  evaluation.settings_id = settings_id(evaluation.settings);
  evaluation.scores = collector.finish(reference.get());
  evaluation.num_samples = images->num_images();
  evaluation.seconds = clock.monotonic_s() - start_s;
  Json score = evaluation.to_json();
  score.erase("sampling_macs");
  score["images"] = options.what;
  score["digest"] = digest;
  fmt::print("{}\n", options.json ? Json::array({score}).dump(2)
                                  : fmt::format("{}  {} images, {}: {}", options.what, images->num_images(),
                                                question.features, score_text(score)));
  std::fflush(stdout);
  report.add(score);
  return true;
}

}  // namespace ditscale::worker
