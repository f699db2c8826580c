#pragma once

#include <set>
#include <string>
#include <vector>

#include "analysis/queries/run_table.hpp"
#include "results/records.hpp"

namespace ditscale::analysis {

/// What is true of all rows, and how columns are read (docs/analysis.md, "Runs made elsewhere").
struct ImportOptions {
  /// Parts of the configuration: {"data": {"name": "imagenet_latents"}}.
  common::Json base = common::Json::object();
  /// Settings of all scores: {"features": "inception", "num_samples": 50000}. "features" is needed when there are
  /// scores.
  common::Json settings = common::Json::object();
  /// Columns that are scores, besides fid, sfid, inception_score, precision, recall.
  std::vector<std::string> scores;
};

/// One trial of several rows: same configuration, scores under one or several settings and steps.
struct ImportedRun {
  results::TrialRecord trial;
  std::vector<common::Event> events;
  double seconds = 0;
};

/// In the order of the rows.
struct ImportedRuns {
  std::vector<ImportedRun> runs;
  /// Columns of numbers that are not known and change within a run (a gradient norm, a wall time): not kept.
  std::set<std::string> varying_columns;
};

/// Columns: model ("DiT-XL/2", "XL/2", or "XL" beside patch), or depth, width, heads, patch;
/// block, image_size, steps, global_batch, lr, seed; gflops, forward_macs, parameters, parameters_millions (these win
/// over arithmetic); step, loss, seconds; scores; guidance, sampler, sampling_steps, num_samples, features, decoder;
/// any path of the configuration. Another column is kept as imported.<column>. ConfigError with the row otherwise.
[[nodiscard]] ImportedRuns imported_runs(const RunTable& table, const ImportOptions& options);

}  // namespace ditscale::analysis
