#include "analysis/tables/cell_text.hpp"

#include <algorithm>
#include <array>
#include <cstdio>

#include <fmt/format.h>

namespace ditscale::analysis {

namespace {

bool starts_character(char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }

std::string with_thousands(std::int64_t value) {
  std::string digits = fmt::format("{}", value);
  const std::size_t sign = value < 0 ? 1 : 0;
  for (std::size_t at = digits.size(); at > sign + 3;) {
    at -= 3;
    digits.insert(at, ",");
  }
  return digits;
}

/// Line breaks and other control characters would tear the table.
std::string on_one_line(std::string text) {
  std::replace_if(
      text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20; }, ' ');
  return text;
}

}  // namespace

std::string significant(double value, int digits) {
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%#.*g", digits, value);
  std::string result = text.data();
  if (result.back() == '.') result.pop_back();
  return result;
}

std::string cell_text(const common::Json& cell, const Column& column) {
  if (cell.is_null()) return "-";
  if (cell.is_string()) return on_one_line(cell.get<std::string>());
  if (cell.is_number_integer()) {
    return column.kind == Column::Kind::kInteger ? with_thousands(cell.get<std::int64_t>()) : cell.dump();
  }
  if (cell.is_number_float()) return significant(cell.get<double>(), column.digits);
  return cell.dump();
}

std::size_t width_of(const std::string& text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), starts_character));
}

std::string cut_to(const std::string& text, std::size_t width) {
  if (width_of(text) <= width) return text;
  std::string cut;
  std::size_t characters = 0;
  for (const char c : text) {
    if (starts_character(c) && ++characters == width) break;
    cut += c;
  }
  return cut + "…";
}

}  // namespace ditscale::analysis
