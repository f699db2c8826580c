"""Finds the Python that `make peers` set up, for the comparison scripts."""

import os
import pathlib
import sys

SKIPPED = 77


def use_peers():
    """Runs the calling script again in .venv-peers, unless it runs there; ends it as skipped when there is none."""
    venv = pathlib.Path(__file__).resolve().parents[2] / ".venv-peers"
    if not (venv / "ditscale-peers").exists():
        print(f"{pathlib.Path(sys.argv[0]).stem}: skipped, the Python packages to compare with are not installed: run "
              "`make peers`")
        sys.exit(SKIPPED)
    if pathlib.Path(sys.prefix).resolve() != venv.resolve():
        python = str(venv / "bin" / "python")
        os.execv(python, [python, *sys.argv])
