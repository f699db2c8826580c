#include "worker/training/train_step.hpp"

#include <algorithm>
#include <cmath>

#include "common/error.hpp"
#include "worker/kernels/adamw_ema.hpp"
#include "worker/training/lr_runs.hpp"

namespace ditscale::worker {

bool StepResult::finite() const { return std::isfinite(loss) && std::isfinite(grad_norm); }

double learning_rate(const sweeps::TrainSpec& train, std::int64_t step) {
  if (step >= train.warmup_steps) return train.lr;
  return train.lr * static_cast<double>(step) / static_cast<double>(train.warmup_steps);
}

double ema_decay(const sweeps::TrainSpec& train, std::int64_t step) {
  if (!train.ema_warmup) return train.ema_decay;
  const auto steps = static_cast<double>(step);
  return std::min(train.ema_decay, (1 + steps) / (10 + steps));
}

TrainStep::TrainStep(const sweeps::TrialSpec& trial, const BatchSource& source, Communicator& communicator,
                     TrainState& state, Precision precision, GradientSums sums)
    : trial_(trial),
      communicator_(communicator),
      state_(state),
      device_(state.weights.device()),
      precision_(precision),
      objective_(make_objective(trial.objective, device_)),
      local_batch_(trial.train.global_batch / communicator.size()),
      micro_batch_(std::min(trial.train.micro_batch.value_or(local_batch_), local_batch_)),
      loader_(source, {communicator.rank() * local_batch_, micro_batch_, local_batch_, trial.train.global_batch},
              device_) {
  if (local_batch_ * communicator.size() != trial.train.global_batch || local_batch_ % micro_batch_ != 0) {
    throw common::ConfigError(
        fmt::format("train.global_batch {} does not divide among {} processes in micro-batches of {}",
                    trial.train.global_batch, communicator.size(), micro_batch_));
  }
  if (communicator.size() > 1 && sums == GradientSums::kOverlapped) {
    reducer_.emplace(*state.model, state.layout, state.gradients, communicator,
                     GradientReducer::usual_bucket_bytes(state.layout));
  }
}

void TrainStep::accumulate(std::int64_t first, torch::Tensor& sums) {
  const Batch batch = loader_.batch(first);
  const auto on_device = [&](const torch::Tensor& tensor) { return tensor.to(device_, /*non_blocking=*/true); };
  const auto x0 = on_device(batch.x0), noise = on_device(batch.noise), labels = on_device(batch.labels),
             t = on_device(batch.t);
  const auto context = batch.context.defined() ? on_device(batch.context) : torch::Tensor();
  const auto xt = objective_->add_noise(x0, noise, t);
  torch::Tensor output;
  {
    const PrecisionScope scope(precision_, device_);
    output = state_.model->forward(xt, objective_->model_time(t), labels, context);
  }
  const DiffusionLoss loss = objective_->loss(output.to(torch::kFloat32), x0, xt, noise, t);
  (loss.total.sum() / static_cast<double>(trial_.train.global_batch)).backward();
  const auto vlb = loss.vlb.defined() ? loss.vlb : torch::zeros_like(loss.simple);
  sums.narrow(0, 0, 3).add_(torch::stack({loss.total.detach().sum(), loss.simple.detach().sum(), vlb.detach().sum()}));
}

void TrainStep::make_gradients(torch::Tensor& sums) {
  state_.gradients.zero_();
  const std::int64_t first = state_.images_seen + communicator_.rank() * local_batch_;
  for (std::int64_t at = 0; at < local_batch_; at += micro_batch_) {
    if (reducer_ && at + micro_batch_ == local_batch_) reducer_->begin();
    accumulate(first + at, sums);
  }
  if (reducer_) {
    reducer_->finish();
  } else {
    communicator_.all_reduce_sum(state_.gradients);
  }
}

StepResult TrainStep::run(bool stop) {
  const DeterministicScope deterministic(device_);
  auto sums = torch::zeros({4}, torch::dtype(torch::kFloat32).device(device_));  // total, simple, vlb, wishes to stop
  if (stop) sums[3] = 1.0F;
  make_gradients(sums);
  communicator_.all_reduce_sum(sums);

  const auto norm = state_.gradients.norm();
  const auto host = torch::cat({sums, norm.view({1})}).to(torch::kCPU, torch::kFloat64);
  const double* values = host.const_data_ptr<double>();
  const auto images = static_cast<double>(trial_.train.global_batch);
  StepResult result{values[0] / images,
                    values[1] / images,
                    values[2] / images,
                    values[4],
                    learning_rate(trial_.train, state_.step + 1),
                    values[3] > 0};
  if (!result.finite()) return result;

  update(result);
  state_.step += 1;
  state_.images_seen += trial_.train.global_batch;
  return result;
}

void TrainStep::update(const StepResult& result) const {
  const sweeps::TrainSpec& train = trial_.train;
  AdamWStep step;
  step.beta1 = train.beta1;
  step.beta2 = train.beta2;
  step.weight_decay = train.weight_decay;
  step.step = state_.step + 1;
  step.ema_decay = ema_decay(train, step.step);
  if (train.clip_norm && result.grad_norm > *train.clip_norm) step.gradient_scale = *train.clip_norm / result.grad_norm;
  for (const LrRun& run : lr_runs(state_.layout, trial_.model)) {
    const auto part = [&](const torch::Tensor& buffer) { return buffer.narrow(0, run.begin, run.end - run.begin); };
    step.lr = result.lr * run.factor;
    adamw_ema(part(state_.weights), part(state_.gradients), part(state_.moment1), part(state_.moment2),
              part(state_.ema), step);
  }
  for (std::size_t i = 0; i < state_.power_ema.size() && state_.power_ema[i].defined(); ++i)
    update_power_ema(state_.power_ema[i], state_.weights, power_ema_exponent(kStoredSigmaRel[i]), step.step);
}

}  // namespace ditscale::worker
