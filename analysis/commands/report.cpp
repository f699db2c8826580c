#include <ostream>

#include <CLI/CLI.hpp>

#include "analysis/commands/options.hpp"
#include "analysis/report/study_page.hpp"
#include "common/atomic_file.hpp"

namespace ditscale::analysis {

namespace {

struct Options {
  DatabaseOptions database;
  std::string out;
};

void run(const Options& options, Surroundings& surroundings) {
  const std::string plotly = read_plotly();
  const Study study = load_study(options.database.path());
  const std::filesystem::path file =
      options.out.empty() ? study.database.parent_path() / "report.html" : std::filesystem::path(options.out);
  common::write_file_atomically(file, to_html(study_page(study, surroundings.provenance), plotly));
  surroundings.out << file.string() << "\n";
}

}  // namespace

void add_report_command(CLI::App& app, Surroundings& surroundings) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("report", "one HTML page with everything; opens without a network");
  options->database.add_to(*command);
  command->add_option("--out", options->out, "file to write [report.html beside the database]");
  command->footer("Example:\n  analysis report --sweep fashion_mnist_demo --out report.html");
  command->callback([options, &surroundings] { run(*options, surroundings); });
}

}  // namespace ditscale::analysis
