#include "common/json_document.hpp"

#include <fmt/format.h>

#include "common/atomic_file.hpp"

namespace ditscale::common {

namespace {

constexpr std::size_t kMaxFileBytes = std::size_t{64} << 20;
constexpr std::size_t kMaxShownBytes = 60;

/// "a.b[3]" → "a.b" → "a" → "".
std::string parent_path(const std::string& path) {
  const auto cut = path.find_last_of(".[");
  return cut == std::string::npos ? std::string() : path.substr(0, cut);
}

/// First key of `map` that stands below `path` (not `path` itself), or null.
template <typename Map>
const std::string* first_below(const Map& map, const std::string& path) {
  for (auto at = map.upper_bound(path); at != map.end() && at->first.starts_with(path); ++at) {
    if (stands_below(at->first, path)) return &at->first;
  }
  return nullptr;
}

/// `path` in the terms of the document's lines: the longest alias that covers it, put in its place.
std::string real_path(const JsonDocument& document, const std::string& path) {
  std::string covered = path;
  for (;; covered = parent_path(covered)) {
    const auto alias = document.aliases.find(covered);
    if (alias != document.aliases.end()) {
      const std::string rest = path.substr(covered.size());
      return covered.empty() && !rest.empty() ? join_path(alias->second, rest) : alias->second + rest;
    }
    if (covered.empty()) return path;
  }
}

/// "file:12" or another origin of exactly this real path, or empty.
std::string position_of(const JsonDocument& document, const std::string& path) {
  const auto origin = document.origins.find(path);
  if (origin != document.origins.end()) return origin->second;
  const auto line = document.lines.find(path);
  return line == document.lines.end() ? std::string() : fmt::format("{}:{}", document.source, line->second);
}

std::string named(const std::string& position, const std::string& path) {
  return path.empty() ? position : fmt::format("{}: {}", position, path);
}

}  // namespace

std::string JsonDocument::where(const std::string& path) const {
  const std::string real = real_path(*this, path);
  if (const std::string exact = position_of(*this, real); !exact.empty()) return named(exact, real);
  if (!path.empty()) {
    // Nothing wrote this value itself: an axis or an assignment that made it on its way is the one to blame.
    if (const std::string* below = first_below(aliases, path); below != nullptr) return where(*below);
    if (const std::string* below = first_below(origins, real); below != nullptr) return named(origins.at(*below), real);
  }
  std::string known = real;
  while (!known.empty() && position_of(*this, known).empty()) known = parent_path(known);
  const std::string position = position_of(*this, known);
  return named(position.empty() ? source : position, real);
}

JsonDocument read_json(const std::filesystem::path& path) {
  return parse_json(read_file(path, kMaxFileBytes), path.string());
}

std::string join_path(const std::string& parent, const std::string& key) {
  return parent.empty() ? key : parent + "." + key;
}

std::string join_path(const std::string& parent, std::size_t index) { return fmt::format("{}[{}]", parent, index); }

bool stands_below(const std::string& path, const std::string& ancestor) {
  if (ancestor.empty()) return true;
  return path.starts_with(ancestor) &&
         (path.size() == ancestor.size() || path[ancestor.size()] == '.' || path[ancestor.size()] == '[');
}

std::string canonical_text(const Json& value) { return value.dump(); }

std::string valid_utf8(const std::string& text) {
  return Json::parse(Json(text).dump(-1, ' ', false, Json::error_handler_t::replace)).get<std::string>();
}

std::string shown(const Json& value) {
  std::string text = value.dump(-1, ' ', false, Json::error_handler_t::replace);
  if (text.size() <= kMaxShownBytes) return text;
  const auto continues_a_character = [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U; };
  std::size_t cut = kMaxShownBytes - 3;
  while (cut > 0 && continues_a_character(text[cut])) --cut;
  return text.substr(0, cut) + "...";
}

}  // namespace ditscale::common
