#!/usr/bin/env bash
# The demo: a small scaling study on Fashion-MNIST, from the sweep file to the fitted curve. `make demo` calls it.
# It can be stopped and started again at any time: it goes on where it was.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

bin="${BIN:-build/bin}"
run="runs/fashion_mnist_demo"

# Exit codes of `orchestrator run`: 0 done, 3 finished with failed trials, 4 incomplete, 5 nothing to do.
status=0
"$bin/orchestrator" run sweeps/fashion_mnist_demo.json || status=$?
case "$status" in
  0 | 3) ;;
  5) status=0 ;;
  4)
    echo "demo: not finished. Run \`make demo\` again: it goes on from the checkpoints." >&2
    exit 4
    ;;
  *) exit "$status" ;;
esac

"$bin/analysis" trials --db "$run/results.db"
"$bin/analysis" curves --db "$run/results.db" --out "$run/figures"
"$bin/analysis" fit --db "$run/results.db"
echo "demo: figures are in $run/figures, the database is $run/results.db"
exit "$status"
