#include "worker/model/flat_parameters.hpp"

namespace ditscale::worker {

namespace {
constexpr std::int64_t kAlignment = 16;  // floats: 64 bytes
}

FlatLayout::FlatLayout(const torch::nn::Module& model) {
  for (const auto& item : model.named_parameters()) {
    slots_.push_back({item.key(), item.value().sizes().vec(), size_, item.value().numel()});
    size_ += (item.value().numel() + kAlignment - 1) / kAlignment * kAlignment;
  }
}

torch::Tensor FlatLayout::make_buffer(torch::Device device) const {
  return torch::zeros({size_}, torch::dtype(torch::kFloat32).device(device));
}

torch::Tensor FlatLayout::view(const torch::Tensor& buffer, const ParameterSlot& slot) const {
  return buffer.narrow(0, slot.offset, slot.count).view(slot.shape);
}

void FlatLayout::bind_weights(torch::nn::Module& model, const torch::Tensor& weights) const {
  const torch::NoGradGuard no_grad;
  auto parameters = model.named_parameters();
  for (const ParameterSlot& slot : slots_) {
    torch::Tensor& parameter = parameters[slot.name];
    const torch::Tensor place = view(weights, slot);
    place.copy_(parameter);
    parameter.set_data(place);
  }
}

void FlatLayout::bind_gradients(torch::nn::Module& model, const torch::Tensor& gradients) const {
  auto parameters = model.named_parameters();
  for (const ParameterSlot& slot : slots_) parameters[slot.name].mutable_grad() = view(gradients, slot);
}

}  // namespace ditscale::worker
