#include "sweeps/spec/data_sets.hpp"

#include "common/error.hpp"

namespace ditscale::sweeps {

const std::vector<DataSetFacts>& data_sets() {
  static const std::vector<DataSetFacts> sets{
      {"fashion_mnist", 1, 10, 60'000, DataSpace::kPixels, {28}, "/usr/share/datasets/fashion-mnist"},
      {"imagenet_latents", 4, 1000, 1'281'167, DataSpace::kLatents, {256, 512}, ""},
  };
  return sets;
}

const DataSetFacts& data_set(const std::string& name) {
  for (const DataSetFacts& facts : data_sets()) {
    if (facts.name == name) return facts;
  }
  throw common::InternalError(fmt::format("no data set is called {}", name));
}

}  // namespace ditscale::sweeps
