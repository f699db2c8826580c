#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace ditscale::results {

/// Called with what is looked at next ("events without gaps"): a large database takes minutes.
using OnProgress = std::function<void(const std::string& what)>;

/// Looks for what should not be: damaged pages, rows that belong to nothing, gaps in an attempt's events, trials that
/// ended while an attempt still runs, trials that succeeded without a score at their end, summaries that do not fit
/// their metrics. One sentence each; none when all is well. Changes nothing.
[[nodiscard]] std::vector<std::string> check_database(const std::filesystem::path& path, const OnProgress& on_progress);

}  // namespace ditscale::results
