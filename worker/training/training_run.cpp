#include "worker/training/training_run.hpp"

#include <algorithm>

#include <spdlog/spdlog.h>
#include <unistd.h>

#include "common/atomic_file.hpp"
#include "common/error.hpp"
#include "sweeps/spec/arithmetic.hpp"
#include "sweeps/spec/cost.hpp"
#include "worker/checkpoint/ema_snapshot.hpp"
#include "worker/checkpoint/weights_file.hpp"
#include "worker/commands/checkpoint_argument.hpp"
#include "worker/distributed/gather_rows.hpp"
#include "worker/evaluation/image_grid.hpp"
#include "worker/evaluation/score_report.hpp"
#include "worker/evaluation/score_settings.hpp"
#include "worker/training/scored_weights.hpp"
#include "worker/training/stop_request.hpp"

namespace ditscale::worker {

using common::Json;

namespace {

constexpr std::int64_t kGridColumns = 10;

std::string host_name() {
  char name[256] = "";
  ::gethostname(name, sizeof name - 1);
  return name;
}

/// The trial a checkpoint was made for, as it would be read today.
common::TrialId id_of(const Json& trial, const std::string& file) {
  common::JsonDocument document;
  document.value = trial;
  document.source = file;
  return sweeps::trial_spec_from(document).id();
}

std::filesystem::path score_file(const common::TrialPaths& paths, std::int64_t step, const std::string& id) {
  return paths.evaluations() / fmt::format("step-{}-{}.json", step, id);
}

/// What was scored before; empty when nothing was.
std::optional<Json> scores_in(const std::filesystem::path& file) {
  if (!std::filesystem::exists(file)) return std::nullopt;
  const Json scores = common::read_json(file).value;
  if (!scores.is_object() || !scores.contains("values") || !scores["values"].is_object())
    throw common::CorruptData(
        fmt::format("{}: these are no scores; remove the file to have them made again", file.string()));
  return scores;
}

}  // namespace

TrainingRun::TrainingRun(const sweeps::TrialSpec& trial, const AttemptOptions& options, Communicator& communicator,
                         torch::Device device, EventLog* events)
    : trial_(trial),
      options_(options),
      communicator_(communicator),
      device_(device),
      events_(events),
      images_(load_image_set(trial.data, Split::kTrain)),
      source_(images_, trial),
      state_(trial.shape(), static_cast<std::uint64_t>(trial.seed), device),
      checkpoints_(std::make_unique<CheckpointStore>(options.paths, trial.checkpoint.keep)),
      precision_(choose_precision(trial.train.precision, device)) {
  if (trial.train.post_hoc_ema_every_steps) state_.keep_power_ema();
  resume();
  step_ = std::make_unique<TrainStep>(trial_, source_, communicator_, state_, precision_);
  evaluator_ = std::make_unique<Evaluator>(trial_, images_, options_.cache_folder, device_, communicator_,
                                           [this] { say_alive(); });
  // A file that is missing or does not fit is refused before it has cost a day of training.
  for (const sweeps::EvaluateSpec& settings : trial_.evaluate) evaluator_->prepare(settings);
}

void TrainingRun::resume() {
  constexpr std::int64_t kAnew = -1;
  std::int64_t step = kAnew;
  if (communicator_.is_first()) {
    checkpoints_->prepare();
    const auto newest = checkpoints_->newest_valid([](const std::string& file, const std::string& reason) {
      spdlog::warn("checkpoint {} is left aside: {}", file, reason);
    });
    if (newest) step = newest->step;
  }
  step = communicator_.value_of_first(step);  // all ranks go on from the same one
  if (step != kAnew) go_on_from(step);
  if (communicator_.is_first()) remove_beyond(step, options_.paths);
  report_start(step == kAnew ? "" : options_.paths.checkpoint(step).filename().string());
}

void TrainingRun::go_on_from(std::int64_t step) {
  const auto file = options_.paths.checkpoint(step);
  const CheckpointHeader header = read_checkpoint_header(file);
  check_header(header, file.string());
  if (header.precision != to_name(precision_)) {
    precision_ = choose_precision(header.precision, device_);  // a run keeps the precision it began with, or is refused
  }
  load_checkpoint_file(file, state_);
  saved_step_ = state_.step;
}

void TrainingRun::check_header(const CheckpointHeader& header, const std::string& file) const {
  if (id_of(header.trial, file) != trial_.id()) {
    throw common::ConfigError(fmt::format("{} belongs to trial {}, this is {}: the folder was used for another trial",
                                          file, id_of(header.trial, file).str(), trial_.id().str()));
  }
  if (header.data_digest != images_.digest) {
    throw common::ConfigError(fmt::format("{} was trained on other images (digest {}, now {}): check data.root", file,
                                          header.data_digest, images_.digest));
  }
  if (header.step > trial_.train.steps || header.images_seen != header.step * trial_.train.global_batch) {
    throw common::CorruptData(fmt::format("{} says step {} of {} and {} images at a batch of {}", file, header.step,
                                          trial_.train.steps, header.images_seen, trial_.train.global_batch));
  }
}

void TrainingRun::report_start(const std::string& resumed_from) {
  emit("started", {{"step", state_.step},
                   {"images", state_.images_seen},
                   {"resumed_from", resumed_from.empty() ? Json(nullptr) : Json(resumed_from)},
                   {"device", device_.str()},
                   {"device_name", device_name(device_)},
                   {"threads", options_.threads},
                   {"processes", communicator_.size()},
                   {"precision", to_name(precision_)},
                   {"data_digest", images_.digest},
                   {"data_images", images_.num_images()},
                   {"host", host_name()},
                   {"pid", ::getpid()},
                   {"parameters", sweeps::count_parameters(trial_.shape()).trainable}});
}

void TrainingRun::emit(const std::string& kind, Json body) {
  if (events_ != nullptr) events_->append(kind, std::move(body));
}

void TrainingRun::say_alive() {
  if (events_ != nullptr) events_->say_alive({{"step", state_.step}});
}

Outcome TrainingRun::run() {
  if (!do_what_is_due()) return preempted();  // scores that a kill left undone
  while (state_.step < trial_.train.steps) {
    // A gang agrees on it in the step, whose sums all ranks wait for anyway.
    if (communicator_.size() == 1 && stop_requested()) return preempted();
    const double start_s = clock_.monotonic_s();
    const StepResult result = step_->run(stop_requested());
    if (!result.finite()) {
      checkpoints_->wait();
      return {OutcomeState::kDiverged,
              fmt::format("loss {} and gradient norm {} at step {}: lower train.lr, or set train.clip_norm",
                          result.loss, result.grad_norm, state_.step + 1)};
    }
    const double seconds = clock_.monotonic_s() - start_s;
    state_.training_s += seconds;
    count(result, seconds);
    report_metric(result);
    say_alive();
    ++num_trained_;
    if (result.stop) return preempted();
    if (!do_what_is_due()) return preempted();
  }
  checkpoints_->wait();
  const auto num_due = communicator_.value_of_first(
      communicator_.is_first() ? static_cast<std::int64_t>(list_scored_weights(options_.paths).size()) : 0);
  if (num_due > 0 && num_trained_ > 0) {
    // The devices are free for what is longer; the next attempt at this trial finds nothing to train.
    return {OutcomeState::kPreempted, fmt::format("trained; scores of {} steps are made apart", num_due)};
  }
  if (num_due > 0 && !make_scores_apart()) return preempted();
  return {OutcomeState::kSucceeded, ""};
}

void TrainingRun::count(const StepResult& result, double seconds) {
  MetricWindow& window = state_.window;
  window.loss_sum += result.loss;
  window.loss_simple_sum += result.loss_simple;
  window.loss_vlb_sum += result.loss_vlb;
  window.seconds += seconds;
  window.images += trial_.train.global_batch;
  window.steps += 1;
}

Outcome TrainingRun::preempted() {
  if (saved_step_ != state_.step) save_checkpoint();
  checkpoints_->wait();
  return {OutcomeState::kPreempted, fmt::format("asked to stop after step {}", state_.step)};
}

void TrainingRun::report_metric(const StepResult& result) {
  if (state_.step % trial_.train.log_every_steps != 0 && state_.step != trial_.train.steps) return;
  emit("metric", {{"step", state_.step},
                  {"images", state_.images_seen},
                  {"loss", state_.window.loss()},
                  {"loss_simple", state_.window.loss_simple()},
                  {"loss_vlb", trial_.objective.learn_variance ? Json(state_.window.loss_vlb()) : Json(nullptr)},
                  {"grad_norm", result.grad_norm},
                  {"lr", result.lr},
                  {"images_per_s", state_.window.images_per_s()},
                  {"time_s", state_.training_s}});
  spdlog::info("step {}/{}  loss {:.4f}  {:.0f} images/s", state_.step, trial_.train.steps, state_.window.loss(),
               state_.window.images_per_s());
  state_.window = {};
}

bool TrainingRun::score_is_due(const sweeps::EvaluateSpec& settings, std::int64_t step) const {
  return step > 0 && (step % settings.every_steps == 0 || step == trial_.train.steps);
}

bool TrainingRun::any_score_is_due(bool apart) const {
  return std::any_of(trial_.evaluate.begin(), trial_.evaluate.end(),
                     [&](const auto& e) { return e.apart == apart && score_is_due(e, state_.step); });
}

bool TrainingRun::do_what_is_due() {
  const bool last = state_.step == trial_.train.steps;
  const bool scores = any_score_is_due(/*apart=*/false);
  const bool checkpoint = last || scores || (state_.step > 0 && state_.step % trial_.checkpoint.every_steps == 0);
  save_ema_snapshot_when_due();
  // The checkpoint comes first: training is then safe while scores take their time.
  if (checkpoint && saved_step_ != state_.step) save_checkpoint();
  if (any_score_is_due(/*apart=*/true)) keep_weights_for_scores();
  return !scores || score_what_is_due({state_.ema_model, state_.step}, /*with_apart=*/false);
}

void TrainingRun::save_ema_snapshot_when_due() {
  const auto every = trial_.train.post_hoc_ema_every_steps;
  if (!every || !communicator_.is_first() || state_.step == 0) return;
  if (state_.step % *every != 0 && state_.step != trial_.train.steps) return;
  const auto file = options_.paths.ema_snapshot(state_.step);
  if (!std::filesystem::exists(file)) write_ema_snapshot(file, state_, trial_.to_json());
}

void TrainingRun::save_checkpoint() {
  if (!communicator_.is_first()) return;
  checkpoints_->wait();  // one copy in memory at a time
  saved_step_ = state_.step;
  const auto images = state_.images_seen;
  checkpoints_->save(take_snapshot(state_, trial_.to_json(), to_name(precision_), images_.digest),
                     [this, images](const StoredCheckpoint& c, double seconds) {
                       emit("checkpoint", {{"step", c.step},
                                           {"images", images},
                                           {"file", "checkpoints/" + c.file.filename().string()},
                                           {"bytes", c.bytes},
                                           {"digest", c.digest},
                                           {"seconds", seconds}});
                     });
}

bool TrainingRun::score_what_is_due(const Scored& scored, bool with_apart) {
  for (const sweeps::EvaluateSpec& settings : trial_.evaluate) {
    const bool due = (with_apart || !settings.apart) && score_is_due(settings, scored.step);
    if (due && !score(settings, scored)) return false;
  }
  return true;
}

bool TrainingRun::is_scored(const sweeps::EvaluateSpec& settings, std::int64_t step) {
  const std::string id = settings_id(evaluator_->full_settings(settings));
  const auto scores = scores_in(score_file(options_.paths, step, id));
  return scores && has_metrics(*scores, settings.metrics);
}

void TrainingRun::keep_weights_for_scores() {
  if (!communicator_.is_first()) return;
  const auto file = scored_weights_file(options_.paths, state_.step);
  const bool wanted = std::any_of(trial_.evaluate.begin(), trial_.evaluate.end(), [&](const auto& e) {
    return e.apart && score_is_due(e, state_.step) && !is_scored(e, state_.step);
  });
  if (wanted && !std::filesystem::exists(file))
    write_weights_file(file, {trial_.to_json(), state_.step, nullptr}, state_.layout, state_.ema);
}

bool TrainingRun::make_scores_apart() {
  constexpr std::int64_t kNoMore = -1;
  for (;;) {
    std::int64_t step = kNoMore;
    if (communicator_.is_first()) {
      const auto steps = list_scored_weights(options_.paths);
      if (!steps.empty()) step = steps.front();
    }
    step = communicator_.value_of_first(step);
    if (step == kNoMore) return true;
    const auto file = scored_weights_file(options_.paths, step);
    const TrainedModel trained = load_trained_model(file.string(), device_);
    // The others too: an entry may have been made apart when these weights were kept.
    if (!score_what_is_due({trained.model, step}, /*with_apart=*/true)) return false;
    wait_for_all(communicator_, device_);  // they have read it
    if (communicator_.is_first()) std::filesystem::remove(file);
  }
}

std::filesystem::path TrainingRun::grid_file(std::int64_t step, const std::string& settings_id) const {
  auto file = options_.paths.sample_grid(step);
  if (trial_.evaluate.size() > 1) file.replace_filename(fmt::format("step-{}-{}.png", step, settings_id));
  return file;
}

bool TrainingRun::score(const sweeps::EvaluateSpec& settings, const Scored& scored) {
  EvaluationJob job;
  job.stop = stop_requested;
  bool done = false;
  if (communicator_.is_first()) {
    const std::string id = settings_id(evaluator_->full_settings(settings));
    done = is_scored(settings, scored.step);
    job.journal = options_.paths.evaluations() / fmt::format("step-{}-{}.features", scored.step, id);
    job.model_key = fmt::format("trial {} step {}", trial_.id().str(), scored.step);
    if (!done) checkpoints_->wait();  // on the disk before minutes of sampling
  }
  if (communicator_.value_of_first(done ? 1 : 0) == 1) return true;
  is_scoring_ = true;
  const auto evaluation = evaluator_->evaluate(scored.model, settings, job);
  is_scoring_ = false;
  if (!evaluation) return false;
  if (!communicator_.is_first()) return true;
  keep_score(*evaluation, scored.step);
  std::filesystem::remove(job.journal);
  return true;
}

void TrainingRun::keep_score(const Evaluation& evaluation, std::int64_t step) {
  if (evaluation.first_samples.defined()) {
    const auto grid = grid_file(step, evaluation.settings_id);
    write_png_grid(grid, evaluation.first_samples, kGridColumns);
    emit("samples", {{"step", step}, {"file", "samples/" + grid.filename().string()}});
  }
  Json body = evaluation.to_json();
  body["step"] = step;
  body["images"] = step * trial_.train.global_batch;
  emit("evaluation", body);
  const auto file = score_file(options_.paths, step, evaluation.settings_id);
  const auto earlier = scores_in(file);  // other metrics of the same samples
  const Json all = earlier ? merged_scores(*earlier, body) : body;
  // Written after the event: killed in between, the score is made again, never lost.
  common::write_file_atomically(file, all.dump(2) + "\n");
  spdlog::info("step {}  {}  ({} samples, {:.1f} s)", step, score_text(body), evaluation.num_samples,
               evaluation.seconds);
}

}  // namespace ditscale::worker
