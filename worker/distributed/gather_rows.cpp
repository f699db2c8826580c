#include "worker/distributed/gather_rows.hpp"

namespace ditscale::worker {

torch::Tensor gather_rows(Communicator& communicator, const torch::Tensor& rows, torch::Device device) {
  if (communicator.size() == 1) return rows.cpu();
  const std::int64_t count = rows.size(0);
  torch::Tensor all =
      torch::zeros({communicator.size() * count, rows.size(1)}, torch::dtype(torch::kFloat).device(device));
  all.narrow(0, communicator.rank() * count, count).copy_(rows);
  communicator.all_reduce_sum(all);
  return all.cpu();
}

bool any_rank(Communicator& communicator, bool mine, torch::Device device) {
  torch::Tensor wishes = torch::full({1}, mine ? 1.0F : 0.0F, torch::dtype(torch::kFloat).device(device));
  communicator.all_reduce_sum(wishes);
  return wishes.item<float>() > 0;
}

void wait_for_all(Communicator& communicator, torch::Device device) {
  (void)any_rank(communicator, false, device);  // a sum needs every rank
}

}  // namespace ditscale::worker
