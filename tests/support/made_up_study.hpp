#pragma once

#include <cmath>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "common/event.hpp"
#include "results/reader.hpp"
#include "results/records.hpp"
#include "results/writer.hpp"
#include "sweeps/spec/arithmetic.hpp"
#include "sweeps/spec/trial_spec.hpp"

/// Databases with made-up numbers, for tests only: every value below is invented.
namespace ditscale::test {

/// A small Fashion-MNIST trial that ends after 300 steps of 64 images.
inline sweeps::TrialSpec small_spec(std::int64_t width = 64, std::int64_t patch = 7, std::int64_t seed = 0) {
  sweeps::TrialSpec spec;
  spec.model.depth = 4;
  spec.model.width = width;
  spec.model.heads = 4;
  spec.model.patch = patch;
  spec.train.global_batch = 64;
  spec.train.steps = 300;
  spec.evaluate = {sweeps::EvaluateSpec{}};
  spec.seed = seed;
  return spec;
}

inline results::TrialRecord record_of(const sweeps::TrialSpec& spec, std::int64_t position = 0) {
  const sweeps::ModelShape shape = spec.shape();
  const sweeps::ParameterCount parameters = sweeps::count_parameters(shape);
  results::TrialRecord record;
  record.id = spec.id();
  record.label = "model.patch=" + std::to_string(spec.model.patch) + " model.width=" + std::to_string(spec.model.width);
  record.axes = {{"model.patch", spec.model.patch}, {"model.width", spec.model.width}};
  record.spec = spec.to_json();
  record.total_parameters = parameters.total;
  record.trainable_parameters = parameters.trainable;
  record.forward_macs = sweeps::forward_macs(shape);
  record.training_flops =
      sweeps::training_flops_per_image(shape) * static_cast<double>(spec.train.steps * spec.train.global_batch);
  record.position = position;
  return record;
}

/// Metrics of all trials, by trial, then step.
inline std::vector<results::MetricRow> all_metrics(const std::filesystem::path& database) {
  const results::ResultsReader reader(database);
  std::vector<results::MetricRow> all;
  for (const results::TrialRow& trial : reader.trials()) {
    for (results::MetricRow& row : reader.metrics(trial.trial.id)) all.push_back(std::move(row));
  }
  return all;
}

/// Writes the events of one attempt, numbered as they come.
class MadeUpAttempt {
 public:
  MadeUpAttempt(const sweeps::TrialSpec& spec, int number) : spec_(spec), number_(number) {}

  [[nodiscard]] results::AttemptRecord record(double started_s = 1000) const {
    results::AttemptRecord record;
    record.trial = spec_.id();
    record.number = common::AttemptNumber{number_};
    record.host = "here";
    record.devices = "cpu 0";
    record.predicted_s = 10;
    record.started_s = started_s;
    return record;
  }
  MadeUpAttempt& started(std::int64_t step) {
    return add("started", step,
               {{"device", "cpu"},
                {"device_name", "made up"},
                {"threads", 1},
                {"precision", "fp32"},
                {"host", "here"},
                {"pid", 4711},
                {"resumed_from", nullptr}});
  }
  MadeUpAttempt& metric(std::int64_t step, common::Json loss, double images_per_s = 640) {
    return add("metric", step,
               {{"loss", loss},
                {"loss_simple", loss},
                {"loss_vlb", 0.01},
                {"grad_norm", 1.0},
                {"lr", 1e-3},
                {"images_per_s", images_per_s},
                {"time_s", 0.1 * static_cast<double>(step)}});
  }
  MadeUpAttempt& evaluation(std::int64_t step, common::Json fid, std::int64_t num_samples = 2000,
                            double sampling_macs = 0, const std::string& features = "fashion_cnn") {
    const common::Json settings{
        {"sampler", "ddim"},      {"steps", 50},          {"guidance", 1.0},           {"num_samples", num_samples},
        {"sample_seed", 0},       {"features", features}, {"features_digest", "f00d"}, {"reference_digest", "beef"},
        {"rounding", "truncate"}, {"labels", "uniform"},  {"weights", "ema"}};
    common::Json body{{"settings", settings},
                      {"values", {{"fid", fid}}},
                      {"num_samples", num_samples},
                      {"seconds", 1.5},
                      {"sampling_macs", sampling_macs}};
    if (fid.is_null()) body["reason"] = "the covariance is not finite";
    return add("evaluation", step, body);
  }
  MadeUpAttempt& checkpoint(std::int64_t step) {
    return add("checkpoint", step,
               {{"file", "checkpoints/step-" + std::to_string(step) + ".h5"},
                {"bytes", 1000},
                {"digest", "abc"},
                {"seconds", 0.1}});
  }
  MadeUpAttempt& samples(std::int64_t step) {
    return add("samples", step, {{"file", "samples/step-" + std::to_string(step) + ".png"}});
  }
  MadeUpAttempt& outcome(std::int64_t step, const std::string& state, const std::string& reason = "") {
    return add("outcome", step, {{"state", state}, {"reason", reason}});
  }
  MadeUpAttempt& add(const std::string& kind, std::optional<std::int64_t> step, common::Json body) {
    if (step) {
      body["step"] = *step;
      body["images"] = *step * spec_.train.global_batch;
    }
    const auto number = static_cast<std::int64_t>(events_.size()) + 1;
    events_.push_back(
        {spec_.id(), common::AttemptNumber{number_}, {number, 1000.0 + static_cast<double>(number), kind, body}});
    return *this;
  }
  [[nodiscard]] const std::vector<results::AttemptEvent>& events() const { return events_; }

 private:
  sweeps::TrialSpec spec_;
  int number_;
  std::vector<results::AttemptEvent> events_;
};

/// Puts a finished trial of one attempt into the database: a loss curve that falls towards `final_loss`, and a FID at
/// each third of the training that ends at `final_fid` (none when empty).
inline void put_finished_trial(results::ResultsWriter& writer, const sweeps::TrialSpec& spec, std::int64_t position,
                               std::optional<double> final_fid, double final_loss = 0.2) {
  const std::vector<results::TrialRecord> records{record_of(spec, position)};
  writer.put_trials(records);
  MadeUpAttempt attempt(spec, 1);
  writer.start_attempt(attempt.record());
  attempt.started(0);
  const std::int64_t last = spec.train.steps;
  for (std::int64_t step = last / 30; step <= last; step += last / 30) {
    const double progress = static_cast<double>(step) / static_cast<double>(last);
    attempt.metric(step, final_loss / std::sqrt(progress) * (1 + 0.05 * std::sin(static_cast<double>(step))));
    if (step % (last / 3) == 0) {
      attempt.evaluation(step, final_fid ? common::Json(*final_fid / std::sqrt(progress)) : common::Json(nullptr));
    }
  }
  attempt.checkpoint(last).outcome(last, "succeeded");
  writer.ingest(attempt.events());
  writer.end_attempt(spec.id(), common::AttemptNumber{1}, results::TrialState::kSucceeded, "", 1030);
  writer.set_trial_state(spec.id(), results::TrialState::kSucceeded, "", 1030);
}

}  // namespace ditscale::test
