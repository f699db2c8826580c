#include "worker/sampling/guided_model.hpp"

#include <utility>

#include "common/error.hpp"

namespace ditscale::worker {

using torch::Tensor;

GuidedModel::GuidedModel(Network network, Network guide, const sweeps::ModelShape& shape, Guidance guidance,
                         std::int64_t num_timesteps)
    : network_(std::move(network)),
      guide_(std::move(guide)),
      channels_(shape.input.channels),
      null_label_(shape.null_label()),
      guidance_(guidance),
      num_timesteps_(static_cast<double>(num_timesteps)) {
  if (guidance_.scale != 1.0 && !guide_ && !shape.has_null_condition()) {
    throw common::ConfigError(
        "guidance needs a model trained with dropped labels (model.class_dropout above 0), or a weaker model to guide "
        "it: use guidance 1, or name a guide");
  }
  const std::int64_t guided = guidance_.channels.value_or(channels_);
  if (guided < 1 || guided > channels_)
    throw common::ConfigError(fmt::format("guidance of {} channels: the model has {}", guided, channels_));
}

bool GuidedModel::guides_at(double model_time) const {
  const double level = model_time / num_timesteps_;
  return guidance_.scale != 1.0 && level >= guidance_.from && level <= guidance_.to;
}

Tensor GuidedModel::mix(const Tensor& conditional, const Tensor& worse) const {
  const std::int64_t guided = guidance_.channels.value_or(channels_);
  const auto prediction = conditional.narrow(1, 0, guided), base = worse.narrow(1, 0, guided);
  const auto rest = conditional.narrow(1, guided, conditional.size(1) - guided);
  return torch::cat({base + guidance_.scale * (prediction - base), rest}, 1);
}

Conditions GuidedModel::with_null(const Conditions& conditions) const {
  const auto null_labels = torch::full_like(conditions.labels, null_label_);
  Conditions both{torch::cat({conditions.labels, null_labels}), {}};
  // Where the label is null the context is not read.
  if (conditions.context.defined()) both.context = torch::cat({conditions.context, conditions.context});
  return both;
}

Tensor GuidedModel::output(const Tensor& x, double model_time, const Conditions& conditions) const {
  const auto n = x.size(0);
  const auto t = torch::full({n}, model_time, torch::dtype(torch::kFloat32).device(x.device()));
  if (!guides_at(model_time)) {
    evaluated_.model += n;
    return network_(x, t, conditions);
  }
  if (guide_) {
    evaluated_.model += n;
    evaluated_.guide += n;
    return mix(network_(x, t, conditions), guide_(x, t, conditions));
  }
  evaluated_.model += 2 * n;
  const auto both = network_(torch::cat({x, x}), torch::cat({t, t}), with_null(conditions));
  return mix(both.narrow(0, 0, n), both.narrow(0, n, n));
}

}  // namespace ditscale::worker
