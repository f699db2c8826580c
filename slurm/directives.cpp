#include "slurm/directives.hpp"

#include <string_view>
#include <utility>

#include "common/text.hpp"

namespace ditscale::slurm {

namespace {

constexpr std::string_view kBlank = " \t\r";
constexpr std::string_view kDirective = "#SBATCH";

bool is_blank(char letter) { return kBlank.find(letter) != std::string_view::npos; }

/// A '#' outside quotes ends the line, in the middle of a word too; a backslash counts within both kinds of quotes.
void add_words(std::string_view line, std::vector<std::string>& words) {
  std::string word;
  char quote = '\0';
  for (; !line.empty() && (quote != '\0' || line.front() != '#'); line.remove_prefix(1)) {
    const char letter = line.front();
    if (letter == '\\' && line.size() > 1) {
      line.remove_prefix(1);
      word += line.front();
    } else if (quote == '\0' && (letter == '\'' || letter == '"')) {
      quote = letter;
    } else if (letter == quote) {
      quote = '\0';
    } else if (quote == '\0' && is_blank(letter)) {
      if (!word.empty()) words.push_back(std::exchange(word, {}));
    } else {
      word += letter;
    }
  }
  if (!word.empty()) words.push_back(word);
}

}  // namespace

std::vector<std::string> directives_of(const std::string& script) {
  std::vector<std::string> words;
  for (const std::string& line : common::split(script, '\n')) {
    const std::size_t start = line.find_first_not_of(kBlank);
    if (start != std::string::npos && line[start] != '#') break;
    if (line.rfind(kDirective, 0) == 0) add_words(std::string_view(line).substr(kDirective.size()), words);
  }
  return words;
}

}  // namespace ditscale::slurm
