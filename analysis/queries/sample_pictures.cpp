#include "analysis/queries/sample_pictures.hpp"

#include <algorithm>
#include <optional>
#include <set>
#include <string>

#include "common/text.hpp"
#include "common/trial_paths.hpp"

namespace ditscale::analysis {

namespace fs = std::filesystem;

using common::Json;

namespace {

Json without_count(Json settings) {
  settings.erase("num_samples");
  return settings;
}

/// Ids of the settings that equal these but for the number of samples.
std::set<std::string> ids_alike(const Study& study, const results::SettingsRow& settings) {
  const Json wanted = without_count(settings.document);
  std::set<std::string> ids{settings.id};
  for (const results::SettingsRow& row : study.settings) {
    if (without_count(row.document) == wanted) ids.insert(row.id);
  }
  return ids;
}

/// What the name of a picture says: "step-<k>.png" where a trial is scored under one setting, else
/// "step-<k>-<settings id>.png".
struct PictureName {
  std::int64_t step = 0;
  std::string settings_id;
};

std::optional<PictureName> picture_name(const fs::path& file) {
  constexpr std::string_view kStart = "step-";
  const std::string stem = file.stem().string();
  if (file.extension() != ".png" || !stem.starts_with(kStart)) return std::nullopt;
  const std::size_t dash = stem.find('-', kStart.size());
  const auto step =
      common::number_from<std::int64_t>(std::string_view(stem).substr(kStart.size(), dash - kStart.size()));
  if (!step) return std::nullopt;
  return PictureName{*step, dash == std::string::npos ? "" : stem.substr(dash + 1)};
}

/// Whether the trial's scores, if it has any, were taken under one of these settings.
bool scored_under(const Study& study, const StudyTrial& trial, const std::set<std::string>& ids) {
  const auto scores = study.scores_of(trial.id());
  return scores.empty() ||
         std::any_of(scores.begin(), scores.end(), [&](const auto& row) { return ids.contains(row.settings_id); });
}

/// Whether the picture is of these settings.
bool is_under(const Study& study, const StudyTrial& trial, const std::string& settings_id,
              const std::set<std::string>& ids) {
  return settings_id.empty() ? scored_under(study, trial, ids) : ids.contains(settings_id);
}

}  // namespace

SamplePictures::SamplePictures(const Study& study) : study_(study) {
  const common::StudyPaths paths{study.database.parent_path()};
  for (const StudyTrial& trial : study.trials) {
    std::error_code code;
    for (const auto& entry : fs::directory_iterator(paths.trial(trial.id()).samples(), code)) {
      if (auto name = picture_name(entry.path())) {
        all_.push_back({{&trial, name->step, entry.path()}, std::move(name->settings_id)});
      }
    }
  }
}

std::vector<SamplePicture> SamplePictures::newest(const results::SettingsRow& settings, std::size_t most) const {
  const std::set<std::string> ids = ids_alike(study_, settings);
  std::vector<SamplePicture> found;
  for (const auto& [picture, settings_id] : all_) {
    if (!is_under(study_, *picture.trial, settings_id, ids)) continue;
    const bool first = found.empty() || found.back().trial != picture.trial;
    if (first) found.push_back(picture);
    if (!first && picture.step > found.back().step) found.back() = picture;
  }
  std::stable_sort(found.begin(), found.end(), [](const auto& a, const auto& b) {
    return a.trial->row.trial.training_flops < b.trial->row.trial.training_flops;
  });
  if (found.size() <= most) return found;
  std::vector<SamplePicture> kept;
  for (std::size_t i = 0; i < most; ++i) kept.push_back(found[i * (found.size() - 1) / (most - 1)]);
  return kept;
}

std::vector<results::SettingsRow> SamplePictures::settings() const {
  std::vector<results::SettingsRow> with_pictures;
  std::set<Json> seen;
  for (const results::SettingsRow& row : study_.settings) {
    if (!seen.insert(without_count(row.document)).second) continue;
    const std::set<std::string> ids = ids_alike(study_, row);
    const bool any = std::any_of(all_.begin(), all_.end(), [&](const Named& one) {
      return is_under(study_, *one.picture.trial, one.settings_id, ids);
    });
    if (any) with_pictures.push_back(row);
  }
  return with_pictures;
}

}  // namespace ditscale::analysis
