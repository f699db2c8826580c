#include "worker/training/lr_runs.hpp"

#include "worker/model/mup.hpp"

namespace ditscale::worker {

std::vector<LrRun> lr_runs(const FlatLayout& layout, const sweeps::ModelSpec& model) {
  std::vector<LrRun> runs;
  for (const ParameterSlot& slot : layout.slots()) {
    const double factor = lr_factor(model, slot.name, slot.shape);
    if (runs.empty() || runs.back().factor != factor) runs.push_back({slot.offset, slot.offset, factor});
    runs.back().end = slot.offset + slot.count;
  }
  // Padding between parameters belongs to the stretch before it.
  for (std::size_t i = 0; i < runs.size(); ++i) runs[i].end = i + 1 < runs.size() ? runs[i + 1].begin : layout.size();
  return runs;
}

}  // namespace ditscale::worker
