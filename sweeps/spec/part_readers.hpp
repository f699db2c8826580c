#pragma once

#include <string>

#include "common/object_reader.hpp"
#include "sweeps/spec/trial_spec.hpp"

namespace ditscale::sweeps {

/// Strict readers of a trial's parts, each over the defaults it is given; all throw ConfigError.

void read_data(common::ObjectReader& reader, DataSpec& data);
void read_model(common::ObjectReader& reader, ModelSpec& model);
void read_objective(common::ObjectReader& reader, ObjectiveSpec& objective);
void read_train(common::ObjectReader& reader, TrainSpec& train);
/// `train` is the trial's: its batch must divide among the processes.
void read_resources(common::ObjectReader& reader, ResourceSpec& resources, const TrainSpec& train);
/// `trial` holds all other parts already: a score must fit them.
void read_evaluate(common::ObjectReader& reader, EvaluateSpec& evaluate, const TrialSpec& trial);

[[nodiscard]] ModelSpec named_model_or_fail(common::ObjectReader& reader, const std::string& key,
                                            const std::string& name);

inline constexpr common::Range kPositive{1, 1e12};
inline constexpr common::Range kCount{0, 1e12};
/// Seeds and images seen stay whole when a tool reads them as doubles.
inline constexpr double kLargestWhole = 9e15;

template <typename E>
void read_choice(common::ObjectReader& reader, const std::string& key, E& out) {
  std::string name{to_name(out)};
  reader.get_choice(key, name, choice_names<E>());
  out = *choice_from<E>(name);
}

}  // namespace ditscale::sweeps
