#include "slurm/quoting.hpp"

#include <algorithm>
#include <string_view>

#include "common/error.hpp"
#include "common/json_document.hpp"

namespace ditscale::slurm {

namespace {

bool is_plain(char letter) {
  constexpr std::string_view kPlain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:,=@%+";
  return kPlain.find(letter) != std::string_view::npos;
}

bool is_plain(const std::string& text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char letter) { return is_plain(letter); });
}

bool has(const std::string& text, char letter) { return text.find(letter) != std::string::npos; }

}  // namespace

std::string shell_word(const std::string& text) {
  if (has(text, '\0')) throw common::UsageError("an argument holds a NUL byte, which no command line can");
  if (is_plain(text)) return text;
  std::string word = "'";
  for (const char letter : text) word += letter == '\'' ? std::string("'\\''") : std::string(1, letter);
  return word + "'";
}

std::string text_of_shell_word(std::string_view text) {
  std::string word;
  bool quoted = false;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const char letter = text[at];
    if (!quoted && (letter == ' ' || letter == '\n')) break;
    if (letter == '\'') {
      quoted = !quoted;
    } else if (letter == '\\' && !quoted && at + 1 < text.size()) {
      word += text[++at];
    } else {
      word += letter;
    }
  }
  return word;
}

std::string directive_word(const std::string& text) {
  if (is_plain(text)) return text;
  const bool control = std::any_of(text.begin(), text.end(), [](unsigned char letter) { return letter < 0x20; });
  const char quote = has(text, '\'') ? '"' : '\'';
  if (control || has(text, quote) || (quote == '"' && has(text, '\\'))) {
    throw common::UsageError(fmt::format(
        "{} cannot stand in an #SBATCH line: no line breaks, and not both kinds of quotes. Use another name, "
        "or a folder with a plain path",
        common::shown(common::valid_utf8(text))));
  }
  return quote + text + quote;
}

std::string output_pattern(const std::string& path) {
  if (has(path, '\\'))
    throw common::UsageError(fmt::format("{}: Slurm cannot write its log below a path with a backslash", path));
  std::string pattern;
  for (const char letter : path) pattern += letter == '%' ? std::string("%%") : std::string(1, letter);
  return pattern;
}

}  // namespace ditscale::slurm
