#!/usr/bin/env bash
# Every --gtest_filter that a document shows picks tests of its binary, where that was built.
# Usage: shown_filters_test.sh <folder of the programs>
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

num_shown=0 num_failed=0
while read -r binary filter; do
  num_shown=$((num_shown + 1))
  [[ -x "$1/$binary" ]] || continue
  if "$1/$binary" --gtest_list_tests --gtest_filter="$filter" | grep -q '^  '; then
    echo "ok    $binary $filter"
  else
    echo "FAIL  no test of $binary is called $filter"
    num_failed=$((num_failed + 1))
  fi
done < <(grep -ohE "build/bin/test_[a-z]+ --gtest_filter='[^']+'" ./*.md docs/*.md | sed -E "s|build/bin/(\w+) --gtest_filter='(.*)'|\1 \2|")

((num_shown > 0 && num_failed == 0))
