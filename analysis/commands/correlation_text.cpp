#include "analysis/commands/correlation_text.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace ditscale::analysis {

using common::Json;

namespace {
/// Trials that are named; --json has them all.
constexpr std::size_t kMostNamed = 20;
}  // namespace

std::string correlation_text(const std::vector<Correlation>& correlations, const std::string& metric) {
  std::string text;
  for (const Correlation& c : correlations) {
    text += fmt::format("log10 {} and {}: ", c.x, metric);
    if (c.pearson) {
      text += fmt::format("Pearson r {:.4f}", *c.pearson);
      if (c.pearson_interval)
        text += fmt::format(" [{:.2f}, {:.2f}]", c.pearson_interval->low, c.pearson_interval->high);
      if (c.spearman) text += fmt::format(", Spearman {:.4f}", *c.spearman);
      text += fmt::format(" (n = {})\n", c.n);
    } else {
      text += fmt::format("no correlation (n = {}; three trials that differ are needed)\n", c.n);
    }
  }
  return text;
}

Json correlation_json(const std::vector<Correlation>& correlations) {
  Json list = Json::array();
  for (const Correlation& c : correlations) {
    list.push_back({{"x", "log10 " + c.x},
                    {"n", c.n},
                    {"pearson", c.pearson ? Json(*c.pearson) : Json(nullptr)},
                    {"pearson_interval_95",
                     c.pearson_interval ? Json{c.pearson_interval->low, c.pearson_interval->high} : Json(nullptr)},
                    {"spearman", c.spearman ? Json(*c.spearman) : Json(nullptr)}});
  }
  return list;
}

std::string left_out_text(const std::vector<LeftOut>& left_out) {
  std::string text;
  for (std::size_t i = 0; i < std::min(left_out.size(), kMostNamed); ++i) {
    text += fmt::format("left out: {}: {}\n", left_out[i].label, left_out[i].why);
  }
  if (left_out.size() > kMostNamed) text += fmt::format("left out: {} more\n", left_out.size() - kMostNamed);
  return text;
}

Json left_out_json(const std::vector<LeftOut>& left_out) {
  Json list = Json::array();
  for (const LeftOut& one : left_out) list.push_back({{"label", one.label}, {"why", one.why}});
  return list;
}

}  // namespace ditscale::analysis
