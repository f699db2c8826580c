#include "analysis/queries/export_tables.hpp"

#include <array>
#include <fstream>
#include <utility>

#include "common/atomic_file.hpp"
#include "common/error.hpp"
#include "results/reader.hpp"

namespace ditscale::analysis {

namespace fs = std::filesystem;

using common::Json;

namespace {

constexpr std::array<std::pair<const char*, const char*>, 3> kViews{{
    {"trials.csv", "SELECT * FROM v_trials ORDER BY position"},
    {"evaluations.csv", "SELECT * FROM v_evaluations ORDER BY trial, step, settings_id, metric"},
    {"metrics.csv", "SELECT * FROM v_metrics ORDER BY trial, step"},
}};

std::string field_text(const results::SqlValue& value) {
  if (const auto* number = std::get_if<double>(&value)) return Json(*number).dump();
  if (const auto* integer = std::get_if<std::int64_t>(&value)) return std::to_string(*integer);
  if (std::holds_alternative<std::monostate>(value)) return "";
  const std::string& text = std::get<std::string>(value);
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
  return quoted + "\"";
}

/// One view into one file; returns its number of rows.
std::int64_t write_view(const results::ResultsReader& reader, const char* sql, const fs::path& file) {
  const fs::path temporary = common::temporary_name(file);
  std::ofstream out(temporary, std::ios::binary);
  std::int64_t num_rows = -1;  // the header is none
  const auto write_line = [&](const auto& fields, const auto& text) {
    bool first = true;
    for (const auto& field : fields) {
      if (!first) out << ',';
      out << text(field);
      first = false;
    }
    out << "\r\n";
    ++num_rows;
  };
  reader.query(
      sql, [&](const std::vector<std::string>& names) { write_line(names, [](const auto& n) { return n; }); },
      [&](const std::vector<results::SqlValue>& row) { write_line(row, field_text); });
  out.close();
  if (!out) throw common::SystemError(fmt::format("{}: writing failed; is the disk full?", file.string()));
  common::publish_file(temporary, file);
  return num_rows;
}

}  // namespace

std::vector<fs::path> export_views(const fs::path& database, const fs::path& folder, const Provenance& provenance) {
  common::make_folder(folder);
  const results::ResultsReader reader(database);
  std::vector<fs::path> files;
  Json rows = Json::object();
  for (const auto& [name, sql] : kViews) {
    files.push_back(folder / name);
    rows[name] = write_view(reader, sql, files.back());
  }
  files.push_back(folder / "export.json");
  common::write_file_atomically(files.back(), Json{{"database", database.string()},
                                                   {"schema_version", reader.schema_version()},
                                                   {"rows", rows},
                                                   {"version", provenance.version},
                                                   {"revision", provenance.revision},
                                                   {"command_line", provenance.command_line}}
                                                      .dump(2) +
                                                  "\n");
  return files;
}

}  // namespace ditscale::analysis
