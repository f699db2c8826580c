#include "worker/model/flat_views.hpp"

namespace ditscale::worker {

torch::Tensor flat_view(const torch::Tensor& buffer, const ParameterSlot& slot) {
  return buffer.narrow(0, slot.offset, slot.count).view(slot.shape);
}

void use_weights(torch::nn::Module& model, const FlatLayout& layout, const torch::Tensor& weights) {
  auto parameters = model.named_parameters();
  for (const ParameterSlot& slot : layout.slots()) parameters[slot.name].set_data(flat_view(weights, slot));
}

}  // namespace ditscale::worker
