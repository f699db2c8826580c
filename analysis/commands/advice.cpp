#include <algorithm>
#include <cmath>
#include <ostream>
#include <set>

#include <CLI/CLI.hpp>

#include "analysis/advice/suggestion.hpp"
#include "analysis/commands/checks.hpp"
#include "analysis/commands/correlation_text.hpp"
#include "analysis/commands/options.hpp"
#include "analysis/queries/rows.hpp"
#include "analysis/statistics/student.hpp"
#include "common/atomic_file.hpp"
#include "common/error.hpp"
#include "sweeps/spec/arithmetic.hpp"
#include "sweeps/spec/model_spec.hpp"
#include "sweeps/spec/sweep.hpp"

namespace ditscale::analysis {

using common::Json;

namespace {

void add_law_options(CLI::App& command, AdviceOptions& options) {
  command.add_option("--y", options.y, "fid or another score, loss")->capture_default_str();
  command.add_option("--x", options.x, "forward_macs, parameters or training_flops [what varies]");
  command.add_option("--settings", options.settings, "id (or its start) of the evaluation settings");
  command.add_option("--where", options.where, "only trials that match, as of `analysis query`");
}

Study study_of(const DatabaseOptions& database, const AdviceOptions& law) {
  return study_where(load_study(database.path()), law.where, law.settings);
}

/// Both ends of the interval of a score not yet measured: the law's own, widened by the noise of one run.
std::optional<Interval> prediction_interval(const StudyLaw& study, double x) {
  const FormReport& form = study.form();
  const auto law = form.bootstrap.interval([x](const Law& one) { return std::log(one.at(x)); });
  const auto one_run = run_noise(study.report, form);
  if (!law || !one_run) return std::nullopt;
  const double centre = std::log(form.fit->law().at(x));
  const double noise = student_quantile(0.975, one_run->freedom) * one_run->log_deviation;
  return Interval{std::exp(centre - std::hypot(centre - law->low, noise)),
                  std::exp(centre + std::hypot(law->high - centre, noise))};
}

/// 1 inside the data, else how many times beyond.
double extrapolation_ratio(const std::vector<FitPoint>& points, double x) {
  const std::vector<double> xs = xs_of(points);
  const auto [low, high] = std::minmax_element(xs.begin(), xs.end());
  return std::max({1.0, x / *high, *low / x});
}

std::string lengths_text(const std::set<std::int64_t>& images) {
  constexpr std::size_t kMostNamed = 5;
  return images.size() <= kMostNamed ? fmt::format("{}", fmt::join(images, ", "))
                                     : fmt::format("{} to {}", *images.begin(), *images.rbegin());
}

void check_length(const StudyLaw& law, const sweeps::TrialSpec& spec) {
  if (law.holds_for(spec)) return;
  throw common::ConfigError(
      fmt::format("the law over {} is one of trainings of {} images, and this configuration sees {} (train.steps {} x "
                  "train.global_batch {}): {}",
                  to_name(law.x), lengths_text(law.images), images_of(spec), spec.train.steps, spec.train.global_batch,
                  law.images.size() == 1 ? "set both so that it sees as many; a prediction of another length needs a "
                                           "study with several, and --x training_flops"
                                         : "take one of those lengths, or --x training_flops, which takes it in"));
}

struct PredictOptions {
  DatabaseOptions database;
  AdviceOptions law;
  std::string like;
  std::vector<std::string> set;
  bool json = false;
};

Json prediction_json(const Study& study, const StudyLaw& law, const sweeps::TrialSpec& spec) {
  const double x = x_of(spec, law.x);
  const Cost cost = cost_of(study, spec);
  const auto interval = prediction_interval(law, x);
  const auto why = law.form().bootstrap.why_no_interval();
  const auto& held_out = law.form().held_out;
  const bool rate_measured = cost.measured && is_like_measured(study, spec);
  std::vector<std::string> warnings = law.warnings();
  if (cost.measured && !rate_measured) {
    warnings.emplace_back(
        "the cost is a guess: other things took the time of all attempts so far (launches of kernels of a small model, "
        "work of a large one), so the rate of a model like this is not known");
  }
  return {{"model", sweeps::model_label(spec.model)},
          {"id", spec.id().str()},
          {"known", study.find(spec.id()) != nullptr},
          {"y", law.y_label},
          {"x", {{"name", to_name(law.x)}, {"value", x}}},
          {"score", law.law().at(x)},
          {"interval_95", interval ? Json{interval->low, interval->high} : Json(nullptr)},
          {"why_no_interval", interval || !why ? Json(nullptr) : Json(*why)},
          {"extrapolation_ratio", extrapolation_ratio(law.report.points, x)},
          {"law", law.law().text(6)},
          {"largest_held_out_predicted_over_measured", held_out ? Json(held_out->ratio) : Json(nullptr)},
          {"parameters", sweeps::count_parameters(spec.shape()).total},
          {"forward_macs", sweeps::forward_macs(spec.shape())},
          {"seconds", cost.seconds},
          {"device_hours", cost.device_hours},
          {"macs_per_s", cost.macs_per_s},
          {"rate_measured", rate_measured},
          {"left_out", left_out_json(law.left_out)},
          {"warnings", warnings}};
}

/// Which trials are not in the law, and what makes it doubtful.
std::string doubts_text(const StudyLaw& law, const std::vector<std::string>& warnings) {
  std::string text = left_out_text(law.left_out);
  for (const std::string& warning : warnings) text += "warning: " + warning + "\n";
  return text;
}

std::string prediction_text(const Json& p) {
  const auto number = [&](const char* key) { return p[key].get<double>(); };
  std::string text = fmt::format("{}: {} parameters, {:.4g} forward MACs\n", p["model"].get<std::string>(),
                                 p["parameters"].get<std::int64_t>(), number("forward_macs"));
  text += fmt::format("{}  {:.5g}", p["y"].get<std::string>(), number("score"));
  if (!p["interval_95"].is_null()) {
    text += fmt::format("  [{:.5g}, {:.5g}] 95 % for one run", p["interval_95"][0].get<double>(),
                        p["interval_95"][1].get<double>());
  }
  if (!p["why_no_interval"].is_null()) text += "\nno interval: " + p["why_no_interval"].get<std::string>();
  text += fmt::format("\nlaw  {} of {}\n", p["law"].get<std::string>(), p["x"]["name"].get<std::string>());
  const double ratio = number("extrapolation_ratio");
  text +=
      ratio > 1 ? fmt::format("extrapolation: {:.3g} times beyond the data", ratio) : std::string("inside the data");
  if (!p["largest_held_out_predicted_over_measured"].is_null()) {
    text += fmt::format("; without the largest x the law predicted {:.4g} times what was measured there",
                        number("largest_held_out_predicted_over_measured"));
  }
  text += fmt::format("\ncost  {:.4g} s, {:.4g} device-hours ({} rate of {:.3g} MACs/s)\n", number("seconds"),
                      number("device_hours"), p["rate_measured"].get<bool>() ? "measured" : "assumed",
                      number("macs_per_s"));
  return text;
}

void add_predict(CLI::App& app, Surroundings& surroundings) {
  auto options = std::make_shared<PredictOptions>();
  CLI::App* command = app.add_subcommand("predict", "score and cost of a configuration that was not run");
  options->database.add_to(*command);
  add_law_options(*command, options->law);
  command->add_option("--like", options->like, "id (or its start) of the trial to start from [the first]");
  command->add_option("--set", options->set, "what is different: model.width=256 (may be given again)")->required();
  command->add_flag("--json", options->json, "everything in full precision");
  command->footer("Example:\n  analysis predict --sweep fashion_mnist_demo --set model.width=256 --set model.patch=4");
  command->callback([options, &surroundings] {
    const Study study = study_of(options->database, options->law);
    const sweeps::TrialSpec spec = configuration_like(study, options->like, options->set);
    const StudyLaw law = study_law(study, options->law);
    check_length(law, spec);
    const Json prediction = prediction_json(study, law, spec);
    surroundings.out << (options->json ? prediction.dump(2) + "\n"
                                       : prediction_text(prediction) +
                                             doubts_text(law, prediction["warnings"].get<std::vector<std::string>>()));
  });
}

struct SuggestOptions {
  DatabaseOptions database;
  AdviceOptions law;
  Target target;
  std::size_t count = 3;
  std::string out;
  std::string name;
  bool json = false;
};

Table suggestion_table(const std::vector<Suggestion>& suggestions) {
  using Kind = Column::Kind;
  Table table;
  table.columns = {{"what"},
                   {"model"},
                   {"x", Kind::kNumber},
                   {"device-hours", Kind::kNumber},
                   {"half width before", Kind::kNumber},
                   {"after", Kind::kNumber},
                   {"gain per device-hour", Kind::kNumber}};
  for (const Suggestion& one : suggestions) {
    std::string what;
    for (const auto& [path, value] : one.candidate.axes.items())
      what += fmt::format("{}{}={}", what.empty() ? "" : " ", path, value.dump());
    table.rows.push_back({what, sweeps::model_label(one.candidate.spec.model), one.candidate.x,
                          one.candidate.cost.device_hours, one.half_width_before, one.half_width_after,
                          one.per_device_hour()});
  }
  return table;
}

/// Whether the trial will have a `y`: what is extrapolated comes of a score of its own.
bool is_scored(const sweeps::TrialSpec& spec, const std::string& y) {
  return is_loss(y) || std::any_of(spec.evaluate.begin(), spec.evaluate.end(), [&](const auto& evaluate) {
           return std::any_of(evaluate.metrics.begin(), evaluate.metrics.end(),
                              [&](const std::string& metric) { return y == metric || y == metric + "_infinity"; });
         });
}

void run_suggest(const SuggestOptions& options, Surroundings& surroundings) {
  const Study study = study_of(options.database, options.law);
  const StudyLaw law = study_law(study, options.law);
  Target target = options.target;
  if (target.parameter.empty() && target.at_x == 0) target.parameter = "alpha";
  const Candidates candidates = candidates_of(study, law);
  if (candidates.num_looked_at < candidates.num_combinations) {
    surroundings.notes << fmt::format("analysis: {} of {} combinations were looked at\n", candidates.num_looked_at,
                                      candidates.num_combinations);
  }
  const auto suggestions = suggest(law, candidates.list, target, options.count);
  if (suggestions.empty()) throw common::ConfigError("no configuration next to the study's could be built");
  const bool writes_sweep = options.json || !options.out.empty();
  if (writes_sweep && !is_scored(suggestions.front().candidate.spec, options.law.y)) {
    surroundings.notes << fmt::format(
        "analysis: warning: nothing under \"evaluate\" of this sweep gives {}: add what does before you run it\n",
        options.law.y);
  }
  const std::string name = options.name.empty() ? study.name + "_next" : options.name;
  const Json sweep =
      sweep_of(suggestions, name, fmt::format("Shrinks the interval of {} of {}.", target.text(), study.name));
  const std::string text = sweep.dump(2) + "\n";
  static_cast<void>(sweeps::expand_sweep(common::parse_json(text, name)));  // refuses what could not be submitted
  if (!options.out.empty()) common::write_file_atomically(options.out, text);
  if (options.json) {
    surroundings.out << Json{{"target", target.text()},
                             {"suggestions", to_json(suggestion_table(suggestions))},
                             {"left_out", left_out_json(law.left_out)},
                             {"warnings", law.warnings()},
                             {"sweep", sweep}}
                            .dump(2)
                     << "\n";
    return;
  }
  surroundings.out << fmt::format("to shrink the 95 % interval of {}, by the law {}:\n\n", target.text(),
                                  law.law().text(5))
                   << to_text(suggestion_table(suggestions), std::nullopt) << doubts_text(law, law.warnings());
  surroundings.out << (options.out.empty() ? std::string("\n--out FILE.json writes them as a sweep file\n")
                                           : fmt::format("\norchestrator run {}\n", options.out));
}

void add_suggest(CLI::App& app, Surroundings& surroundings) {
  auto options = std::make_shared<SuggestOptions>();
  CLI::App* command = app.add_subcommand("suggest", "which trials next: the most certainty per device-hour");
  options->database.add_to(*command);
  add_law_options(*command, options->law);
  auto* shrink =
      command->add_option("--shrink", options->target.parameter, "parameter of the law: alpha, E, A [alpha]");
  command->add_option("--at", options->target.at_x, "or the score at this x")->check(above_zero())->excludes(shrink);
  command->add_option("--count", options->count, "how many")->check(CLI::Range(1, 1000))->capture_default_str();
  command->add_option("--out", options->out, "sweep file to write");
  command->add_option("--name", options->name, "name of that sweep");
  command->add_flag("--json", options->json, "everything as JSON");
  command->footer("Example:\n  analysis suggest --sweep fashion_mnist_demo --shrink alpha --out next.json");
  command->callback([options, &surroundings] { run_suggest(*options, surroundings); });
}

}  // namespace

void add_advice_commands(CLI::App& app, Surroundings& surroundings) {
  add_predict(app, surroundings);
  add_suggest(app, surroundings);
}

}  // namespace ditscale::analysis
