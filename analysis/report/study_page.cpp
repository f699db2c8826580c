#include "analysis/report/study_page.hpp"

#include <algorithm>
#include <map>

#include "analysis/commands/correlation_text.hpp"
#include "analysis/figures/fit_figures.hpp"
#include "analysis/figures/loss_figures.hpp"
#include "analysis/figures/run_figures.hpp"
#include "analysis/figures/setting_figures.hpp"
#include "analysis/figures/study_figures.hpp"
#include "analysis/figures/trial_names.hpp"
#include "analysis/queries/sample_pictures.hpp"
#include "analysis/queries/seeds.hpp"
#include "analysis/queries/settings_choice.hpp"
#include "analysis/queries/trial_table.hpp"
#include "analysis/queries/tuning.hpp"
#include "common/atomic_file.hpp"
#include "common/error.hpp"
#include "common/hash.hpp"

namespace ditscale::analysis {

namespace fs = std::filesystem;

using common::Json;

namespace {

/// Pictures on a page, and the largest file taken as one.
constexpr std::size_t kMostSamples = 24;
/// Of each setting where there are many.
constexpr std::size_t kFewestSamples = 4;
constexpr std::uintmax_t kLargestSample_bytes = 4 << 20;
constexpr int kResamples = 400;
/// A page of a large study is there in seconds; `analysis fit` takes its time.
constexpr std::size_t kManyPoints = 2000;
constexpr int kFewResamples = 40;

Section trials_section(const Study& study) {
  Section section{"trials", "Trials", {}, {}, {}, {}, {}, {}};
  std::map<std::string, int> states;
  for (const StudyTrial& trial : study.trials) ++states[std::string(to_name(trial.row.trial.state))];
  std::string counts;
  for (const auto& [state, count] : states) counts += fmt::format("{}{} {}", counts.empty() ? "" : ", ", count, state);
  section.notes = {counts + ".", "Gflops: multiply-accumulates of one forward pass / 1e9, as in the DiT paper."};
  Table table = trial_table(study);
  table.drop("model");  // parameters and label say it, and scores have to fit beside them
  section.tables.push_back({"", std::move(table)});
  const LossCurves curves = loss_curves(study);
  section.figures = {loss_by_step(study, curves), loss_by_training_flops(study, curves)};
  return section;
}

void add_law(Section& section, const ScorePoints& points, const std::string& label, const std::string& name) {
  FitRequest request;
  request.num_resamples = points.final.size() > kManyPoints ? kFewResamples : kResamples;
  try {
    const XQuantity x = natural_x(points.final);
    FitReport report = make_fit_report(fit_points(points.final, x), request);
    report.x_name = to_name(x);
    report.y_name = label;
    section.texts.push_back(to_text(report));
    section.figures.push_back(law_with_band(report, name + "_law"));
    const RunNames names = run_names(points.final);
    section.figures.push_back(residuals(report, name + "_residuals", names));
    section.figures.push_back(predicted_against_measured(report, name + "_held_out", names));
    for (const FormReport& form : report.forms) {
      if (!form.fit) continue;
      for (const std::string& warning : form.fit->warnings) {
        section.warnings.push_back(fmt::format("{}: {}", facts_of(form.form).name, warning));
      }
    }
  } catch (const common::ConfigError& error) {
    section.notes.push_back(std::string("No law: ") + error.what());
  }
}

Section score_section(const Study& study, const std::string& metric, const results::SettingsRow& settings) {
  const std::string label = score_label(metric, settings);
  const std::string name = metric + "_" + settings.id.substr(0, 8);
  const bool several = settings_of(study, metric).size() > 1;
  Section section{name, label + (several ? ", settings " + settings.id.substr(0, 8) : ""), {}, {}, {}, {}, {}, {}};
  section.notes.push_back("Settings " + settings.id + ": " + settings.document.dump());
  const ScorePoints points = score_points(study, metric, settings.id);
  if (points.all.empty()) {
    section.notes.push_back("Nothing was scored yet.\n" + left_out_text(points.left_out));
    return section;
  }
  section.notes.push_back(correlation_text(correlations(points.final), metric));
  const ScoreView view{study, points, label, metric};
  const std::vector<FitPoint> fit = fit_points(points.final, XQuantity::kForwardMacs);
  std::optional<Law> law;
  if (same_length(points.final) && !why_not_fittable(fit, Form::kPower)) law = fit_law(fit, {}).law();
  section.figures = {score_by_forward_gflops(view, law), score_by_parameters(view), score_by_training_flops(view)};
  const SettingView across{study, metric, label, settings};
  for (const Figure& figure : {score_by_guidance(across), score_by_sampling_compute(across), score_by_block(across)}) {
    section.figures.push_back(figure);
  }
  for (Figure& figure : section.figures) figure.name += "_" + settings.id.substr(0, 8);
  add_law(section, points, label, name);
  if (const auto seeds = seed_groups(points.final); !seeds.empty()) {
    section.tables.push_back({"Runs that differ in the seed only", seed_table(seeds, metric)});
  }
  for (const auto& warnings :
       {tuning_warnings(points.final, metric, points.diverged), length_warnings(points.final, XQuantity::kForwardMacs),
        mixing_warnings(points.final), foreign_warnings(points.final)}) {
    section.warnings.insert(section.warnings.end(), warnings.begin(), warnings.end());
  }
  if (!points.left_out.empty()) section.texts.push_back(left_out_text(points.left_out));
  return section;
}

std::string file_bytes(const fs::path& file) {
  std::error_code code;
  const auto size = fs::file_size(file, code);
  return code || size > kLargestSample_bytes ? "" : common::read_file(file);
}

/// The newest picture of each trial, models by rising compute: same noise and labels, so a column is one image.
Section sample_section(const Study& study) {
  Section section{"samples", "Samples", {}, {}, {}, {}, {}, {}};
  const SamplePictures pictures(study);
  const std::vector<results::SettingsRow> all = pictures.settings();
  std::vector<std::pair<SamplePicture, std::string>> shown;  // with what the caption says of settings
  std::vector<const StudyTrial*> drawn;
  for (const results::SettingsRow& settings : all) {
    const std::string under = all.size() > 1 ? ", settings " + settings.id.substr(0, 8) : "";
    const std::size_t most = std::max(kFewestSamples, kMostSamples / all.size());
    for (SamplePicture& picture : pictures.newest(settings, most)) {
      drawn.push_back(picture.trial);
      shown.emplace_back(std::move(picture), under);
    }
  }
  TrialNames names = names_among(std::move(drawn));
  for (const auto& [picture, under] : shown) {
    std::string png = file_bytes(picture.file);
    if (png.empty()) continue;
    section.samples.push_back({fmt::format("{}, {:.4g} Gflops, step {}{}", names[picture.trial],
                                           picture.trial->gflops(), picture.step, under),
                               std::move(png)});
  }
  section.notes = {section.samples.empty() ? "No sample pictures stand beside the database."
                                           : "Same noise and labels for all; models ordered by training compute."};
  return section;
}

/// "The nodes of the runs had 12 cpu hours, of which trials held 81.3 %, and 3 gpu hours, …".
std::string device_time_text(const DeviceTime& time) {
  const auto part = [](double had_s, double held_s, const char* what) {
    return fmt::format("{:.3g} {} hours, of which trials held {:.1f} %", had_s / 3600, what, 100 * held_s / had_s);
  };
  const std::string gpus = time.had_gpu_s > 0 ? ", and " + part(time.had_gpu_s, time.held_gpu_s, "gpu") : "";
  return "The nodes of the runs had " + part(time.had_cpu_s, time.held_cpu_s, "cpu") + gpus + ".";
}

Section devices_section(const Study& study) {
  Section section{"devices", "Devices and cost", {}, {}, {}, {}, {}, {}};
  const Utilisation use = utilisation(study);
  if (use.num_devices == 0) {
    section.notes = {"No attempt has ended yet, or none was timed."};
    return section;
  }
  section.notes = {fmt::format(
      "{} devices, {:.3g} h from first start to last end, {:.1f} % busy; {:.3g} device-hours in attempts "
      "that were lost or failed ({:.1f} % of the work).",
      use.num_devices, use.makespan_s / 3600, 100 * use.share(), use.lost_s / 3600, 100 * use.lost_s / use.busy_s)};
  const DeviceTime time = device_time(study);
  if (time.had_cpu_s > 0) section.notes.push_back(device_time_text(time));
  section.figures = {gantt(study), predicted_against_actual_cost(study)};
  return section;
}

Section provenance_section(const Study& study, const Provenance& provenance) {
  Section section{"reproduce", "How to do it again", {}, {}, {}, {}, {}, {}};
  std::string settings;
  for (const results::SettingsRow& row : study.settings) settings += row.id + " " + row.document.dump() + "\n";
  std::string ids;
  for (const StudyTrial& trial : study.trials) ids += trial.id().str();
  section.texts = {
      fmt::format("database      {}\ntrials        xxh3_128 of their ids {}\nprogram       ditscale analysis {} "
                  "({})\ncommand line  {}\n",
                  fs::absolute(study.database).string(), common::hash_hex128(ids), provenance.version,
                  provenance.revision, fmt::join(provenance.command_line, " "))};
  if (!settings.empty()) section.texts.push_back("settings of the scores\n" + settings);
  if (study.trials.size() <= 24) {
    for (const StudyTrial& trial : study.trials) {
      section.texts.push_back(fmt::format("{} {}\n{}", trial.id().str(), trial.row.trial.label, trial.spec().dump()));
    }
  } else {
    section.notes = {"The resolved configuration of each trial is in the database: trials.spec."};
  }
  return section;
}

}  // namespace

Page study_page(const Study& study, const Provenance& provenance) {
  Page page;
  page.title = study.name;
  page.subtitle =
      fmt::format("{} trials; made by ditscale {} ({})", study.trials.size(), provenance.version, provenance.revision);
  page.sections.push_back(trials_section(study));
  for (const std::string& metric : study.score_names()) {
    for (const results::SettingsRow& settings : settings_of(study, metric)) {
      page.sections.push_back(score_section(study, metric, settings));
    }
  }
  page.sections.push_back(sample_section(study));
  page.sections.push_back(devices_section(study));
  page.sections.push_back(provenance_section(study, provenance));
  return page;
}

}  // namespace ditscale::analysis
