#include "common/ids.hpp"

#include <algorithm>

namespace ditscale::common {

bool TrialId::valid(const std::string& text) {
  return text.size() == kLength &&
         std::all_of(text.begin(), text.end(), [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

}  // namespace ditscale::common
