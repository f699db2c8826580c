#include "worker/training/train_state.hpp"

namespace ditscale::worker {

namespace {

DiT make_model(const sweeps::ModelShape& shape, torch::Device device) {
  DiT model(shape);
  model->to(device);
  return model;
}

}  // namespace

TrainState::TrainState(const sweeps::ModelShape& shape, std::uint64_t seed, torch::Device device)
    : model(make_model(shape, device)),
      ema_model(make_model(shape, device)),
      layout(*model),
      weights(layout.make_buffer(device)),
      gradients(layout.make_buffer(device)),
      moment1(layout.make_buffer(device)),
      moment2(layout.make_buffer(device)),
      ema(layout.make_buffer(device)) {
  initialise(*model, seed);
  initialise(*ema_model, seed);
  layout.bind_weights(*model, weights);
  layout.bind_gradients(*model, gradients);
  layout.bind_weights(*ema_model, ema);
  for (auto& parameter : ema_model->parameters()) parameter.set_requires_grad(false);
}

void TrainState::keep_power_ema() {
  for (torch::Tensor& average : power_ema) average = layout.make_buffer(weights.device());
}

}  // namespace ditscale::worker
