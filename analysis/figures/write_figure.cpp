#include "analysis/figures/write_figure.hpp"

#include <algorithm>
#include <cstdlib>

#include <fmt/format.h>
#include <unistd.h>

#include "analysis/figures/gnuplot.hpp"
#include "analysis/figures/gnuplot_script.hpp"
#include "analysis/figures/picture_files.hpp"
#include "common/atomic_file.hpp"
#include "common/hash.hpp"

namespace ditscale::analysis {

namespace fs = std::filesystem;

using common::Json;

namespace {

/// A plot of characters needs as many, with its title and axis.
constexpr std::size_t kFewestRows = 16;

Json sidecar(const Figure& figure, const Provenance& provenance, const Json& details, const std::string& csv) {
  std::size_t num_points = 0;
  for (const Series& series : figure.series) {
    const bool drawn_by_us = series.look == Series::Look::kBand || series.look == Series::Look::kLaw ||
                             series.look == Series::Look::kContour;
    if (!drawn_by_us) num_points += series.points.size();
  }
  Json json{{"figure", figure.name},
            {"title", figure.title},
            {"x", {{"label", figure.x.label}, {"logarithmic", figure.x.logarithmic}}},
            {"y", {{"label", figure.y.label}, {"logarithmic", figure.y.logarithmic}}},
            {"note", figure.note},
            {"num_points", num_points},
            {"data", {{"file", figure.name + ".csv"}, {"xxh3_128", common::hash_hex128(csv)}}},
            {"program",
             {{"name", "ditscale analysis"},
              {"version", provenance.version},
              {"revision", provenance.revision},
              {"command_line", provenance.command_line}}}};
  json.update(details);
  return json;
}

void draw(const Figure& figure, const PictureSize& size, const PictureFiles& files) {
  try {
    run_gnuplot(picture_script(figure, size, files.temporary()));
    publish_pictures(files);
  } catch (...) {
    remove_temporary_pictures(files);
    throw;
  }
}

}  // namespace

std::vector<fs::path> write_figure(const Figure& figure, const fs::path& folder, const Provenance& provenance,
                                   const Json& details, const PictureSize& size) {
  common::make_folder(folder);
  const PictureFiles pictures{folder / (figure.name + ".svg"), folder / (figure.name + ".png"),
                              folder / (figure.name + ".pdf")};
  const fs::path csv = folder / (figure.name + ".csv");
  const fs::path json = folder / (figure.name + ".json");
  auto drawing = std::async(std::launch::async, [&] { draw(figure, size, pictures); });
  const std::string data = to_csv(figure.table);
  common::write_file_atomically(csv, data);
  common::write_file_atomically(json, sidecar(figure, provenance, details, data).dump(2) + "\n");
  drawing.get();
  return {pictures.svg, pictures.png, pictures.pdf, csv, json};
}

void FigureWriter::start(const Figure& figure, Json details) {
  running_.push_back(std::async(std::launch::async, [this, &figure, details = std::move(details)] {
    return write_figure(figure, folder_, provenance_, details, size_);
  }));
}

std::vector<fs::path> FigureWriter::finish() {
  std::vector<fs::path> files;
  for (auto& one : running_) {
    const auto written = one.get();
    files.insert(files.end(), written.begin(), written.end());
  }
  running_.clear();
  return files;
}

std::string figure_text(const Figure& figure, std::size_t columns, std::size_t rows) {
  const fs::path file = common::temporary_name(fs::temp_directory_path() / fmt::format("ditscale-{}.txt", figure.name));
  const std::vector<std::string> legend = terminal_legend(figure, columns);
  const std::size_t plot_rows = std::max(std::min(kFewestRows, rows), rows - std::min(rows, legend.size()));
  run_gnuplot(terminal_script(figure, columns, plot_rows, file));
  std::string text = common::read_file(file);
  std::error_code ignored;
  fs::remove(file, ignored);
  text.erase(0, text.find_first_not_of("\f"));  // gnuplot starts a new page
  for (const std::string& line : legend) text += line + "\n";
  return text;
}

}  // namespace ditscale::analysis
