#include "sweeps/spec/sweep.hpp"

#include <algorithm>
#include <cctype>
#include <set>

#include "common/error.hpp"
#include "common/object_reader.hpp"
#include "sweeps/spec/assignments.hpp"
#include "sweeps/spec/axes.hpp"
#include "sweeps/spec/exclusion.hpp"
#include "sweeps/spec/json_path.hpp"

namespace ditscale::sweeps {

using common::ConfigError;
using common::Json;
using common::JsonDocument;
using common::ObjectReader;

namespace {

constexpr const char* kEarlyStopping = "early_stopping";

using AxisValues = std::map<std::string, Json>;

bool valid_name(const std::string& name) {
  const auto good = [](unsigned char c) { return std::isalnum(c) != 0 || c == '_' || c == '-' || c == '.'; };
  return !name.empty() && name.size() <= 100 && name.front() != '.' && std::all_of(name.begin(), name.end(), good);
}

std::string text_of(const AxisValues& axes) {
  std::string text;
  for (const auto& [path, value] : axes) {
    if (!text.empty()) text += ' ';
    text += path + "=" + (value.is_string() ? value.get<std::string>() : value.dump());
  }
  return text.empty() ? "base" : text;
}

AxisValues values_of(const Assignments& settings) {
  AxisValues values;
  for (const auto& [path, setting] : settings) values[path] = setting.value;
  return values;
}

template <typename Map>
void copy_below(const Map& from, const std::string& path, Map& to) {
  for (auto at = from.lower_bound(path); at != from.end() && at->first.starts_with(path); ++at) {
    if (common::stands_below(at->first, path)) to.insert(*at);
  }
}

/// The base as a trial's document of its own, whose places are those of the sweep file.
JsonDocument base_document(const JsonDocument& sweep, const Json* value) {
  JsonDocument base;
  base.source = sweep.source;
  base.value = value == nullptr ? Json::object() : *value;
  base.aliases[""] = "base";
  copy_below(sweep.lines, "base", base.lines);
  base.origins = sweep.origins;
  if (const auto root = sweep.lines.find(""); root != sweep.lines.end()) base.lines.insert(*root);
  return base;
}

/// Base with the settings applied; an error about one of them names its axis and line.
JsonDocument cell_document(const JsonDocument& sweep, JsonDocument base, const Assignments& settings) {
  for (const auto& [path, setting] : settings) {
    set_path(base.value, path, setting.value, sweep.where(setting.origin));
    base.aliases[path] = setting.origin;
    copy_below(sweep.lines, setting.origin, base.lines);
  }
  return base;
}

Cell make_cell(const JsonDocument& document, const Assignments& settings) {
  Cell cell;
  cell.axes = values_of(settings);
  try {
    cell.trial = trial_spec_from(document);
  } catch (const ConfigError& error) {
    if (settings.empty()) throw;
    throw ConfigError(fmt::format("{} (in cell {})", error.what(), text_of(cell.axes)));
  }
  cell.id = cell.trial.id();
  return cell;
}

/// Reads one sweep document; its parts live as long as the expansion takes.
class Expansion {
 public:
  explicit Expansion(const JsonDocument& document)
      : document_(document),
        reader_(document, document.value, ""),
        base_(base_document(document, reader_.child("base"))),
        axes_(reader_, document, kMaxCells),
        rules_(reader_, document),
        include_(list_of_objects(reader_, "include")) {
    read_name();
    if (const Json* rule = reader_.child(kEarlyStopping))
      sweep_.early_stopping = read_early_stopping(document, *rule, kEarlyStopping);
    reader_.finish();
    check_none_is_lost(document, setters());
  }

  Sweep run() {
    if (axes_.any_but_seeds() || include_ == nullptr) add_product();
    add_included();
    if (sweep_.cells.empty() && sweep_.excluded.empty())
      throw ConfigError(fmt::format("{}: include is empty; nothing is there to run", document_.where("include")));
    rules_.check_all_met();
    if (sweep_.cells.empty())
      throw ConfigError(fmt::format("{}: every cell is excluded; nothing is left to run", document_.where("exclude")));
    if (sweep_.early_stopping) check_early_stopping(*sweep_.early_stopping, sweep_.cells, document_, kEarlyStopping);
    return std::move(sweep_);
  }

 private:
  void read_name() {
    reader_.get("name", sweep_.name);
    if (!valid_name(sweep_.name)) {
      reader_.fail("name", fmt::format("{} cannot name a folder; allowed: 1 to 100 letters, digits, '_', '-', '.', not "
                                       "starting with '.'",
                                       common::shown(sweep_.name)));
    }
    reader_.get("description", sweep_.description);
  }

  /// Everything that is applied over the base: paths of the axes and of the included cells.
  [[nodiscard]] std::map<std::string, std::string> setters() const {
    std::map<std::string, std::string> result = axes_.paths();
    for (std::size_t i = 0; include_ != nullptr && i < include_->size(); ++i) {
      for (const auto& [path, unused] : (*include_)[i].items()) result.emplace(path, common::join_path("include", i));
    }
    return result;
  }

  void add_product() {
    for (std::size_t index = 0; index < axes_.size(); ++index) {
      const Assignments settings = axes_.at(index);
      const JsonDocument candidate = cell_document(document_, base_, settings);
      // First as written: an impossible cell may be excluded. Then resolved: a rule may name a default.
      std::string rule = rules_.met_by(candidate.value);
      if (rule.empty()) {
        Cell cell = make_cell(candidate, settings);
        if (!rules_.empty()) rule = rules_.met_by(cell.trial.to_json());
        if (rule.empty()) add(std::move(cell));
      }
      if (!rule.empty()) sweep_.excluded.push_back({values_of(settings), "excluded by " + rule});
    }
  }

  void add_included() {
    for (std::size_t i = 0; include_ != nullptr && i < include_->size(); ++i) {
      const std::string place = common::join_path("include", i);
      Assignments settings;
      for (const auto& [path, value] : (*include_)[i].items())
        settings[path] = Setting{value, common::join_path(place, path)};
      if (axes_.seeds().empty() || settings.count("seed") != 0) {
        add(make_cell(cell_document(document_, base_, settings), settings));
        continue;
      }
      for (const Assignments& seed : axes_.seeds()) {
        Assignments seeded = settings;
        seeded.insert(seed.begin(), seed.end());
        add(make_cell(cell_document(document_, base_, seeded), seeded));
      }
    }
  }

  void add(Cell cell) {
    if (sweep_.cells.size() >= kMaxCells)
      throw ConfigError(fmt::format("{}: more than {} cells", document_.where("include"), kMaxCells));
    if (ids_.insert(cell.id.str()).second) {
      sweep_.cells.push_back(std::move(cell));
    } else {
      sweep_.excluded.push_back({std::move(cell.axes), fmt::format("the same trial as {} above", cell.id.brief())});
    }
  }

  const JsonDocument& document_;
  ObjectReader reader_;
  JsonDocument base_;
  Axes axes_;
  ExcludeRules rules_;
  const Json* include_;
  Sweep sweep_;
  std::set<std::string> ids_;
};

}  // namespace

std::string Cell::label() const { return text_of(axes); }

Sweep expand_sweep(JsonDocument document, const std::vector<std::string>& assignments) {
  apply_assignments(document, assignments);
  return Expansion(document).run();
}

Sweep load_sweep(const std::filesystem::path& path, const std::vector<std::string>& assignments) {
  return expand_sweep(common::read_json(path), assignments);
}

}  // namespace ditscale::sweeps
