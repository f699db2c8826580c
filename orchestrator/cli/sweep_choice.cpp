#include "orchestrator/cli/sweep_choice.hpp"

#include <algorithm>
#include <numeric>

#include "common/error.hpp"
#include "common/text.hpp"
#include "sweeps/spec/cost.hpp"

namespace ditscale::orchestrator {

namespace {

/// Seconds times devices, as the roofline has them.
std::vector<double> work_of(const std::vector<sweeps::Cell>& cells) {
  std::vector<double> device_seconds;
  for (const sweeps::Cell& cell : cells) {
    device_seconds.push_back(sweeps::predicted_s(cell.trial) * static_cast<double>(cell.trial.resources.num_devices()));
  }
  return device_seconds;
}

/// The shard (from 0) of each cell.
std::vector<std::size_t> places(const std::vector<sweeps::Cell>& cells, std::size_t num_shards) {
  const std::vector<double> work = work_of(cells);
  std::vector<std::size_t> order(cells.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return work[a] > work[b]; });
  std::vector<double> loads(num_shards, 0.0);
  std::vector<std::size_t> places(cells.size());
  for (const std::size_t cell : order) {
    const auto least = std::min_element(loads.begin(), loads.end());
    places[cell] = static_cast<std::size_t>(least - loads.begin());
    *least += work[cell];
  }
  return places;
}

}  // namespace

Shard parse_shard(const std::string& text) {
  const std::size_t slash = text.find('/');
  const auto first = common::count_in(text.substr(0, slash));
  const auto count = common::count_in(slash == std::string::npos ? std::string() : text.substr(slash + 1));
  if (!first || !count || *first < 1 || *first > *count)
    throw common::UsageError(fmt::format("--shard {}: write which of how many, as in 2/4", text));
  return {*first, *count};
}

std::string shard_name(const std::string& sweep_name, const Shard& shard) {
  return fmt::format("{}.shard-{}-of-{}", sweep_name, shard.number, shard.count);
}

sweeps::Sweep shard_of(sweeps::Sweep sweep, const Shard& shard) {
  const auto num_shards = static_cast<std::size_t>(shard.count);
  if (num_shards > sweep.cells.size())
    throw common::UsageError(fmt::format("{} shards: the sweep has only {} cells, and each shard needs one", num_shards,
                                         sweep.cells.size()));
  const std::vector<std::size_t> place = places(sweep.cells, num_shards);
  std::vector<sweeps::Cell> cells;
  for (std::size_t i = 0; i < place.size(); ++i) {
    if (place[i] + 1 == static_cast<std::size_t>(shard.number)) cells.push_back(std::move(sweep.cells[i]));
  }
  sweep.cells = std::move(cells);
  sweep.name = shard_name(sweep.name, shard);
  return sweep;
}

sweeps::Sweep load_sweep(const SweepChoice& choice) {
  sweeps::Sweep sweep = sweeps::load_sweep(choice.file, choice.assignments);
  return choice.shard ? shard_of(std::move(sweep), *choice.shard) : sweep;
}

}  // namespace ditscale::orchestrator
