#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "analysis/figures/figure.hpp"
#include "common/json_document.hpp"

namespace ditscale::analysis {

/// One chapter of a page. What is empty is not shown.
struct Section {
  /// A word, for links.
  std::string id;
  std::string title;
  std::vector<std::string> notes;
  std::vector<std::string> warnings;
  struct TitledTable {
    std::string title;
    Table table;
  };
  std::vector<TitledTable> tables;
  std::vector<Figure> figures;
  /// Shown as they are, with a fixed width.
  std::vector<std::string> texts;
  struct Sample {
    std::string caption;
    /// The bytes of a PNG.
    std::string png;
  };
  std::vector<Sample> samples;
};

struct Page {
  std::string title;
  std::string subtitle;
  std::vector<Section> sections;
};

/// One HTML file that needs no other: scripts, data and pictures are inside. `plotly` is Plotly's script.
[[nodiscard]] std::string to_html(const Page& page, const std::string& plotly);

/// Plotly's script: ../share/ditscale/plotly.min.js, seen from this program. SystemError with what to do when it is not
/// there.
[[nodiscard]] std::string read_plotly();

}  // namespace ditscale::analysis
