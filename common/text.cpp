#include "common/text.hpp"

namespace ditscale::common {

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> parts;
  std::size_t start = 0;
  for (std::size_t end = text.find(separator); end != std::string::npos; end = text.find(separator, start)) {
    parts.push_back(text.substr(start, end - start));
    start = end + 1;
  }
  parts.push_back(text.substr(start));
  return parts;
}

std::optional<int> count_in(const std::string& text) {
  const auto number = number_from<int>(text);
  return number && *number >= 0 ? number : std::nullopt;
}

}  // namespace ditscale::common
