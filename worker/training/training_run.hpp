#pragma once

#include <memory>

#include "common/clock.hpp"
#include "worker/checkpoint/checkpoint_store.hpp"
#include "worker/data/image_set.hpp"
#include "worker/evaluation/evaluator.hpp"
#include "worker/training/batch_source.hpp"
#include "worker/training/event_log.hpp"
#include "worker/training/train_step.hpp"
#include "worker/training/trainer.hpp"

namespace ditscale::worker {

/// The life of one attempt, from resumption to its last step. Rank 0 alone writes: `events` is null on the others.
class TrainingRun {
 public:
  /// Loads the data, builds the model, resumes. Throws what stops it; everything passed must outlive it.
  TrainingRun(const sweeps::TrialSpec& trial, const AttemptOptions& options, Communicator& communicator,
              torch::Device device, EventLog* events);

  /// Trains to the end, to a wish to stop, or to a loss that is not finite. *Collective: all ranks.*
  Outcome run();

  [[nodiscard]] std::int64_t step() const { return state_.step; }
  [[nodiscard]] std::int64_t images_seen() const { return state_.images_seen; }
  /// Whether a score is being made.
  [[nodiscard]] bool is_scoring() const { return is_scoring_; }

 private:
  void resume();
  /// Takes the state from the checkpoint of this step; refuses one of another trial or of other images.
  void go_on_from(std::int64_t step);
  /// Throws when the checkpoint is not one of this trial on these images.
  void check_header(const CheckpointHeader& header, const std::string& file) const;
  void report_start(const std::string& resumed_from);
  /// Checkpoint and scores that are due after this step; false when a wish to stop cut a score short.
  bool do_what_is_due();
  void save_checkpoint();
  /// Averages for the post-hoc EMA, where the trial keeps them.
  void save_ema_snapshot_when_due();
  /// One picture for each kind of score.
  [[nodiscard]] std::filesystem::path grid_file(std::int64_t step, const std::string& settings_id) const;
  /// A model to be scored, and when it was so.
  struct Scored {
    const DiT& model;
    std::int64_t step;
  };
  /// All of them, or those that are not made apart; false when a wish to stop cut a score short. *Collective: all
  /// ranks.*
  bool score_what_is_due(const Scored& scored, bool with_apart);
  bool score(const sweeps::EvaluateSpec& settings, const Scored& scored);
  /// Event, picture and file of a score that was made.
  void keep_score(const Evaluation& evaluation, std::int64_t step);
  /// Whether the score of these settings after this step was made. First rank only.
  [[nodiscard]] bool is_scored(const sweeps::EvaluateSpec& settings, std::int64_t step);
  /// The averaged weights of this step beside the scores that are to be made of them apart.
  void keep_weights_for_scores();
  /// Makes them, oldest first; false when a wish to stop cut one short. *Collective: all ranks.*
  bool make_scores_apart();
  [[nodiscard]] bool score_is_due(const sweeps::EvaluateSpec& settings, std::int64_t step) const;
  [[nodiscard]] bool any_score_is_due(bool apart) const;
  void count(const StepResult& result, double seconds);
  void report_metric(const StepResult& result);
  Outcome preempted();
  void emit(const std::string& kind, common::Json body);
  /// After every bit of progress: the agent kills who is silent for long.
  void say_alive();

  const sweeps::TrialSpec& trial_;
  const AttemptOptions& options_;
  Communicator& communicator_;
  torch::Device device_;
  EventLog* events_;
  ImageSet images_;
  BatchSource source_;
  TrainState state_;
  std::unique_ptr<CheckpointStore> checkpoints_;
  Precision precision_;
  std::unique_ptr<TrainStep> step_;
  std::unique_ptr<Evaluator> evaluator_;
  common::SystemClock clock_;
  bool is_scoring_ = false;
  std::int64_t saved_step_ = -1;
  /// Steps this attempt has trained.
  std::int64_t num_trained_ = 0;
};

}  // namespace ditscale::worker
