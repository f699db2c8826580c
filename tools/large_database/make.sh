#!/usr/bin/env bash
# make.sh ANALYSIS DATABASE [TRIALS] [METRICS_PER_TRIAL]: a results database of made-up numbers (10,000 trials with 5,000
# metrics each by default: 5 GB, minutes), to measure how the analysis bears size. Needs sqlite3.
set -euo pipefail

analysis="$1" database="$2" trials="${3:-10000}" metrics="${4:-5000}"
runs="$(mktemp -t ditscale-runs-XXXXXX.csv)"
trap 'rm -f "$runs"' EXIT
[[ ! -e "$database" ]] || { echo "$database is there already: give another file" >&2; exit 1; }

# Each trial with five scores along its training.
awk -v trials="$trials" 'BEGIN {
  print "depth,width,heads,patch,seed,steps,global_batch,step,fid"
  srand(1)
  for (i = 0; i < trials; ++i) {
    width = 64 * (1 + i % 8); depth = 4 + 2 * (int(i / 8) % 5); patch = int(i / 40) % 2 ? 7 : 4; seed = int(i / 80)
    gflops = depth * width * width * (28 / patch) ^ 2 * 12 / 1e9
    for (k = 1; k <= 5; ++k)
      printf "%d,%d,4,%d,%d,%d,64,%d,%.4f\n", depth, width, patch, seed, 50000, 10000 * k,
        (20 + 60 * gflops ^ -0.3) * (5 / k) ^ 0.3 * (1 + 0.05 * (rand() - 0.5))
  }
}' >"$runs"
"$analysis" import "$runs" --db "$database" --name large --settings features=fashion_cnn --settings num_samples=2000

# The rows come in the order of the key.
sqlite3 "$database" <<SQL
PRAGMA synchronous = OFF;
PRAGMA foreign_keys = OFF;
BEGIN;
WITH RECURSIVE k(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM k WHERE n < $metrics)
INSERT INTO metrics(trial, step, attempt, images, loss, loss_simple, loss_vlb, grad_norm, lr, images_per_s, time_s)
SELECT t.id, n * 50000 / $metrics, 1, n * 50000 / $metrics * 64, 0.2 + 0.8 / sqrt(n), 0.2 + 0.8 / sqrt(n), 0.01, 1.0,
       1e-3, 600.0, n * 1.0
FROM (SELECT id FROM trials ORDER BY id) t CROSS JOIN k;
INSERT INTO metric_summaries
SELECT t.id, $metrics, 50000, 0.2 + 0.8 / sqrt($metrics), 600.0 * $metrics, $metrics FROM trials t;
UPDATE attempts SET last_step = 50000, last_images = 3200000;
COMMIT;
PRAGMA wal_checkpoint(TRUNCATE);
SQL
ls -l "$database"
