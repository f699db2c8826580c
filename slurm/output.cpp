#include "slurm/output.hpp"

#include <algorithm>

#include "common/text.hpp"

namespace ditscale::slurm {

using common::count_in;
using common::split;

namespace {

/// squeue and sacct say "N/A", "Unknown", "None" or "(null)" where there is nothing.
std::string known(const std::string& text) {
  for (const char* nothing : {"N/A", "Unknown", "None", "(null)", "None assigned", "n/a"}) {
    if (text == nothing) return {};
  }
  return text;
}

/// "CANCELLED by 1000" and "RUNNING+" are CANCELLED and RUNNING.
std::string first_word(const std::string& state) { return state.substr(0, state.find_first_of(" +")); }

}  // namespace

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines = split(text, '\n');
  std::erase(lines, std::string());
  return lines;
}

bool is_job_id(const std::string& text) {
  const std::size_t end = text.find_first_of("_+");
  return count_in(text.substr(0, end)) && (end == std::string::npos || count_in(text.substr(end + 1)));
}

std::vector<Job> parse_squeue(const std::string& text) {
  constexpr std::size_t kFields = 8;
  std::vector<Job> jobs;
  for (const std::string& line : lines_of(text)) {
    const std::vector<std::string> field = split(line, '|');
    if (field.size() < kFields || !is_job_id(field[0])) continue;
    Job job;
    job.id = field[0];
    job.state = first_word(field[1]);
    job.phase = phase_of(job.state);
    job.left_s = parse_time_s(field[2]);
    job.start = known(field[3]);
    job.num_nodes = count_in(field[4]).value_or(0);
    job.nodes = known(field[5]);
    job.reason = known(field[6]);
    job.batch_host = known(field[7]);
    jobs.push_back(std::move(job));
  }
  return jobs;
}

std::vector<Job> parse_sacct(const std::string& text) {
  constexpr std::size_t kFields = 5;
  std::vector<Job> jobs;
  for (const std::string& line : lines_of(text)) {
    const std::vector<std::string> field = split(line, '|');
    if (field.size() < kFields || !is_job_id(field[0])) continue;
    std::erase_if(jobs, [&](const Job& earlier) { return earlier.id == field[0]; });
    Job job;
    job.id = field[0];
    job.state = first_word(field[1]);
    job.phase = phase_of(job.state);
    job.num_nodes = count_in(field[2]).value_or(0);
    job.nodes = known(field[3]);
    job.reason = known(field[4]);
    jobs.push_back(std::move(job));
  }
  return jobs;
}

std::string scontrol_value(const std::string& text, const std::string& key) {
  const std::string word = " " + key + "=";
  const std::size_t at = (" " + text).find(word);
  if (at == std::string::npos) return {};
  const std::size_t start = at + word.size() - 1;
  return known(text.substr(start, text.find_first_of(" \n", start) - start));
}

std::optional<std::string> parse_sbatch(const std::string& text) {
  const std::vector<std::string> lines = lines_of(text);
  for (auto line = lines.rbegin(); line != lines.rend(); ++line) {
    const std::string id = line->substr(0, line->find(';'));
    if (count_in(id)) return id;
  }
  return std::nullopt;
}

std::optional<std::string> parse_allocation_failure(const std::string& text) {
  constexpr std::string_view kBefore = "allocation failure: ";
  for (const std::string& line : lines_of(text)) {
    const std::size_t at = line.find(kBefore);
    if (at != std::string::npos) return line.substr(at + kBefore.size());
  }
  return std::nullopt;
}

std::optional<Version> parse_version(const std::string& text) {
  const std::vector<std::string> words = split(text.substr(0, text.find('\n')), ' ');
  const std::vector<std::string> parts = split(words.back(), '.');
  if (words.front().rfind("slurm", 0) != 0 || parts.size() < 2) return std::nullopt;
  const auto year = count_in(parts[0]);
  const auto month = count_in(parts[1]);
  if (!year || !month) return std::nullopt;
  return Version{*year, *month};
}

std::optional<double> parse_time_s(const std::string& text) {
  constexpr double kDay_s = 86400;
  const std::size_t dash = text.find('-');
  double days = 0;
  if (dash != std::string::npos) {
    const auto count = count_in(text.substr(0, dash));
    if (!count) return std::nullopt;
    days = *count;
  }
  double seconds = 0;
  const std::vector<std::string> parts = split(dash == std::string::npos ? text : text.substr(dash + 1), ':');
  if (parts.size() > 3) return std::nullopt;
  for (const std::string& part : parts) {
    const auto value = count_in(part);
    if (!value) return std::nullopt;
    seconds = seconds * 60 + *value;
  }
  return days * kDay_s + seconds;
}

}  // namespace ditscale::slurm
