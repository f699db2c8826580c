#include "common/object_reader.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include <fmt/ranges.h>

#include "common/error.hpp"

namespace ditscale::common {

namespace {

/// 2^53: beyond it a double no longer tells neighbouring whole numbers apart.
constexpr double kLargestExactWhole = 9007199254740992.0;

std::size_t edit_distance(const std::string& a, const std::string& b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t above = row[j];
      row[j] = std::min({above + 1, row[j - 1] + 1, diagonal + (a[i - 1] == b[j - 1] ? 0 : 1)});
      diagonal = above;
    }
  }
  return row[b.size()];
}

/// Whole numbers in full ("1000000", not "1e+06"), others in their shortest form.
std::string number_text(double value) {
  const bool whole = std::abs(value) < 1e15 && std::nearbyint(value) == value;
  return whole ? fmt::format("{:.0f}", value) : fmt::format("{}", value);
}

std::string range_text(const Range& range) {
  const bool has_low = range.low > -1e308;
  const bool has_high = range.high < 1e308;
  const std::string low = number_text(range.low);
  const std::string high = number_text(range.high);
  if (has_low && has_high) return fmt::format("{} {} to {}", range.low_open ? "above" : "from", low, high);
  if (has_low) return range.low_open ? fmt::format("above {}", low) : fmt::format("{} or more", low);
  return has_high ? fmt::format("{} or less", high) : "-1e308 to 1e308";
}

}  // namespace

std::optional<std::int64_t> whole_number(const Json& value) {
  if (value.is_number_unsigned() && value.get<std::uint64_t>() > static_cast<std::uint64_t>(INT64_MAX))
    return std::nullopt;
  if (value.is_number_integer()) return value.get<std::int64_t>();
  if (!value.is_number_float()) return std::nullopt;
  const double number = value.get<double>();
  if (std::nearbyint(number) != number || std::abs(number) > kLargestExactWhole) return std::nullopt;
  return static_cast<std::int64_t>(number);
}

std::string nearest_word(const std::string& word, const std::vector<std::string>& candidates) {
  std::string best;
  std::size_t best_distance = std::max<std::size_t>(2, word.size() / 3) + 1;
  for (const std::string& candidate : candidates) {
    const std::size_t distance = edit_distance(word, candidate);
    if (distance < best_distance) {
      best_distance = distance;
      best = candidate;
    }
  }
  return best;
}

ObjectReader::ObjectReader(const JsonDocument& document, const Json& value, std::string path)
    : document_(document), value_(value), path_(std::move(path)) {
  if (!value_.is_object()) fail("", fmt::format("an object {{…}} is needed here, found {}", shown(value_)));
}

bool ObjectReader::has(const std::string& key) const { return value_.contains(key) && !value_.at(key).is_null(); }

const Json* ObjectReader::find(const std::string& key) {
  known_.insert(key);
  const auto found = value_.find(key);
  return found == value_.end() || found->is_null() ? nullptr : &*found;
}

const Json* ObjectReader::child(const std::string& key) { return find(key); }

void ObjectReader::check_range(const std::string& key, double value, const Range& range) const {
  const bool below = range.low_open ? value <= range.low : value < range.low;
  if (below || value > range.high)
    fail(key, fmt::format("{} is not allowed here; allowed: {}", number_text(value), range_text(range)));
}

void ObjectReader::get(const std::string& key, std::int64_t& out, Range range) {
  const Json* value = find(key);
  if (value == nullptr) return;
  const std::optional<std::int64_t> number = whole_number(*value);
  if (!number) fail(key, fmt::format("a whole number is needed, found {}", shown(*value)));
  check_range(key, static_cast<double>(*number), range);
  out = *number;
}

void ObjectReader::get(const std::string& key, std::optional<std::int64_t>& out, Range range) {
  if (find(key) == nullptr) return;
  std::int64_t value = 0;
  get(key, value, range);
  out = value;
}

void ObjectReader::get(const std::string& key, double& out, Range range) {
  const Json* value = find(key);
  if (value == nullptr) return;
  if (!value->is_number()) fail(key, fmt::format("a number is needed, found {}", shown(*value)));
  const double number = value->get<double>() + 0.0;  // -0 becomes 0: equal settings must have equal text
  check_range(key, number, range);
  out = number;
}

void ObjectReader::get(const std::string& key, std::optional<double>& out, Range range) {
  if (find(key) == nullptr) return;
  double value = 0;
  get(key, value, range);
  out = value;
}

void ObjectReader::get(const std::string& key, bool& out) {
  const Json* value = find(key);
  if (value == nullptr) return;
  if (!value->is_boolean()) fail(key, fmt::format("true or false is needed, found {}", shown(*value)));
  out = value->get<bool>();
}

void ObjectReader::get(const std::string& key, std::string& out) {
  const Json* value = find(key);
  if (value == nullptr) return;
  if (!value->is_string()) fail(key, fmt::format("a string is needed, found {}", shown(*value)));
  out = value->get<std::string>();
}

void ObjectReader::get(const std::string& key, std::optional<std::string>& out) {
  if (find(key) == nullptr) return;
  std::string value;
  get(key, value);
  out = value;
}

void ObjectReader::get_choice(const std::string& key, std::string& out, const std::vector<std::string>& allowed) {
  std::string value = out;
  get(key, value);
  if (std::find(allowed.begin(), allowed.end(), value) == allowed.end()) {
    fail(key, fmt::format("{} is not known here; allowed: {}", shown(value), fmt::join(allowed, ", ")));
  }
  out = value;
}

void ObjectReader::finish() const {
  for (const auto& [key, unused] : value_.items()) {
    if (known_.count(key) != 0) continue;
    const std::vector<std::string> candidates(known_.begin(), known_.end());
    const std::string near = nearest_word(key, candidates);
    const std::string hint = near.empty() ? "" : fmt::format("did you mean \"{}\"? ", near);
    fail(key, fmt::format("unknown key; {}allowed: {}", hint, fmt::join(candidates, ", ")));
  }
}

void ObjectReader::fail(const std::string& key, const std::string& message) const {
  const std::string path = key.empty() ? path_ : join_path(path_, key);
  throw ConfigError(fmt::format("{}: {}", document_.where(path), message));
}

}  // namespace ditscale::common
