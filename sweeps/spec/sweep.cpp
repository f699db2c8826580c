#include "sweeps/spec/sweep.hpp"

#include <algorithm>
#include <set>

#include "common/error.hpp"
#include "common/object_reader.hpp"
#include "sweeps/spec/json_path.hpp"

namespace ditscale::sweeps {

using common::ConfigError;
using common::Json;
using common::JsonDocument;
using common::ObjectReader;

namespace {

using Assignments = std::map<std::string, Json>;

/// One factor of the product: the settings it steps through.
using Factor = std::vector<Assignments>;

void apply_command_line(JsonDocument& document, const std::vector<std::string>& texts) {
  for (const std::string& text : texts) {
    auto [path, value] = parse_assignment(text);
    const std::string where = "--set " + text;
    const bool top_level = path == "name" || path == "description" || path == "seeds";
    if (path.rfind("grid.", 0) == 0) {
      document.value["grid"][path.substr(5)] = std::move(value);
      continue;
    }
    if (!top_level && document.value.contains("grid") && document.value["grid"].contains(path)) {
      throw ConfigError(fmt::format("{}: {} is an axis of the grid; write --set 'grid.{}=[{}]' to narrow it", where,
                                    path, path, value.dump()));
    }
    set_path(document.value, top_level ? path : "base." + path, std::move(value), where);
  }
}

bool valid_name(const std::string& name) {
  const auto good = [](unsigned char c) { return std::isalnum(c) != 0 || c == '_' || c == '-' || c == '.'; };
  return !name.empty() && name.size() <= 100 && name.front() != '.' && std::all_of(name.begin(), name.end(), good);
}

const Json& values_of_axis(const JsonDocument& document, const std::string& path, const Json& values) {
  if (!values.is_array() || values.empty()) {
    throw ConfigError(fmt::format("{}: an axis is a list of one or more values, found {}", document.where(path),
                                  common::shown(values)));
  }
  return values;
}

void add_grid(const JsonDocument& document, ObjectReader& reader, std::vector<Factor>& factors) {
  const Json* grid = reader.child("grid");
  if (grid == nullptr) return;
  if (!grid->is_object())
    reader.fail("grid", fmt::format("an object of axes is needed, found {}", common::shown(*grid)));
  for (const auto& [path, values] : grid->items()) {
    Factor factor;
    for (const Json& value : values_of_axis(document, "grid." + path, values)) factor.push_back({{path, value}});
    factors.push_back(std::move(factor));
  }
}

Factor zip_factor(const JsonDocument& document, const Json& group, const std::string& where) {
  if (!group.is_object() || group.empty())
    throw ConfigError(fmt::format("{}: an object of axes is needed", document.where(where)));
  Factor factor;
  for (const auto& [path, values] : group.items()) {
    const Json& list = values_of_axis(document, common::join_path(where, path), values);
    if (factor.empty()) factor.resize(list.size());
    if (list.size() != factor.size()) {
      throw ConfigError(fmt::format("{}: axes of one zip group need the same length; this one has {}, the first {}",
                                    document.where(common::join_path(where, path)), list.size(), factor.size()));
    }
    for (std::size_t i = 0; i < list.size(); ++i) factor[i][path] = list[i];
  }
  return factor;
}

void add_zip(const JsonDocument& document, ObjectReader& reader, std::vector<Factor>& factors) {
  const Json* zip = reader.child("zip");
  if (zip == nullptr) return;
  if (!zip->is_array()) reader.fail("zip", "a list of groups is needed");
  for (std::size_t i = 0; i < zip->size(); ++i)
    factors.push_back(zip_factor(document, (*zip)[i], common::join_path("zip", i)));
}

Factor seed_factor(ObjectReader& reader) {
  const Json* seeds = reader.child("seeds");
  if (seeds == nullptr) return {};
  Factor factor;
  if (seeds->is_number_integer() && seeds->get<std::int64_t>() >= 1 && seeds->get<std::int64_t>() <= 10'000) {
    for (std::int64_t seed = 0; seed < seeds->get<std::int64_t>(); ++seed) factor.push_back({{"seed", seed}});
  } else if (seeds->is_array() && !seeds->empty()) {
    for (const Json& seed : *seeds) factor.push_back({{"seed", seed}});
  } else {
    reader.fail("seeds",
                fmt::format("a list of seeds or their number (1 to 10000) is needed, found {}", common::shown(*seeds)));
  }
  return factor;
}

void check_distinct_axes(const JsonDocument& document, const std::vector<Factor>& factors) {
  std::set<std::string> seen;
  for (const Factor& factor : factors) {
    for (const auto& [path, unused] : factor.front()) {
      if (!seen.insert(path).second)
        throw ConfigError(fmt::format("{}: axis {} is set twice", document.where("grid"), path));
    }
  }
}

/// One counter walks the product; the last factor turns fastest.
std::vector<Assignments> product(const JsonDocument& document, const std::vector<Factor>& factors) {
  std::size_t total = 1;
  for (const Factor& factor : factors) {
    total *= factor.size();
    if (total > kMaxCells)
      throw ConfigError(fmt::format("{}: the grid has more than {} cells", document.where("grid"), kMaxCells));
  }
  std::vector<Assignments> cells(total);
  for (std::size_t index = 0; index < total; ++index) {
    std::size_t rest = index;
    for (auto factor = factors.rbegin(); factor != factors.rend(); ++factor) {
      const Assignments& setting = (*factor)[rest % factor->size()];
      cells[index].insert(setting.begin(), setting.end());
      rest /= factor->size();
    }
  }
  return cells;
}

std::string text_of(const Assignments& axes) {
  std::string text;
  for (const auto& [path, value] : axes) {
    if (!text.empty()) text += ' ';
    text += path + "=" + (value.is_string() ? value.get<std::string>() : value.dump());
  }
  return text.empty() ? "base" : text;
}

/// Base with the axes applied, as a document whose lines point into the sweep file.
JsonDocument cell_document(const JsonDocument& sweep, const Json& base, const Assignments& axes) {
  JsonDocument cell;
  cell.source = sweep.source;
  cell.value = base;
  for (const auto& [path, line] : sweep.lines) {
    if (path.rfind("base.", 0) == 0) cell.lines[path.substr(5)] = line;
  }
  for (const auto& [path, value] : axes) {
    set_path(cell.value, path, value, sweep.where(path));
    const auto axis_line = sweep.lines.find("grid." + path);
    if (axis_line != sweep.lines.end()) cell.lines[path] = axis_line->second;
  }
  return cell;
}

Cell make_cell(const JsonDocument& sweep, const Json& base, const Assignments& axes) {
  const JsonDocument document = cell_document(sweep, base, axes);
  try {
    Cell cell;
    cell.trial = trial_spec_from(document);
    cell.id = cell.trial.id();
    cell.axes = axes;
    return cell;
  } catch (const ConfigError& error) {
    if (axes.empty()) throw;
    throw ConfigError(fmt::format("{} (in cell {})", error.what(), text_of(axes)));
  }
}

/// The rule of `exclude` this cell meets, as text, or empty.
std::string excluded_by(const Json* rules, const Json& trial) {
  if (rules == nullptr) return {};
  for (const Json& rule : *rules) {
    const auto matches = [&](const auto& item) { return value_at(trial, item.key()) == item.value(); };
    bool all = true;
    for (const auto& item : rule.items()) all = all && matches(item);
    if (all) return rule.dump();
  }
  return {};
}

const Json* list_of_objects(ObjectReader& reader, const std::string& key) {
  const Json* list = reader.child(key);
  if (list == nullptr) return nullptr;
  const bool good = list->is_array() && std::all_of(list->begin(), list->end(),
                                                    [](const Json& item) { return item.is_object() && !item.empty(); });
  if (!good)
    reader.fail(key, fmt::format("a list of objects {{path: value}} is needed, found {}", common::shown(*list)));
  return list;
}

std::vector<Assignments> with_seeds(const std::vector<Assignments>& cells, const Factor& seeds) {
  if (seeds.empty()) return cells;
  std::vector<Assignments> result;
  for (const Assignments& cell : cells) {
    for (const Assignments& seed : seeds) {
      result.push_back(cell);
      result.back().insert(seed.begin(), seed.end());
    }
  }
  return result;
}

void add_cell(Sweep& sweep, std::set<std::string>& ids, Cell cell) {
  if (ids.insert(cell.id.str()).second) {
    sweep.cells.push_back(std::move(cell));
  } else {
    sweep.excluded.push_back({std::move(cell.axes), fmt::format("the same trial as {} above", cell.id.brief())});
  }
}

/// A rule that can never match is a typing error the user wants to know of.
void check_rules(const JsonDocument& document, const Json* rules, const Json& resolved) {
  if (rules == nullptr) return;
  for (std::size_t i = 0; i < rules->size(); ++i) {
    for (const auto& [path, unused] : (*rules)[i].items()) {
      if (!value_at(resolved, path).is_null()) continue;
      throw ConfigError(
          fmt::format("{}: a trial has no field {}", document.where(common::join_path("exclude", i)), path));
    }
  }
}

}  // namespace

std::string Cell::label() const { return text_of(axes); }

Sweep expand_sweep(JsonDocument document, const std::vector<std::string>& assignments) {
  apply_command_line(document, assignments);
  ObjectReader reader(document, document.value, "");
  Sweep sweep;
  reader.get("name", sweep.name);
  if (!valid_name(sweep.name)) {
    reader.fail("name", fmt::format("\"{}\" cannot name a folder; allowed: 1 to 100 letters, digits, '_', '-', '.'",
                                    sweep.name));
  }
  reader.get("description", sweep.description);
  const Json* base_member = reader.child("base");
  const Json base = base_member == nullptr ? Json::object() : *base_member;
  std::vector<Factor> factors;
  add_grid(document, reader, factors);
  add_zip(document, reader, factors);
  check_distinct_axes(document, factors);
  const Factor seeds = seed_factor(reader);
  const Json* exclude = list_of_objects(reader, "exclude");
  const Json* include = list_of_objects(reader, "include");
  reader.finish();

  std::set<std::string> ids;
  for (const Assignments& axes : with_seeds(product(document, factors), seeds)) {
    const JsonDocument candidate = cell_document(document, base, axes);
    const std::string rule = excluded_by(exclude, candidate.value);
    if (!rule.empty()) {
      sweep.excluded.push_back({axes, "excluded by " + rule});
      continue;
    }
    Cell cell = make_cell(document, base, axes);
    const Json resolved = cell.trial.to_json();
    check_rules(document, exclude, resolved);
    const std::string resolved_rule = excluded_by(exclude, resolved);
    if (resolved_rule.empty()) {
      add_cell(sweep, ids, std::move(cell));
    } else {
      sweep.excluded.push_back({axes, "excluded by " + resolved_rule});
    }
  }
  std::vector<Assignments> included;
  for (std::size_t i = 0; include != nullptr && i < include->size(); ++i)
    included.push_back((*include)[i].get<Assignments>());
  for (const Assignments& axes : with_seeds(included, seeds)) add_cell(sweep, ids, make_cell(document, base, axes));
  if (sweep.cells.empty())
    throw ConfigError(fmt::format("{}: every cell is excluded; nothing is left to run", document.where("exclude")));
  return sweep;
}

Sweep load_sweep(const std::filesystem::path& path, const std::vector<std::string>& assignments) {
  return expand_sweep(common::read_json(path), assignments);
}

}  // namespace ditscale::sweeps
