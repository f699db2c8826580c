#include <memory>
#include <variant>

#include <ATen/Parallel.h>
#include <fmt/format.h>

#include "common/clock.hpp"
#include "common/error.hpp"
#include "common/exit_code.hpp"
#include "common/json_document.hpp"
#include "worker/commands/commands.hpp"
#include "worker/evaluation/scores/adm_reference.hpp"
#include "worker/evaluation/scores/features_file.hpp"
#include "worker/evaluation/scores/reference_file.hpp"
#include "worker/storage/npz_file.hpp"

namespace ditscale::worker {

using common::ConfigError;
using common::Json;

namespace {

struct DistanceOptions {
  std::string samples;
  std::string reference;
  std::vector<std::string> metrics;
  int threads = 0;
  bool json = false;
};

/// Scores and how long they took.
struct Distances {
  Scores scores;
  double reference_s = 0;
  double seconds = 0;
};

std::variant<FeatureSet, Reference> read_side(const std::string& path) {
  if (is_reference_file(path)) return read_reference(path);
  const NpzFile file = NpzFile::open(path);
  if (file.has("pooled")) return read_features(path);
  if (file.has("mu")) return read_adm_reference(path);
  throw ConfigError(fmt::format("{}: holds neither features (pooled) nor statistics (mu, sigma)", path));
}

Reference as_reference(std::variant<FeatureSet, Reference> side, const std::string& path) {
  if (auto* reference = std::get_if<Reference>(&side)) return std::move(*reference);
  return reference_of(std::get<FeatureSet>(side), path);
}

/// A network that is not named fits any: widths are all that can be held against it.
void check_network(const std::string& name, const std::string& digest, const Reference& reference) {
  if (!name.empty() && !reference.content().network.empty()) reference.check_made_by(name, digest);
}

/// What both sides allow.
std::set<std::string> possible_metrics(const FeatureSet& samples, const Reference& reference) {
  std::set<std::string> metrics{std::string(metric::kFid), std::string(metric::kFidInfinity)};
  if (samples.features.spatial.defined() && reference.content().spatial) metrics.emplace(metric::kSfid);
  if (samples.features.logits.defined()) metrics.emplace(metric::kInceptionScore);
  if (reference.content().features.defined()) {
    for (const std::string_view name : {metric::kPrecision, metric::kRecall, metric::kKid}) metrics.emplace(name);
  }
  return metrics;
}

std::set<std::string> possible_metrics(const Reference& samples, const Reference& reference) {
  std::set<std::string> metrics{std::string(metric::kFid)};
  if (samples.content().spatial && reference.content().spatial) metrics.emplace(metric::kSfid);
  return metrics;
}

/// Of features everything can be computed that the reference allows.
Scores score(const FeatureSet& samples, const Reference& reference, const std::set<std::string>& metrics) {
  ScoreCollector collector({metrics}, samples.num_images(), samples.widths());
  collector.add(0, samples.features);
  return collector.finish(&reference);
}

/// Of statistics only distances, without errors.
Scores score(const Reference& samples, const Reference& reference, const std::set<std::string>& metrics) {
  const auto possible = possible_metrics(samples, reference);
  for (const std::string& name : metrics) {
    if (!possible.contains(name))
      throw ConfigError(fmt::format("score {}: two files of statistics allow {}", name, fmt::join(possible, ", ")));
  }
  Scores scores;
  scores.num_samples = samples.content().num_images.value_or(0);
  const auto add = [&](std::string_view name, const FrechetReference& root, const GaussianStats& stats) {
    const FrechetResult frechet = root.distance(stats);
    scores.by_metric.emplace(name, Score{frechet.value, std::nullopt, "statistics without samples have no error", {}});
    return frechet.rank;
  };
  if (metrics.contains(std::string(metric::kFid)))
    scores.covariance_rank = add(metric::kFid, reference.pooled(), samples.content().pooled);
  if (metrics.contains(std::string(metric::kSfid)))
    scores.spatial_covariance_rank = add(metric::kSfid, reference.spatial(), *samples.content().spatial);
  return scores;
}

void check_widths(std::int64_t samples, const Reference& reference, const DistanceOptions& options) {
  if (samples != reference.width())
    throw ConfigError(fmt::format("{} has features of width {}, {} of width {}: they are of different networks",
                                  options.samples, samples, options.reference, reference.width()));
}

template <typename Samples>
Distances timed_scores(const Samples& samples, const Reference& reference, const DistanceOptions& options) {
  std::set<std::string> metrics(options.metrics.begin(), options.metrics.end());
  if (metrics.empty()) metrics = possible_metrics(samples, reference);
  const common::SystemClock clock;
  const double start_s = clock.monotonic_s();
  (void)reference.pooled();
  const double ready_s = clock.monotonic_s();
  Distances distances{score(samples, reference, metrics), ready_s - start_s, 0};
  distances.seconds = clock.monotonic_s() - ready_s;
  return distances;
}

Distances distances_of(const DistanceOptions& options) {
  auto side = read_side(options.samples);
  const Reference reference = as_reference(read_side(options.reference), options.reference);
  if (const auto* features = std::get_if<FeatureSet>(&side)) {
    check_network(features->network, features->digest, reference);
    check_widths(features->widths().pooled, reference, options);
    return timed_scores(*features, reference, options);
  }
  const Reference& statistics = std::get<Reference>(side);
  check_network(statistics.content().network, statistics.content().network_digest, reference);
  check_widths(statistics.width(), reference, options);
  return timed_scores(statistics, reference, options);
}

Json or_null(const auto& value) { return value ? Json(*value) : Json(nullptr); }

Json as_json(const Distances& distances) {
  Json metrics = Json::object();
  for (const auto& [name, score] : distances.scores.by_metric) {
    metrics[name] = {{"value", or_null(score.value)},
                     {"standard_error", or_null(score.standard_error)},
                     {"reason", score.reason},
                     {"note", score.note}};
  }
  const std::int64_t count = distances.scores.num_samples;
  return {{"num_samples", count == 0 ? Json(nullptr) : Json(count)},
          {"covariance_rank", or_null(distances.scores.covariance_rank)},
          {"spatial_covariance_rank", or_null(distances.scores.spatial_covariance_rank)},
          {"reference_seconds", distances.reference_s},
          {"seconds", distances.seconds},
          {"metrics", metrics}};
}

void print(const Distances& distances) {
  for (const auto& [name, score] : distances.scores.by_metric) {
    const std::string value = score.value ? fmt::format("{:.6g}", *score.value) : "-";
    const std::string error = score.standard_error ? fmt::format("+- {:.2g}", *score.standard_error) : "";
    const std::string remark = score.reason.empty() ? score.note : score.reason;
    fmt::print("{:<16} {:>12} {:<12} {}\n", name, value, error, remark);
  }
  if (distances.scores.covariance_rank)
    fmt::print("{:<16} {:>12}\n", "covariance rank", *distances.scores.covariance_rank);
}

int run(const DistanceOptions& options) {
  if (options.threads > 0) at::set_num_threads(options.threads);
  const Distances distances = distances_of(options);
  if (options.json) {
    fmt::print("{}\n", as_json(distances).dump(2));
  } else {
    print(distances);
  }
  return common::to_int(common::ExitCode::kDone);
}

}  // namespace

void add_distance_command(CLI::App& app, Context& context) {
  auto options = std::make_shared<DistanceOptions>();
  CLI::App* command = app.add_subcommand("distance", "Score a file of features, or of statistics, against another");
  constexpr char kFiles[] = "features (npz: pooled, spatial, logits), statistics (npz: mu, sigma) or a reference";
  command->add_option("samples", options->samples, std::string("The samples': ") + kFiles)->required();
  command->add_option("reference", options->reference, std::string("The real images': ") + kFiles)->required();
  command
      ->add_option("--metrics", options->metrics,
                   fmt::format("Some of {}; default: what the files allow", fmt::join(metric::kAll, ", ")))
      ->delimiter(',');
  command->add_option("--threads", options->threads, "Threads; default: all processors")->check(CLI::Range(1, 4096));
  command->add_flag("--json", options->json, "Print JSON");
  command->footer("Example: worker distance samples.npz imagenet_256.h5 --metrics fid,kid");
  command->callback([options, &context] { context.action = [options] { return run(*options); }; });
}

}  // namespace ditscale::worker
