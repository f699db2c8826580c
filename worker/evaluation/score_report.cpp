#include "worker/evaluation/score_report.hpp"

#include <algorithm>

#include "common/atomic_file.hpp"
#include "common/error.hpp"
#include "common/file_lock.hpp"
#include "common/output_place.hpp"

namespace ditscale::worker {

using common::Json;

namespace {

Json read(const std::filesystem::path& file) {
  const Json content = common::read_json(file).value;
  const bool good = content.is_array() && std::all_of(content.begin(), content.end(), [](const Json& score) {
                      return score.is_object() && score.contains("digest") && score.contains("settings_id") &&
                             score.contains("values") && score["values"].is_object();
                    });
  if (!good)
    throw common::CorruptData(
        fmt::format("{}: is no list of scores that worker evaluate wrote; name another --out", file.string()));
  return content;
}

/// Hidden beside the file: it is replaced as a whole, so it cannot be locked itself.
std::filesystem::path lock_of(const std::filesystem::path& file) {
  return file.parent_path() / ("." + file.filename().string() + ".lock");
}

bool same(const Json& score, const Json& digest, const Json& settings_id) {
  return score["digest"] == digest && score["settings_id"] == settings_id;
}

}  // namespace

ScoreReport::ScoreReport(std::filesystem::path file) : file_(std::move(file)) {
  if (!file_.empty()) common::check_output_place(file_);
  refresh();
}

void ScoreReport::refresh() {
  if (!file_.empty() && std::filesystem::exists(file_)) scores_ = read(file_);
}

std::optional<Json> ScoreReport::find(const std::string& digest, const std::string& settings_id,
                                      const std::vector<std::string>& metrics) const {
  for (const Json& score : scores_) {
    if (same(score, digest, settings_id) && has_metrics(score, metrics)) return score;
  }
  return std::nullopt;
}

void ScoreReport::add(const Json& score) {
  std::optional<common::FileLock> lock;
  if (!file_.empty()) lock = common::FileLock::acquire(lock_of(file_));
  refresh();  // another command may have added to it
  const auto earlier = std::find_if(scores_.begin(), scores_.end(), [&](const Json& other) {
    return same(other, score["digest"], score["settings_id"]);
  });
  if (earlier == scores_.end()) {
    scores_.push_back(score);
  } else {
    *earlier = merged_scores(*earlier, score);
  }
  if (!file_.empty()) common::write_file_atomically(file_, scores_.dump(2) + "\n");
}

bool has_metrics(const Json& score, const std::vector<std::string>& metrics) {
  return std::all_of(metrics.begin(), metrics.end(),
                     [&](const std::string& metric) { return score["values"].contains(metric); });
}

Json merged_scores(const Json& earlier, Json score) {
  const Json values = score["values"];
  for (const auto& [metric, value] : earlier["values"].items()) {
    if (values.contains(metric)) continue;
    for (const char* key : {"values", "standard_errors", "reasons", "notes"}) {
      const Json parts = earlier.value(key, Json::object());
      if (parts.contains(metric)) score[key][metric] = parts[metric];
    }
  }
  if (score.value("covariance_rank", Json()).is_null() && earlier.contains("covariance_rank"))
    score["covariance_rank"] = earlier["covariance_rank"];
  return score;
}

std::string score_text(const Json& score) {
  std::string text;
  for (const auto& [metric, value] : score["values"].items()) {
    if (!text.empty()) text += "  ";
    if (value.is_null()) {
      text += fmt::format("{} unknown ({})", metric, score["reasons"].value(metric, "no reason was given"));
      continue;
    }
    text += fmt::format("{} {:.5g}", metric, value.get<double>());
    const auto error = score["standard_errors"].find(metric);
    if (error != score["standard_errors"].end() && error->is_number())
      text += fmt::format(" ± {:.2g}", error->get<double>());
  }
  return text.empty() ? "no scores" : text;
}

}  // namespace ditscale::worker
