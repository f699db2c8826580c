#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ditscale::sweeps {

/// The names of an enumeration in sweep files: specialised beside it, `kAll` in the order in which they are shown.
template <typename E>
struct Choices;

template <typename E>
[[nodiscard]] constexpr std::string_view to_name(E value) {
  for (const auto& [choice, name] : Choices<E>::kAll) {
    if (choice == value) return name;
  }
  return "";
}

template <typename E>
[[nodiscard]] std::optional<E> choice_from(std::string_view name) {
  for (const auto& [choice, text] : Choices<E>::kAll) {
    if (text == name) return choice;
  }
  return std::nullopt;
}

template <typename E>
[[nodiscard]] std::vector<std::string> choice_names() {
  std::vector<std::string> names;
  for (const auto& choice : Choices<E>::kAll) names.emplace_back(choice.second);
  return names;
}

}  // namespace ditscale::sweeps
