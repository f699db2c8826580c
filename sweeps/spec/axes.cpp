#include "sweeps/spec/axes.hpp"

#include <fmt/format.h>

#include "common/error.hpp"

namespace ditscale::sweeps {

using common::ConfigError;
using common::join_path;
using common::Json;
using common::JsonDocument;
using common::ObjectReader;

namespace {

constexpr std::int64_t kMaxSeeds = 10'000;

void check_axis(const JsonDocument& document, const std::string& place, const Json& values) {
  if (values.is_array() && !values.empty()) return;
  throw ConfigError(fmt::format("{}: an axis is a list of one or more values, found {}", document.where(place),
                                common::shown(values)));
}

/// Lets `path` advance with the others of this factor.
void add_axis(Factor& factor, const std::string& path, const std::string& place, const Json& values) {
  for (std::size_t i = 0; i < values.size(); ++i) factor[i][path] = Setting{values[i], join_path(place, i)};
}

Factor zip_factor(const JsonDocument& document, const Json& group, const std::string& group_place) {
  if (!group.is_object() || group.empty())
    throw ConfigError(fmt::format("{}: an object of one or more axes is needed, found {}", document.where(group_place),
                                  common::shown(group)));
  Factor factor;
  for (const auto& [path, values] : group.items()) {
    const std::string place = join_path(group_place, path);
    check_axis(document, place, values);
    if (factor.empty()) factor.resize(values.size());
    if (values.size() != factor.size()) {
      throw ConfigError(fmt::format("{}: the axes of one zip group need the same length; this one has {}, {} has {}",
                                    document.where(place), values.size(), factor.front().begin()->first,
                                    factor.size()));
    }
    add_axis(factor, path, place, values);
  }
  return factor;
}

}  // namespace

Axes::Axes(ObjectReader& reader, const JsonDocument& document, std::size_t max_cells) {
  read_grid(reader, document);
  read_zip(reader, document);
  read_seeds(reader, document);
  count(document, max_cells);
}

void Axes::add_path(const JsonDocument& document, const std::string& path, const std::string& place) {
  const auto [other, is_new] = paths_.emplace(path, place);
  if (!is_new)
    throw ConfigError(fmt::format("{}: {} is an axis already, {}", document.where(place), path, other->second));
}

void Axes::read_grid(ObjectReader& reader, const JsonDocument& document) {
  const Json* grid = reader.child("grid");
  if (grid == nullptr) return;
  if (!grid->is_object())
    reader.fail("grid", fmt::format("an object of axes is needed, found {}", common::shown(*grid)));
  for (const auto& [path, values] : grid->items()) {
    const std::string place = join_path("grid", path);
    check_axis(document, place, values);
    add_path(document, path, place);
    Factor factor(values.size());
    add_axis(factor, path, place, values);
    factors_.push_back(std::move(factor));
  }
}

void Axes::read_zip(ObjectReader& reader, const JsonDocument& document) {
  const Json* zip = reader.child("zip");
  if (zip == nullptr) return;
  if (!zip->is_array()) reader.fail("zip", fmt::format("a list of groups is needed, found {}", common::shown(*zip)));
  for (std::size_t i = 0; i < zip->size(); ++i) {
    const std::string place = join_path("zip", i);
    factors_.push_back(zip_factor(document, (*zip)[i], place));
    for (const auto& [path, unused] : factors_.back().front()) add_path(document, path, join_path(place, path));
  }
}

void Axes::read_seeds(ObjectReader& reader, const JsonDocument& document) {
  const Json* seeds = reader.child("seeds");
  if (seeds == nullptr) return;
  add_path(document, "seed", "seeds");
  const auto count = common::whole_number(*seeds);
  if (count && *count >= 1 && *count <= kMaxSeeds) {
    for (std::int64_t seed = 0; seed < *count; ++seed) seeds_.push_back({{"seed", Setting{seed, "seeds"}}});
  } else if (seeds->is_array() && !seeds->empty()) {
    seeds_.resize(seeds->size());
    add_axis(seeds_, "seed", "seeds", *seeds);
  } else {
    reader.fail("seeds", fmt::format("a list of seeds or their number (1 to {}) is needed, found {}", kMaxSeeds,
                                     common::shown(*seeds)));
  }
}

void Axes::count(const JsonDocument& document, std::size_t max_cells) {
  const auto multiply = [&](const Factor& factor) {
    size_ *= factor.size();
    if (size_ > max_cells)
      throw ConfigError(fmt::format("{}: the grid has more than {} cells", document.where("grid"), max_cells));
  };
  for (const Factor& factor : factors_) multiply(factor);
  if (!seeds_.empty()) multiply(seeds_);
}

Assignments Axes::at(std::size_t index) const {
  Assignments cell;
  const auto turn = [&](const Factor& factor) {
    const Assignments& setting = factor[index % factor.size()];
    cell.insert(setting.begin(), setting.end());
    index /= factor.size();
  };
  if (!seeds_.empty()) turn(seeds_);
  for (auto factor = factors_.rbegin(); factor != factors_.rend(); ++factor) turn(*factor);
  return cell;
}

}  // namespace ditscale::sweeps
