#include "worker/evaluation/evaluator.hpp"

#include <algorithm>

#include <spdlog/spdlog.h>

#include "common/clock.hpp"
#include "common/error.hpp"
#include "sweeps/spec/arithmetic.hpp"
#include "worker/distributed/gather_rows.hpp"
#include "worker/evaluation/score_settings.hpp"
#include "worker/evaluation/shown_embeddings.hpp"

namespace ditscale::worker {

using common::Json;

namespace {

/// Samples kept for a picture; at most one batch.
constexpr std::int64_t kShown = 100;
constexpr double kReportEvery_s = 30;

/// How far a score is, now and then.
class Pace {
 public:
  Pace(std::int64_t num_samples, std::int64_t done) : num_samples_(num_samples), first_(done) {}

  void tell(std::int64_t done) {
    const double now_s = clock_.monotonic_s();
    if (now_s < next_s_) return;
    next_s_ = now_s + kReportEvery_s;
    const double rate = static_cast<double>(done - first_) / (now_s - start_s_);
    spdlog::info("{} of {} samples, {:.3g} per second, about {:.0f} s left", done, num_samples_, rate,
                 static_cast<double>(num_samples_ - done) / rate);
  }

 private:
  common::SystemClock clock_;
  std::int64_t num_samples_, first_;
  double start_s_ = clock_.monotonic_s();
  double next_s_ = start_s_ + kReportEvery_s;
};

}  // namespace

Json Evaluation::to_json() const {
  Json json{{"settings", settings},
            {"settings_id", settings_id},
            {"values", scores.values()},
            {"standard_errors", scores.standard_errors()},
            {"reasons", scores.reasons()},
            {"num_samples", num_samples},
            {"covariance_rank", scores.covariance_rank},
            {"seconds", seconds},
            {"sampling_macs", sampling_macs}};
  return json;
}

Evaluator::Evaluator(const sweeps::TrialSpec& trial, const ImageSet& train_images,
                     const std::filesystem::path& cache_folder, torch::Device device, Communicator& communicator)
    : trial_(trial),
      train_images_(train_images),
      device_(device),
      communicator_(communicator),
      tools_(trial, train_images, cache_folder, device) {}

void Evaluator::prepare(const sweeps::EvaluateSpec& settings) {
  if (const FeatureNetwork* network = tools_.network(settings)) check_has(*network, parts_for(settings.metrics));
  (void)tools_.guide(settings);
  (void)tools_.decoder(settings);
  if (communicator_.is_first()) (void)tools_.reference(settings);
}

Json Evaluator::full_settings(const sweeps::EvaluateSpec& settings, const std::string& weights) {
  std::optional<ReferenceFacts> facts;
  if (const Reference* reference = tools_.reference(settings))
    facts = {reference->name, reference->num_images(), reference->digest};
  const FeatureNetwork* network = tools_.network(settings);
  const GuideModel* guide = tools_.guide(settings);
  const Vae* decoder = tools_.decoder(settings);
  const HelperDigests helpers{network == nullptr ? "" : network->digest(), guide == nullptr ? "" : guide->digest,
                              decoder == nullptr ? "" : decoder->digest()};
  const bool embeddings = trial_.model.conditioning == sweeps::Conditioning::kEmbeddings;
  return score_settings(settings, facts, helpers,
                        embeddings ? "training embeddings" : std::string(sweeps::to_name(settings.labels)), weights);
}

double Evaluator::macs_of(const EvaluationCount& evaluated, const sweeps::EvaluateSpec& settings) {
  double macs = static_cast<double>(evaluated.model) * static_cast<double>(sweeps::forward_macs(trial_.shape()));
  if (const GuideModel* guide = tools_.guide(settings)) {
    macs += static_cast<double>(evaluated.guide) * static_cast<double>(sweeps::forward_macs(guide->model->shape()));
  }
  return macs;
}

std::optional<FeatureJournal> Evaluator::open_journal(const sweeps::EvaluateSpec& settings, const EvaluationJob& job) {
  const FeatureNetwork* network = tools_.network(settings);
  if (job.journal.empty() || network == nullptr || !communicator_.is_first()) return std::nullopt;
  const FeatureParts parts = parts_for(settings.metrics);
  const std::string key = job.model_key + " " + common::canonical_text(full_settings(settings, job.weights));
  return FeatureJournal(
      job.journal, key,
      {network->width(), parts.spatial ? network->spatial_width() : 0, parts.logits ? network->num_classes() : 0});
}

bool Evaluator::collect(SampleStream& stream, const sweeps::EvaluateSpec& settings, const Watch& watch,
                        FeatureJournal* journal, ScoreCollector* collector) {
  if (journal != nullptr && journal->num_done() > 0) {
    spdlog::info("going on after {} of {} samples", journal->num_done(), settings.num_samples);
    journal->replay([&](std::int64_t first, const ImageFeatures& features) { collector->add(first, features); });
  }
  const std::int64_t done = communicator_.value_of_first(journal == nullptr ? 0 : journal->num_done());
  Pace pace(settings.num_samples, done);
  for (std::int64_t first = done; first < settings.num_samples; first += stream.stride()) {
    if (any_rank(communicator_, watch.stop(), device_)) return false;
    const ImageFeatures features = stream.next(first, watch.observe);
    if (journal != nullptr) journal->append(features);
    if (collector != nullptr) collector->add(first, features);
    if (communicator_.is_first()) pace.tell(std::min(first + stream.stride(), settings.num_samples));
  }
  return true;
}

std::optional<Evaluation> Evaluator::evaluate(const DiT& model, const sweeps::EvaluateSpec& settings,
                                              const EvaluationJob& job) {
  const common::SystemClock clock;
  const double start_s = clock.monotonic_s();
  prepare(settings);
  const GuideModel* guide = tools_.guide(settings);
  const Sampler sampler(model, trial_.objective, sampler_settings(settings), device_,
                        guide == nullptr ? DiT(nullptr) : guide->model);
  SampleStream stream(
      {sampler, settings, tools_.network(settings), parts_for(settings.metrics), tools_.decoder(settings),
       [&](std::int64_t first, std::int64_t count) {
         return shown_embeddings(trial_, train_images_, settings.sample_seed, first, count);
       }},
      communicator_, device_);
  std::optional<FeatureJournal> journal = open_journal(settings, job);
  std::optional<ScoreCollector> collector;
  if (communicator_.is_first() && tools_.network(settings) != nullptr)
    collector.emplace(settings.metrics, settings.num_samples, *tools_.network(settings));
  Evaluation result;
  if (communicator_.is_first()) result.settings = full_settings(settings, job.weights);
  result.settings_id = settings_id(result.settings);
  result.num_samples = settings.num_samples;
  const SampleStream::Observer observe = [&](std::int64_t first, const torch::Tensor& images) {
    if (first == 0) result.first_samples = images.narrow(0, 0, std::min(kShown, images.size(0)));
    job.observe(first, images);
  };
  try {
    if (!collect(stream, settings, {job.stop, observe}, journal ? &*journal : nullptr,
                 collector ? &*collector : nullptr))
      return std::nullopt;
    if (collector) result.scores = collector->finish(tools_.reference(settings));
    // An earlier process drew them.
    if (communicator_.is_first() && !result.first_samples.defined())
      result.first_samples = stream.images(0, std::min(kShown, settings.num_samples));
  } catch (const NotFinite& error) {
    result.scores = Scores::none(settings.metrics, error.what());
  }
  if (stream.num_drawn() > 0)
    result.sampling_macs = macs_of(sampler.evaluated(), settings) / static_cast<double>(stream.num_drawn()) *
                           static_cast<double>(settings.num_samples);
  result.seconds = clock.monotonic_s() - start_s;
  return result;
}

}  // namespace ditscale::worker
