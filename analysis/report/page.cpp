#include "analysis/report/page.hpp"

#include <algorithm>
#include <cmath>

#include "report_texts.hpp"

#include "analysis/figures/placeable.hpp"
#include "common/atomic_file.hpp"
#include "common/error.hpp"

namespace ditscale::analysis {

namespace fs = std::filesystem;

using common::Json;

namespace {

std::string look_name(Series::Look look) {
  switch (look) {
    case Series::Look::kPointsAndLine:
      return "points_and_line";
    case Series::Look::kPoints:
      return "points";
    case Series::Look::kLine:
      return "line";
    case Series::Look::kSegments:
      return "segments";
    case Series::Look::kBackdrop:
      return "backdrop";
    case Series::Look::kBand:
      return "band";
    case Series::Look::kContour:
      return "contour";
    case Series::Look::kArea:
      return "area";
    case Series::Look::kLaw:
      break;
  }
  return "law";
}

/// Six digits are more than a screen shows, and half the bytes.
Json screen_number(double value) {
  return std::isfinite(value) ? Json(std::stod(fmt::format("{:.6g}", value))) : Json(nullptr);
}

Json series_json(const Series& series) {
  Json x = Json::array();
  Json y = Json::array();
  Json text = Json::array();
  const bool labelled =
      std::any_of(series.points.begin(), series.points.end(), [](const auto& p) { return !p.label.empty(); });
  for (std::size_t i = 0; i < series.points.size(); ++i) {
    // A segment is two points; null keeps it apart from the next.
    const bool gap = series.look == Series::Look::kSegments && i > 0 && i % 2 == 0;
    if (gap) {
      x.push_back(nullptr);
      y.push_back(nullptr);
      if (labelled) text.push_back("");
    }
    x.push_back(screen_number(series.points[i].x));
    y.push_back(screen_number(series.points[i].y));
    if (labelled) text.push_back(series.points[i].label);
  }
  Json style = nullptr;
  if (series.style) style = {series.style->colour, series.style->mark, series.style->dash};
  return {{"name", series.name}, {"look", look_name(series.look)}, {"x", x}, {"y", y}, {"text", text},
          {"style", style}};
}

Json axis_json(const Figure& figure, const Axis& axis, double FigurePoint::*value) {
  bool positive = true;
  for (const Series& series : figure.series) {
    for (const FigurePoint& point : series.points) positive = positive && point.*value > 0;
  }
  return {{"label", axis.label},
          {"logarithmic", axis.logarithmic},
          {"categories", axis.categories},
          {"data", axis.data ? Json{axis.data->first, axis.data->second} : Json(nullptr)},
          {"positive", positive}};
}

Json figure_json(const Figure& figure) {
  Json series = Json::array();
  for (const Series& one : figure.series) series.push_back(series_json(one));
  return {{"name", figure.name},
          {"title", figure.title},
          {"note", figure.note},
          {"x", axis_json(figure, figure.x, &FigurePoint::x)},
          {"y", axis_json(figure, figure.y, &FigurePoint::y)},
          {"series", series},
          {"csv", to_csv(figure.table)}};
}

Json table_json(const Section::TitledTable& titled) {
  Json columns = Json::array();
  for (const Column& column : titled.table.columns) {
    const char* kind = column.kind == Column::Kind::kText      ? "text"
                       : column.kind == Column::Kind::kInteger ? "integer"
                                                               : "number";
    columns.push_back({{"name", column.name}, {"kind", kind}, {"long", column.shrinkable}});
  }
  return {{"title", titled.title}, {"columns", columns}, {"rows", titled.table.rows}};
}

std::string base64(const std::string& bytes) {
  constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::uint32_t group = 0;
    for (std::size_t k = 0; k < 3; ++k) {
      group = group << 8 | (i + k < bytes.size() ? static_cast<unsigned char>(bytes[i + k]) : 0U);
    }
    for (std::size_t k = 0; k < 4; ++k) {
      text += i + k > bytes.size() ? '=' : kDigits[group >> (18 - 6 * k) & 63U];
    }
  }
  return text;
}

Json section_json(const Section& section) {
  Json json{
      {"id", section.id},       {"title", section.title},  {"notes", section.notes},   {"warnings", section.warnings},
      {"texts", section.texts}, {"tables", Json::array()}, {"figures", Json::array()}, {"samples", Json::array()}};
  for (const auto& table : section.tables) json["tables"].push_back(table_json(table));
  for (const Figure& whole : section.figures) {
    const Figure figure = placeable(whole);
    if (!figure.empty()) json["figures"].push_back(figure_json(figure));
  }
  for (const Section::Sample& sample : section.samples) {
    json["samples"].push_back({{"caption", sample.caption}, {"image", "data:image/png;base64," + base64(sample.png)}});
  }
  return json;
}

/// JSON inside a script element: nothing in it may end the element.
std::string embedded(const Json& json) {
  const std::string text = json.dump(-1, ' ', false, Json::error_handler_t::replace);
  std::string safe;
  safe.reserve(text.size());
  for (const char c : text) safe += c == '<' ? std::string("\\u003c") : std::string(1, c);
  return safe;
}

}  // namespace

std::string to_html(const Page& page, const std::string& plotly) {
  Json sections = Json::array();
  for (const Section& section : page.sections) sections.push_back(section_json(section));
  const Json data{{"title", page.title}, {"subtitle", page.subtitle}, {"sections", std::move(sections)}};
  std::string html =
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<title>report</title>\n<style>\n";
  html += k_page_css;
  html += "</style>\n<script>\n" + plotly +
          "\n</script>\n</head>\n<body>\n<h1></h1>\n<p id=\"subtitle\" class=\"note\"></p>\n"
          "<nav class=\"tools\"></nav>\n<main id=\"content\"></main>\n"
          "<noscript>This page draws itself with a script inside it; allow scripts for this file.</noscript>\n"
          "<script id=\"data\" type=\"application/json\">";
  html += embedded(data);
  html += "</script>\n<script>\n";
  html += k_page_js;
  html += "</script>\n</body>\n</html>\n";
  return html;
}

std::string read_plotly() {
  std::error_code code;
  const fs::path program = fs::read_symlink("/proc/self/exe", code);
  const fs::path file = program.parent_path().parent_path() / "share/ditscale/plotly.min.js";
  if (code || !fs::exists(file)) {
    throw common::SystemError(fmt::format(
        "{}: Plotly's script is not there; `make setup` fetches it, then configure and build again", file.string()));
  }
  return common::read_file(file);
}

}  // namespace ditscale::analysis
