#include <cmath>
#include <iterator>
#include <utility>
#include <vector>

#include "common/error.hpp"
#include "common/json_document.hpp"

namespace ditscale::common {

namespace {

constexpr std::size_t kMaxDepth = 64;

/// Feeds the parser and remembers the line of the last character that was not white space.
class LineCountingIterator {
 public:
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = const char&;

  LineCountingIterator(const char* at, int* line) : at_(at), line_(line) {}
  const char& operator*() const { return *at_; }
  LineCountingIterator& operator++() {
    if (*at_ == '\n') ++pending_newlines_;
    ++at_;
    return *this;
  }
  LineCountingIterator operator++(int) {
    LineCountingIterator before = *this;
    ++*this;
    return before;
  }
  bool operator==(const LineCountingIterator& other) const {
    // The parser compares with the end before it reads each character: a newline counts once something follows it.
    if (at_ != other.at_ && *at_ != '\n' && *at_ != ' ' && *at_ != '\t' && *at_ != '\r') commit();
    return at_ == other.at_;
  }
  bool operator!=(const LineCountingIterator& other) const { return !(*this == other); }

 private:
  void commit() const {
    *line_ += pending_newlines_;
    pending_newlines_ = 0;
  }
  const char* at_;
  int* line_;
  mutable int pending_newlines_ = 0;
};

/// Builds the value and its line table; refuses what strict JSON should not have.
class Builder final : public nlohmann::json_sax<Json> {
 public:
  Builder(JsonDocument& document, const int& line) : document_(document), line_(line) {}

  bool null() override { return add(nullptr); }
  bool boolean(bool v) override { return add(v); }
  bool number_integer(number_integer_t v) override { return add(v); }
  bool number_unsigned(number_unsigned_t v) override { return add(v); }
  bool number_float(number_float_t v, const string_t& text) override {
    if (!std::isfinite(v)) fail(fmt::format("number {} is out of range", text));
    return add(v);
  }
  bool string(string_t& v) override { return add(v); }
  bool binary(binary_t&) override { return false; }
  bool start_object(std::size_t) override { return open(Json::object()); }
  bool start_array(std::size_t) override { return open(Json::array()); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }
  bool key(string_t& v) override {
    Level& level = levels_.back();
    if (level.value->contains(v)) fail(fmt::format("key {} stands twice in one object", shown(v)));
    level.key = v;
    document_.lines[join_path(level.path, v)] = line_;
    return true;
  }
  bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception& error) override {
    // "[json.exception.parse_error.101] parse error at line 3, column 5: syntax error …": the end is what helps.
    std::string text = error.what();
    const auto syntax = text.find("syntax error");
    const auto prefix = text.find("] ");
    if (syntax != std::string::npos) {
      text.erase(0, syntax);
    } else if (prefix != std::string::npos) {
      text.erase(0, prefix + 2);
    }
    fail(valid_utf8(text));
  }

 private:
  struct Level {
    Json* value;
    std::string path;
    std::string key;
  };

  /// Puts `value` into the innermost open container (or makes it the root) and says in `path` where.
  Json* place(Json value, std::string& path) {
    if (levels_.empty()) {
      document_.value = std::move(value);
      document_.lines[""] = line_;
      return &document_.value;
    }
    Level& level = levels_.back();
    if (level.value->is_array()) {
      path = join_path(level.path, level.value->size());
      document_.lines[path] = line_;
      level.value->push_back(std::move(value));
      return &level.value->back();
    }
    path = join_path(level.path, level.key);
    return &((*level.value)[level.key] = std::move(value));
  }
  bool add(Json value) {
    std::string path;
    place(std::move(value), path);
    return true;
  }
  bool open(Json value) {
    if (levels_.size() >= kMaxDepth) fail(fmt::format("nested deeper than {} levels", kMaxDepth));
    std::string path;
    Json* placed = place(std::move(value), path);
    levels_.push_back({placed, path, ""});
    return true;
  }
  bool close() {
    levels_.pop_back();
    return true;
  }
  [[noreturn]] void fail(const std::string& message) const {
    throw ConfigError(fmt::format("{}:{}: {}", document_.source, line_, message));
  }

  JsonDocument& document_;
  const int& line_;
  std::vector<Level> levels_;
};

}  // namespace

JsonDocument parse_json(std::string_view text, std::string source) {
  JsonDocument document;
  document.source = std::move(source);
  int line = 1;
  Builder builder(document, line);
  Json::sax_parse(LineCountingIterator(text.data(), &line), LineCountingIterator(text.data() + text.size(), &line),
                  &builder, Json::input_format_t::json, /*strict=*/true, /*ignore_comments=*/true);
  return document;
}

}  // namespace ditscale::common
