#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <optional>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "common/atomic_file.hpp"
#include "common/error.hpp"
#include "common/hash.hpp"
#include "worker/commands/evaluate_job.hpp"
#include "worker/commands/scored_model.hpp"
#include "worker/distributed/gather_rows.hpp"
#include "worker/evaluation/evaluator.hpp"
#include "worker/evaluation/sample_file.hpp"
#include "worker/evaluation/score_report.hpp"
#include "worker/evaluation/score_settings.hpp"
#include "worker/training/stop_request.hpp"

namespace ditscale::worker {

using common::Json;

namespace {

/// Whether the training images themselves are looked at: as the reference, as embeddings that are shown, or as latents
/// that are there and whose scale the decoder must have.
bool needs_images(const sweeps::TrialSpec& trial, const std::vector<sweeps::EvaluateSpec>& all) {
  if (trial.model.conditioning == sweeps::Conditioning::kEmbeddings) return true;
  if (has_latents_here(trial.data)) return true;
  return std::any_of(all.begin(), all.end(), [](const sweeps::EvaluateSpec& settings) {
    return settings.reference.empty() && sweeps::needs_reference(settings.metrics);
  });
}

std::string line_of(const Json& score) {
  const Json& settings = score["settings"];
  return fmt::format("{}  {} {} steps, guidance {}, seed {}, {} samples, {}: {}", score["weights"].get<std::string>(),
                     settings["sampler"].get<std::string>(), settings["steps"].dump(), settings["guidance"].dump(),
                     settings["sample_seed"].dump(), settings["num_samples"].dump(),
                     settings["features"].get<std::string>(), score_text(score));
}

/// Scores every kind of weights under every setting. Every rank does the same; the first reports.
class ModelScores {
 public:
  ModelScores(const EvaluateOptions& options, const Environment& environment, torch::Device device,
              Communicator& communicator)
      : options_(options),
        environment_(environment),
        device_(device),
        communicator_(communicator),
        report_(communicator.is_first() ? options.out : "") {}

  /// False when stopped on the way.
  bool score(const std::string& weights) {
    const ScoredModel scored = load_scored_model(options_.what, weights, device_);
    const sweeps::TrialSpec& trial = scored.model.trial;
    const std::vector<sweeps::EvaluateSpec> all = options_.settings.for_trial(trial);
    const ImageSet images = needs_images(trial, all) ? load_image_set(trial.data, Split::kTrain) : ImageSet{};
    Evaluator evaluator(trial, images, environment_.cache_folder, device_, communicator_);
    if (!options_.samples.empty() && all.size() * options_.weights.size() != 1)
      throw common::UsageError("--samples: one file takes the samples of one setting; give one of each");
    for (const sweeps::EvaluateSpec& settings : all) evaluator.prepare(settings);
    if (communicator_.is_first() && !options_.json) fmt::print("{}\n", scored.model.title());
    for (const sweeps::EvaluateSpec& settings : all) {
      if (!score(evaluator, scored, settings)) return false;
    }
    return true;
  }

  void print_json() const {
    if (communicator_.is_first()) fmt::print("{}\n", scores_.dump(2));
  }

 private:
  bool score(Evaluator& evaluator, const ScoredModel& scored, const sweeps::EvaluateSpec& settings) {
    EvaluationJob job;
    job.weights = scored.weights_name;
    job.model_key = "weights " + scored.digest;
    job.stop = stop_requested;
    std::optional<Json> known;
    std::uint64_t key = 0;
    if (communicator_.is_first()) {
      const std::string id = settings_id(evaluator.full_settings(settings, job.weights));
      known = report_.find(scored.digest, id, settings.metrics);
      const std::string samples = job.model_key + " " + id;
      key = std::stoull(common::hash_hex64(samples), nullptr, 16);
      // What a call without this file drew is not in it.
      const std::string file = options_.samples.empty() ? "" : std::filesystem::absolute(options_.samples).string();
      job.journal = environment_.cache_folder / "unfinished" / (common::hash_hex64(samples + file) + ".features");
      common::make_folder(job.journal.parent_path());
    }
    key = static_cast<std::uint64_t>(communicator_.value_of_first(static_cast<std::int64_t>(key)));
    if (!options_.samples.empty()) known.reset();  // they are wanted even when the score is there
    if (communicator_.value_of_first(known ? 1 : 0) == 0) {
      std::optional<SampleFile> samples = open_samples(scored, settings, key, job);
      if (samples)
        job.observe = [&](std::int64_t first, const torch::Tensor& images) { samples->write(first, images); };
      const auto evaluation = evaluator.evaluate(scored.model.model, settings, job);
      if (!evaluation) return false;
      if (samples) finish(*samples, evaluation->not_finite);
      if (communicator_.is_first()) known = keep(scored, *evaluation, job);
    }
    if (communicator_.is_first()) tell(*known);
    return true;
  }

  /// Every rank writes what it draws; a journal without its samples is of no use. `key`: of model and settings.
  std::optional<SampleFile> open_samples(const ScoredModel& scored, const sweeps::EvaluateSpec& settings,
                                         std::uint64_t key, const EvaluationJob& job) {
    if (options_.samples.empty()) return std::nullopt;
    const sweeps::DataSpec& data = scored.model.trial.data;
    const bool latents = data.space == sweeps::DataSpace::kLatents;
    std::optional<SampleFile> file;
    const auto open = [&] {
      file.emplace(options_.samples, fmt::format("{:016x}", key), settings.num_samples, latents ? 3 : data.channels,
                   data.image_size);
    };
    if (communicator_.is_first()) {
      open();
      if (file->is_new()) std::filesystem::remove(job.journal);
    }
    (void)communicator_.value_of_first(0);  // the first one makes it
    if (!communicator_.is_first()) open();
    return file;
  }

  /// The first rank packs what the others may have written on other machines.
  void finish(SampleFile& samples, const std::string& not_finite) {
    samples.sync();
    wait_for_all(communicator_, device_);
    if (!communicator_.is_first()) return;
    if (not_finite.empty()) return samples.finish();
    spdlog::warn("{} is not written: {}", options_.samples, not_finite);
    samples.discard();
  }

  Json keep(const ScoredModel& scored, const Evaluation& evaluation, const EvaluationJob& job) {
    Json score = evaluation.to_json();
    score["checkpoint"] = scored.model.file.string();
    score["step"] = scored.model.step_json();
    score["weights"] = scored.weights_name;
    score["digest"] = scored.digest;
    report_.add(score);
    std::filesystem::remove(job.journal);
    return score;
  }

  void tell(const Json& score) {
    scores_.push_back(score);
    if (!options_.json) fmt::print("{}\n", line_of(score));
    std::fflush(stdout);
  }

  const EvaluateOptions& options_;
  const Environment& environment_;
  torch::Device device_;
  Communicator& communicator_;
  ScoreReport report_;
  Json scores_ = Json::array();
};

}  // namespace

bool evaluate_model(const EvaluateOptions& options, const Environment& environment, torch::Device device,
                    Communicator& communicator) {
  ModelScores scores(options, environment, device, communicator);
  for (const std::string& weights : options.weights) {
    if (!scores.score(weights)) return false;
  }
  if (options.json) scores.print_json();
  return true;
}

}  // namespace ditscale::worker
