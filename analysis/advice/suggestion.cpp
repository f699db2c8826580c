#include "analysis/advice/suggestion.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <optional>
#include <set>

#include <Eigen/Dense>

#include "analysis/statistics/student.hpp"
#include "common/error.hpp"
#include "sweeps/spec/json_path.hpp"

namespace ditscale::analysis {

using common::Json;

namespace {

constexpr std::size_t kMostCandidates = 2000;
/// Of combinations, most of which may be impossible or known.
constexpr std::uint64_t kMostTries = 20'000;
/// More combinations than that are as if they were that many.
constexpr std::uint64_t kMostCombinations = 1'000'000'000'000'000'000;

/// Parameters as the covariance sees them: logarithms of what is positive, so that none dwarfs another.
Eigen::VectorXd coordinates(const Law& law) {
  Eigen::VectorXd place(static_cast<Eigen::Index>(law.size()));
  for (std::size_t i = 0; i < law.size(); ++i) place[static_cast<Eigen::Index>(i)] = law.values[i];
  return place;
}

/// d quantity / d ln parameter; a parameter that is 0 has none.
template <typename Quantity>
Eigen::VectorXd gradient(const Law& law, const Quantity& quantity) {
  constexpr double kStep = 1e-5;
  Eigen::VectorXd result = Eigen::VectorXd::Zero(coordinates(law).size());
  for (std::size_t i = 0; i < law.size(); ++i) {
    Law up = law;
    Law down = law;
    up.values[i] *= 1 + kStep;
    down.values[i] *= 1 - kStep;
    result[static_cast<Eigen::Index>(i)] = (quantity(up) - quantity(down)) / (2 * kStep);
  }
  return result;
}

Eigen::VectorXd gradient_at(const Law& law, double x) {
  return gradient(law, [x](const Law& l) { return std::log(l.at(x)); });
}

Eigen::VectorXd gradient_of(const Law& law, const Target& target) {
  if (target.parameter.empty()) return gradient_at(law, target.at_x);
  const auto names = facts_of(law.form).parameters;
  if (std::find(names.begin(), names.end(), target.parameter) == names.end()) {
    throw common::UsageError(fmt::format("--shrink {}: the law that was taken ({}) has {}", target.parameter,
                                         facts_of(law.form).name, fmt::join(names, ", ")));
  }
  return gradient(law, [&](const Law& l) { return l.value(target.parameter); });
}

/// Values between neighbours, and beyond both ends; whole where all are whole.
std::set<double> neighbours_of(const std::set<double>& values, bool whole) {
  std::set<double> result(values.begin(), values.end());
  result.insert(*values.begin() / 2);
  result.insert(*values.rbegin() * 1.5);
  for (auto next = std::next(values.begin()); next != values.end(); ++next) {
    result.insert(std::sqrt(*std::prev(next) * *next));
  }
  if (!whole) return result;
  std::set<double> rounded;
  // Widths must divide by heads and by 4: multiples of 16 where they are large suit most.
  for (const double value : result) rounded.insert(value >= 32 ? 16 * std::round(value / 16) : std::round(value));
  rounded.insert(values.begin(), values.end());
  return rounded;
}

struct AxisValues {
  std::string path;
  std::vector<Json> values;
};

/// Whether the study's cells are told apart by published names.
bool named_models(const Study& study) {
  return std::any_of(study.trials.begin(), study.trials.end(),
                     [](const StudyTrial& trial) { return trial.axes().contains("model"); });
}

/// The trial with the best score among the law's.
const StudyTrial& best_trial(const Study& study, const StudyLaw& law) {
  const auto& points = law.report.points;
  const auto best = std::min_element(points.begin(), points.end(), [&](const FitPoint& a, const FitPoint& b) {
    return law.higher_is_better ? a.y > b.y : a.y < b.y;
  });
  return *std::find_if(study.trials.begin(), study.trials.end(),
                       [&](const StudyTrial& trial) { return trial.id().str() == best->run; });
}

/// Whether x changes along the axis; what cannot be built says nothing.
bool moves_x(const AxisValues& axis, const Json& base, XQuantity quantity) {
  std::set<double> xs;
  for (const Json& value : axis.values) {
    Json spec = base;
    sweeps::set_path(spec, axis.path, value, axis.path);
    try {
      xs.insert(x_of(sweeps::trial_spec_from(common::JsonDocument{spec, "candidate", {}, {}, {}}), quantity));
    } catch (const common::ConfigError&) {
      continue;
    }
  }
  return xs.size() > 1;
}

/// Axes that cannot move x make no new point of the law: the best trial's value is held.
void hold_what_moves_nothing(std::vector<AxisValues>& axes, const Json& best, XQuantity quantity) {
  for (AxisValues& axis : axes) {
    const Json value = sweeps::value_at(best, axis.path);
    if (axis.path == "model" || axis.values.size() < 2 || value.is_null()) continue;
    if (!moves_x(axis, best, quantity)) axis.values = {value};
  }
}

/// A published name stands for all its fields: a model of another depth is spelled out.
void name_or_spell(Candidate& candidate) {
  const auto depth = candidate.axes.find("model.depth");
  if (depth == candidate.axes.end() || !candidate.axes.contains("model")) return;
  const auto named = sweeps::named_model(candidate.axes["model"].get<std::string>());
  const sweeps::ModelSpec& model = candidate.spec.model;
  if (named && named->depth == model.depth) {
    candidate.axes.erase(depth);
    return;
  }
  candidate.axes.erase("model");
  candidate.axes.update({{"model.width", model.width}, {"model.heads", model.heads}, {"model.patch", model.patch}});
}

std::vector<AxisValues> axes_of(const Study& study) {
  std::map<std::string, std::set<Json>> seen;
  for (const StudyTrial& trial : study.trials) {
    for (const auto& [path, value] : trial.axes().items()) {
      const Json stored = sweeps::value_at(trial.spec(), path);
      if (path != "seed" && !stored.is_null() && !stored.is_object()) seen[path].insert(stored);
    }
  }
  std::vector<AxisValues> axes;
  if (named_models(study)) {
    // Published sizes, and depths between and beyond theirs.
    AxisValues names{"model", {}};
    for (const std::string& name : sweeps::named_model_names()) names.values.emplace_back(name);
    axes.push_back(std::move(names));
    seen.erase("model.patch");
    for (const StudyTrial& trial : study.trials) {
      seen["model.depth"].insert(sweeps::value_at(trial.spec(), "model.depth"));
    }
  }
  for (const auto& [path, values] : seen) {
    AxisValues axis{path, {values.begin(), values.end()}};
    const bool numbers = std::all_of(values.begin(), values.end(), [](const Json& v) { return v.is_number(); });
    const bool whole = std::all_of(values.begin(), values.end(), [](const Json& v) { return v.is_number_integer(); });
    if (numbers && values.size() > 1 && path != "model.patch" && path != "model.heads") {
      std::set<double> plain;
      for (const Json& value : values) plain.insert(value.get<double>());
      axis.values.clear();
      for (const double value : neighbours_of(plain, whole)) {
        axis.values.push_back(whole ? Json(static_cast<std::int64_t>(value)) : Json(value));
      }
    }
    axes.push_back(std::move(axis));
  }
  return axes;
}

std::uint64_t combinations_of(const std::vector<AxisValues>& axes) {
  std::uint64_t count = 1;
  for (const AxisValues& axis : axes) {
    const std::uint64_t values = axis.values.size();
    count = count > kMostCombinations / values ? kMostCombinations : count * values;
  }
  return count;
}

/// Steps of this length come to each of `count` combinations once. Where not all are looked at it is the golden section
/// of them, so that the first are from all over the grid.
std::uint64_t stride_through(std::uint64_t count) {
  if (count <= kMostCandidates) return 1;
  auto stride = static_cast<std::uint64_t>(0.6180339887498949 * static_cast<double>(count));
  while (std::gcd(stride, count) != 1) ++stride;
  return stride;
}

/// Combination of that number; empty when it cannot be built, was run, or the law does not hold for it.
std::optional<Candidate> candidate_at(std::uint64_t number, const std::vector<AxisValues>& axes, const Json& base,
                                      const Study& study, const StudyLaw& law) {
  Candidate candidate;
  Json spec = base;
  for (const AxisValues& axis : axes) {
    const Json& value = axis.values[number % axis.values.size()];
    number /= axis.values.size();
    if (axis.path == "model") spec["model"] = Json::object();
    sweeps::set_path(spec, axis.path, value, axis.path);
    candidate.axes[axis.path] = value;
  }
  try {
    candidate.spec = sweeps::trial_spec_from(common::JsonDocument{spec, "candidate", {}, {}, {}});
  } catch (const common::ConfigError&) {
    return std::nullopt;  // a width that its heads do not divide, and the like
  }
  if (study.find(candidate.spec.id()) != nullptr || !law.holds_for(candidate.spec)) return std::nullopt;
  name_or_spell(candidate);
  candidate.x = x_of(candidate.spec, law.x);
  candidate.cost = cost_of(study, candidate.spec);
  return candidate;
}

}  // namespace

std::string Target::text() const {
  return parameter.empty() ? fmt::format("the score at x = {:.4g}", at_x) : parameter;
}

Candidates candidates_of(const Study& study, const StudyLaw& law) {
  std::vector<AxisValues> axes = axes_of(study);
  if (axes.empty())
    throw common::ConfigError("the study has no axes to go on from: its trials differ in nothing known");
  Json base = study.trials.front().spec();
  base.erase("imported");
  Json best = best_trial(study, law).spec();
  best.erase("imported");
  hold_what_moves_nothing(axes, best, law.x);
  Candidates found;
  found.num_combinations = combinations_of(axes);
  const std::uint64_t stride = stride_through(found.num_combinations);
  const std::uint64_t most_tries = std::min(found.num_combinations, kMostTries);
  std::uint64_t number = 0;
  while (found.num_looked_at < most_tries && found.list.size() < kMostCandidates) {
    if (auto candidate = candidate_at(number, axes, base, study, law)) found.list.push_back(std::move(*candidate));
    ++found.num_looked_at;
    number = (number + stride) % found.num_combinations;
  }
  return found;
}

std::vector<Suggestion> suggest(const StudyLaw& study, std::vector<Candidate> candidates, const Target& target,
                                std::size_t count) {
  const Law& law = study.law();
  const auto size = static_cast<Eigen::Index>(law.size());
  const auto noise = run_noise(study.report, study.form());
  if (!noise) throw common::ConfigError("as many parameters as points: there is no interval to shrink yet");
  const double scale = noise->log_deviation * student_quantile(0.975, noise->freedom);
  // A hundred-millionth of the trace keeps a parameter that is 0 (no floor) from making it singular.
  Eigen::MatrixXd information = Eigen::MatrixXd::Zero(size, size);
  for (const FitPoint& point : study.report.points) {
    const Eigen::VectorXd row = gradient_at(law, point.x);
    information += row * row.transpose();
  }
  information.diagonal().array() += 1e-8 * information.trace();
  const Eigen::VectorXd direction = gradient_of(law, target);
  const auto half_width = [&](const Eigen::MatrixXd& matrix) {
    return scale * std::sqrt(direction.dot(matrix.ldlt().solve(direction)));
  };
  std::vector<Suggestion> chosen;
  while (chosen.size() < count && !candidates.empty()) {
    const double before = half_width(information);
    std::size_t best = 0;
    Suggestion taken;
    for (std::size_t i = 0; i < candidates.size(); ++i) {
      const Eigen::VectorXd row = gradient_at(law, candidates[i].x);
      const Suggestion one{candidates[i], before, half_width(information + row * row.transpose())};
      if (i > 0 && one.per_device_hour() <= taken.per_device_hour()) continue;
      best = i;
      taken = one;
    }
    const Eigen::VectorXd row = gradient_at(law, taken.candidate.x);
    information += row * row.transpose();
    candidates.erase(candidates.begin() + static_cast<std::ptrdiff_t>(best));
    chosen.push_back(std::move(taken));
  }
  return chosen;
}

Json sweep_of(const std::vector<Suggestion>& suggestions, const std::string& name, const std::string& description) {
  Json base = suggestions.front().candidate.spec.to_json();
  Json include = Json::array();
  for (const Suggestion& one : suggestions) include.push_back(one.candidate.axes);
  return {{"name", name}, {"description", description}, {"base", std::move(base)}, {"include", std::move(include)}};
}

}  // namespace ditscale::analysis
