#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "common/json_document.hpp"
#include "sweeps/spec/trial_spec.hpp"
#include "worker/data/image_set.hpp"
#include "worker/distributed/communicator.hpp"
#include "worker/evaluation/evaluation_tools.hpp"
#include "worker/evaluation/feature_journal.hpp"
#include "worker/evaluation/sample_stream.hpp"
#include "worker/evaluation/score_settings.hpp"
#include "worker/evaluation/scores/score.hpp"
#include "worker/evaluation/scores/score_collector.hpp"
#include "worker/model/dit.hpp"
#include "worker/torch.hpp"

namespace ditscale::worker {

/// One set of scores and everything that makes it comparable with another.
struct Evaluation {
  /// See score_settings.
  common::Json settings;
  std::string settings_id;
  /// Empty when the samples are only to be looked at.
  Scores scores;
  /// Which samples have a NaN or an infinity; empty: none.
  std::string not_finite;
  std::int64_t num_samples = 0;
  /// Of this process, so without the samples that an earlier one drew.
  double seconds = 0;
  /// Multiply-accumulates of all images that went through the model and its guide.
  double sampling_macs = 0;
  /// The first samples, (n, C, S, S) uint8: something to look at.
  torch::Tensor first_samples;

  /// As events and files have it (docs/formats.md).
  [[nodiscard]] common::Json to_json() const;
};

/// How settings name a reference. `file`: where it was read from, empty for the training images; these are told by the
/// data's digest, as ever, a file by its own.
[[nodiscard]] ReferenceFacts facts_of(const Reference& reference, const std::string& file);

/// What is asked of a score beside its settings.
struct EvaluationJob {
  /// Which weights of the model are scored, as the settings name them.
  std::string weights = "ema";
  /// Where the features of the samples so far are kept; the caller removes it once the score is safe. Empty: nowhere.
  std::filesystem::path journal;
  /// What tells the model from all others: a journal of another model is not gone on with.
  std::string model_key;
  /// True: stop and keep the journal.
  std::function<bool()> stop = [] { return false; };
  /// Sees the images that this rank draws.
  SampleStream::Observer observe = [](std::int64_t, const torch::Tensor&) {};
};

/// Scores models of one trial: samples, features, distances to a reference. A model conditioned on embeddings is shown
/// those of training images, drawn by the sample seed. Over a gang each rank draws its share of the samples, and the
/// first makes the scores; they do not depend on the number of ranks.
class Evaluator {
 public:
  /// All arguments must outlive the evaluator; `cache_folder` keeps reference statistics between runs. `alive` is
  /// called again and again while there is work.
  Evaluator(
      const sweeps::TrialSpec& trial, const ImageSet& train_images, const std::filesystem::path& cache_folder,
      torch::Device device, Communicator& communicator, const std::function<void()>& alive = [] {});

  /// Loads what `settings` need; throws what would stop the score.
  void prepare(const sweeps::EvaluateSpec& settings);

  /// Empty when `stop()` became true on the way on any rank. On ranks other than the first the result holds no scores.
  /// *Collective: all ranks.*
  [[nodiscard]] std::optional<Evaluation> evaluate(const DiT& model, const sweeps::EvaluateSpec& settings,
                                                   const EvaluationJob& job);

  /// The settings as a score made with `settings` would record them.
  [[nodiscard]] common::Json full_settings(const sweeps::EvaluateSpec& settings, const std::string& weights = "ema");

 private:
  struct Watch {
    const std::function<bool()>& stop;
    const SampleStream::Observer& observe;
  };
  /// Features of all samples, in order, into `collector`; false when stopped. Throws NotFinite.
  bool collect(SampleStream& stream, const sweeps::EvaluateSpec& settings, const Watch& watch, FeatureJournal* journal,
               ScoreCollector* collector);
  [[nodiscard]] FeatureWidths widths_of(const sweeps::EvaluateSpec& settings);
  [[nodiscard]] std::optional<FeatureJournal> open_journal(const sweeps::EvaluateSpec& settings,
                                                           const EvaluationJob& job);
  /// For one sample.
  [[nodiscard]] double macs_of(const EvaluationCount& evaluated, const sweeps::EvaluateSpec& settings);

  const sweeps::TrialSpec& trial_;
  const ImageSet& train_images_;
  torch::Device device_;
  Communicator& communicator_;
  std::function<void()> alive_;
  EvaluationTools tools_;
};

}  // namespace ditscale::worker
