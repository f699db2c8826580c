#include "orchestrator/cli/study_needs.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "orchestrator/plan/disk.hpp"
#include "orchestrator/view/text.hpp"
#include "sweeps/spec/data_sets.hpp"

namespace ditscale::orchestrator {

namespace fs = std::filesystem;

namespace {

/// A field of a trial, and the file that it names.
using Need = std::pair<std::string, std::string>;

bool is_packaged(const sweeps::DataSpec& data) {
  return !data.is_store() && !sweeps::data_set(data.name).default_root.empty();
}

std::set<Need> needs_of(const sweeps::TrialSpec& trial) {
  std::set<Need> needs;
  if (!trial.data.root.empty() || !is_packaged(trial.data)) needs.emplace("data.root", trial.data.root);
  for (const sweeps::EvaluateSpec& entry : trial.evaluate) {
    for (const auto& [field, file] : {std::pair{"evaluate.reference", &entry.reference},
                                      {"evaluate.decoder", &entry.decoder},
                                      {"evaluate.features_file", &entry.features_file}}) {
      if (!file->empty()) needs.emplace(field, *file);
    }
  }
  return needs;
}

std::string cells_text(std::size_t count) { return fmt::format("{} cell{}", count, count == 1 ? "" : "s"); }

double size_of(const fs::path& folder) {
  double bytes = 0;
  std::error_code gone;  // a trainer of a killed run may still be at work
  for (fs::recursive_directory_iterator at(folder, gone), end; !gone && at != end; at.increment(gone)) {
    std::error_code unknown;
    const auto size = at->is_regular_file(unknown) ? at->file_size(unknown) : 0;
    if (!unknown) bytes += static_cast<double>(size);
  }
  return bytes;
}

double free_bytes_of(fs::path folder) {
  std::error_code unknown;
  folder = fs::absolute(folder, unknown);
  while (!fs::exists(folder, unknown) && folder != folder.root_path()) folder = folder.parent_path();
  const fs::space_info space = fs::space(folder, unknown);
  return unknown ? -1 : static_cast<double>(space.available);
}

}  // namespace

std::optional<std::string> why_files_are_missing(const std::vector<sweeps::Cell>& cells) {
  std::map<Need, std::size_t> needs;
  for (const sweeps::Cell& cell : cells) {
    for (const Need& need : needs_of(cell.trial)) ++needs[need];
  }
  for (const auto& [need, count] : needs) {
    const auto& [field, file] = need;
    if (file.empty()) {
      return fmt::format(
          "{} is empty, but the data of {} needs it: name the store in the sweep file, or with --set "
          "data.root=PATH",
          field, cells_text(count));
    }
    std::error_code failure;
    if (fs::exists(file, failure)) continue;
    const std::string why = failure ? failure.message() : "there is no such file or folder";
    return fmt::format(
        "{} \"{}\", which {} to be run read{}: {}. Put it there, or name another in the sweep file or "
        "with --set; relative names begin at {}",
        field, file, cells_text(count), count == 1 ? "s" : "", why, fs::current_path().string());
  }
  return std::nullopt;
}

std::optional<std::string> why_disk_is_short(const std::vector<sweeps::Cell>& cells, const common::StudyPaths& study) {
  const double free_bytes = free_bytes_of(study.folder);
  if (free_bytes < 0) return std::nullopt;
  double needed_bytes = 0;
  for (const sweeps::Cell& cell : cells) needed_bytes += disk_bytes(cell.trial);
  if (needed_bytes <= free_bytes) return std::nullopt;
  // Most of it may have been written by an earlier run.
  needed_bytes = 0;
  for (const sweeps::Cell& cell : cells)
    needed_bytes += std::max(0.0, disk_bytes(cell.trial) - size_of(study.trial(cell.id).folder));
  if (needed_bytes <= free_bytes) return std::nullopt;
  return fmt::format(
      "about {} are needed for checkpoints, {} are free in {}: when it is full the study stops, and goes "
      "on when there is room",
      bytes_text(needed_bytes), bytes_text(free_bytes), study.folder.string());
}

}  // namespace ditscale::orchestrator
