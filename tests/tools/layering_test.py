#!/usr/bin/env python3
"""Plants one fault at a time in a small source tree of its own; tools/check_layering.py must name each."""

import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

CHECKER = Path(__file__).resolve().parents[2] / "tools" / "check_layering.py"


class Layering(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name)
        self.given("common/error.hpp", "#pragma once\n#include <string>\n")

    def given(self, path, text):
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")

    def check(self):
        return subprocess.run([sys.executable, CHECKER, self.root], capture_output=True, text=True, check=False)

    def accepts(self, path, text):
        self.given(path, text)
        result = self.check()
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)

    def refuses(self, path, text, words):
        self.given(path, text)
        result = self.check()
        self.assertEqual(result.returncode, 1, result.stdout + result.stderr)
        self.assertIn(words, result.stdout)

    def test_accepts_an_include_along_an_arrow(self):
        self.accepts("results/store.cpp", '#include "common/error.hpp"\n#include <SQLiteCpp/SQLiteCpp.h>\n')

    def test_refuses_an_include_against_an_arrow(self):
        self.refuses("common/clock.cpp", '#include "sweeps/plan.hpp"\n', "common/clock.cpp:1: includes sweeps/plan.hpp")

    def test_refuses_an_include_between_programs(self):
        self.refuses("analysis/fit.cpp", '#  include "worker/train.hpp"\n', "analysis/ must not include worker/")

    def test_refuses_torch_outside_worker(self):
        self.refuses("orchestrator/agent.cpp", "#include <torch/torch.h>\n", "LibTorch belongs into worker/ only")

    def test_refuses_hdf5_outside_worker(self):
        self.refuses("analysis/read.cpp", "#include <hdf5.h>\n", "HDF5 belongs into worker/ only")

    def test_refuses_nccl_outside_worker(self):
        self.refuses("common/net.cpp", "#include <nccl.h>\n", "NCCL belongs into worker/ only")

    def test_refuses_mpi_in_worker_outside_distributed(self):
        self.refuses("worker/training/step.cpp", "#include <mpi.h>\n", "MPI belongs into orchestrator/ and worker/distr")

    def test_accepts_mpi_in_worker_distributed(self):
        self.accepts("worker/distributed/mpi.cpp", "#include <mpi.h>\n")

    def test_refuses_sqlite_outside_results(self):
        self.refuses("analysis/query.cpp", "#include <sqlite3.h>\n", "SQLite belongs into results/ only")

    def test_refuses_includes_not_rooted_at_the_repository(self):
        self.refuses("common/a.cpp", '#include "../common/error.hpp"\n', "rooted at the repository")

    def test_refuses_a_header_without_pragma_once(self):
        self.refuses("common/b.hpp", "#include <vector>\n", "begins with #pragma once")

    def test_refuses_a_file_that_does_not_include_its_own_header_first(self):
        self.refuses("common/error.cpp", '#include <map>\n#include "common/error.hpp"\n', "must be its own header")

    def test_accepts_a_file_that_includes_its_own_header_first(self):
        self.accepts("common/error.cpp", '#include "common/error.hpp"\n#include <map>\n')

    def test_refuses_a_file_that_is_too_long(self):
        self.refuses("common/long.cpp", "\n" * 501, "501 lines, 500 is the end")

    def test_holds_a_rooms_tests_to_the_rooms_arrows(self):
        self.refuses("tests/unit/sweeps/t.cpp", '#include "results/store.hpp"\n', "sweeps/ must not include results/")

    def test_refuses_test_helpers_in_code(self):
        self.refuses("common/c.cpp", '#include "tests/support/temp.hpp"\n', "code must not include tests/")

    def test_an_empty_tree_is_a_failure(self):
        (self.root / "common/error.hpp").unlink()
        self.assertEqual(self.check().returncode, 1)


if __name__ == "__main__":
    unittest.main()
