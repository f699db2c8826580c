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

/// Leaves a round of samples that need not be finished.
struct StopInRound {};

template <typename T>
Json or_null(const std::optional<T>& value) {
  return value ? Json(*value) : Json(nullptr);
}

ScoreRequest request_of(const sweeps::EvaluateSpec& settings) {
  return {{settings.metrics.begin(), settings.metrics.end()}};
}

/// Samples without a distribution: every score is empty for that reason.
Scores no_scores(const sweeps::EvaluateSpec& settings, const std::string& reason) {
  Scores scores;
  scores.num_samples = settings.num_samples;
  for (const std::string& metric : settings.metrics) scores.by_metric[metric] = {{}, {}, reason, {}};
  return scores;
}

}  // namespace

ReferenceFacts facts_of(const Reference& reference, const std::string& file) {
  const ReferenceContent& content = reference.content();
  if (file.empty()) return {content.name, content.num_images, content.data_digest};
  const std::string name = content.name.empty() ? std::filesystem::path(file).filename().string() : content.name;
  return {name, content.num_images, reference.digest()};
}

Json Evaluation::to_json() const {
  Json values = Json::object(), errors = Json::object(), reasons = Json::object(), notes = Json::object();
  for (const auto& [metric, score] : scores.by_metric) {
    values[metric] = or_null(score.value);
    errors[metric] = or_null(score.standard_error);
    if (!score.reason.empty()) reasons[metric] = score.reason;
    if (!score.note.empty()) notes[metric] = score.note;
  }
  return {{"settings", settings},       {"settings_id", settings_id},
          {"values", values},           {"standard_errors", errors},
          {"reasons", reasons},         {"notes", notes},
          {"num_samples", num_samples}, {"covariance_rank", or_null(scores.covariance_rank)},
          {"seconds", seconds},         {"sampling_macs", sampling_macs}};
}

Evaluator::Evaluator(const sweeps::TrialSpec& trial, const ImageSet& train_images,
                     const std::filesystem::path& cache_folder, torch::Device device, Communicator& communicator,
                     const std::function<void()>& alive)
    : trial_(trial),
      train_images_(train_images),
      device_(device),
      communicator_(communicator),
      alive_(alive),
      tools_(trial, train_images, cache_folder, device, alive) {}

void Evaluator::prepare(const sweeps::EvaluateSpec& settings) {
  if (const FeatureNetwork* network = tools_.network(settings)) check_has(*network, request_of(settings).parts());
  (void)tools_.guide(settings);
  (void)tools_.decoder(settings);
  if (!communicator_.is_first()) return;
  const Reference* reference = tools_.reference(settings);
  if (tools_.network(settings) != nullptr) check_reference(request_of(settings), widths_of(settings), reference);
}

Json Evaluator::full_settings(const sweeps::EvaluateSpec& settings, const std::string& weights) {
  std::optional<ReferenceFacts> facts;
  if (const Reference* reference = tools_.reference(settings)) facts = facts_of(*reference, settings.reference);
  const FeatureNetwork* network = tools_.network(settings);
  const GuideModel* guide = tools_.guide(settings);
  const Vae* decoder = tools_.decoder(settings);
  HelperDigests helpers;
  if (network != nullptr) helpers.features = network->digest();
  if (guide != nullptr) helpers.guide = guide->digest;
  if (decoder != nullptr) {
    helpers.decoder = decoder->digest();
    helpers.decoder_scaling_factor = decoder->scaling_factor();
    helpers.decoder_norm_groups = decoder->config().norm_groups;
  }
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

FeatureWidths Evaluator::widths_of(const sweeps::EvaluateSpec& settings) {
  if (tools_.network(settings) == nullptr) return {1, 0, 0};  // SampleStream's one column
  return FeatureWidths::of(*tools_.network(settings), request_of(settings).parts());
}

std::optional<FeatureJournal> Evaluator::open_journal(const sweeps::EvaluateSpec& settings, const EvaluationJob& job) {
  if (job.journal.empty() || !communicator_.is_first()) return std::nullopt;
  const std::string key = job.model_key + " " + common::canonical_text(full_settings(settings, job.weights));
  return FeatureJournal(job.journal, key, widths_of(settings));
}

bool Evaluator::collect(SampleStream& stream, const sweeps::EvaluateSpec& settings, const Watch& watch,
                        FeatureJournal* journal, ScoreCollector* collector) {
  if (journal != nullptr && journal->num_done() > 0) {
    spdlog::info("going on after {} of {} samples", journal->num_done(), settings.num_samples);
    if (collector != nullptr)
      journal->replay([&](std::int64_t first, const ImageFeatures& features) { collector->add(first, features); });
  }
  const std::int64_t done = communicator_.value_of_first(journal == nullptr ? 0 : journal->num_done());
  Pace pace(settings.num_samples, done);
  for (std::int64_t first = done; first < settings.num_samples; first += stream.stride()) {
    if (any_rank(communicator_, watch.stop(), device_)) return false;
    const ImageFeatures features = stream.next(first, watch.observe);
    if (journal != nullptr) journal->append(features);
    if (collector != nullptr) collector->add(first, features);
    alive_();
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
      {sampler, settings, tools_.network(settings), request_of(settings).parts(), tools_.decoder(settings),
       [&](std::int64_t first, std::int64_t count) {
         return shown_embeddings(trial_, train_images_, settings.sample_seed, first, count);
       },
       [&] {
         alive_();
         // A gang agrees on it between rounds: the others would wait for this rank's samples.
         if (communicator_.size() == 1 && job.stop()) throw StopInRound();
       }},
      communicator_, device_);
  std::optional<FeatureJournal> journal = open_journal(settings, job);
  std::optional<ScoreCollector> collector;
  if (communicator_.is_first() && tools_.network(settings) != nullptr)
    collector.emplace(request_of(settings), settings.num_samples, widths_of(settings));
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
  } catch (const StopInRound&) {
    return std::nullopt;
  } catch (const NotFinite& error) {
    result.not_finite = error.what();
    result.scores = no_scores(settings, result.not_finite);
    result.sampling_macs = macs_of(sampler.evaluated(), settings) * static_cast<double>(communicator_.size());
  }
  if (result.not_finite.empty() && stream.num_drawn() > 0)
    result.sampling_macs = macs_of(sampler.evaluated(), settings) / static_cast<double>(stream.num_drawn()) *
                           static_cast<double>(settings.num_samples);
  result.seconds = clock.monotonic_s() - start_s;
  return result;
}

}  // namespace ditscale::worker
