#!/usr/bin/env python3
"""Checks what the link graph cannot: that includes point down the rooms' arrows, and that files stay small.

A wrong-way include of a header links cleanly, so only reading the includes finds it. Exit 1 and one line per
violation when there are any. Standard library only.

usage: check_layering.py [ROOT]
"""

import re
import sys
from pathlib import Path

# Each room and the rooms below it that it may include.
ARROWS = {
    "common": set(),
    "sweeps": {"common"},
    "results": {"sweeps", "common"},
    "slurm": {"common"},
    "orchestrator": {"sweeps", "results", "slurm", "common"},
    "worker": {"sweeps", "common"},
    "analysis": {"sweeps", "results", "common"},
}

# Foreign libraries that may be seen in some folders only: pattern of the header, the folders, the library's name.
CONFINED = [
    (re.compile(r"^(torch|ATen|c10|caffe2)/"), ("worker",), "LibTorch"),
    (re.compile(r"^(hdf5|H5\w+)\.h$|^H5Cpp"), ("worker",), "HDF5"),
    (re.compile(r"^nccl\.h$"), ("worker",), "NCCL"),
    (re.compile(r"^(cuda|cublas|cudnn|nvrtc)\w*\.h$"), ("worker",), "CUDA"),
    (re.compile(r"^mpi\.h$"), ("orchestrator", "worker/distributed"), "MPI"),
    (re.compile(r"^SQLiteCpp/|^sqlite3\.h$"), ("results",), "SQLite"),
]

GENERATED = {"ditscale_version.hpp", "batch_script_template.hpp", "report_texts.hpp"}
SUFFIXES = {".cpp", ".hpp", ".cu", ".cuh"}
MAX_LINES = 500
MAX_LINES_IN_TESTS = 800
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')


def home_of(path):
    """The folder whose rules a file lives by: tests/unit/<room>/x.cpp counts as <room>/x.cpp; None: no rules."""
    parts = path.parts
    if parts[0] in ARROWS:
        return Path(*parts)
    if parts[:2] == ("tests", "unit") and len(parts) > 3 and parts[2] in ARROWS:
        return Path(*parts[2:])
    return None


def is_below(path, folder):
    return path.parts[: len(Path(folder).parts)] == Path(folder).parts


def objection(path, home, quote, included):
    """Why file `path` must not include `included`, or None."""
    room = home.parts[0]
    target = included.split("/")[0]
    is_test = path.parts[0] == "tests"
    if target in ARROWS:
        if target != room and target not in ARROWS[room]:
            allowed = ", ".join(sorted(ARROWS[room])) or "no other room"
            return f"{room}/ must not include {target}/ (allowed: {allowed})"
        return None
    if target == "tests":
        return None if is_test else "code must not include tests/"
    if quote == '"' and included not in GENERATED:
        return "quoted includes are rooted at the repository: #include \"room/file.hpp\""
    for pattern, folders, library in CONFINED:
        # A room's tests may look at what the room itself may look at anywhere.
        allowed = [folder.split("/")[0] if is_test else folder for folder in folders]
        if pattern.search(included) and not any(is_below(home, folder) for folder in allowed):
            return f"{library} belongs into {' and '.join(f'{folder}/' for folder in folders)} only"
    return None


def lacks_own_header_first(root, path, lines):
    """True when x.cpp beside x.hpp includes anything before it: only first does it prove that x.hpp compiles alone."""
    header = path.with_suffix(".hpp")
    if path.suffix != ".cpp" or not header.exists():
        return False
    first = next((match.group(2) for match in map(INCLUDE.match, lines) if match), "")
    return first != header.relative_to(root).as_posix()


def violations_in(root, path):
    relative = path.relative_to(root)
    lines = path.read_text(encoding="utf-8").splitlines()
    limit = MAX_LINES_IN_TESTS if relative.parts[0] == "tests" else MAX_LINES
    if len(lines) > limit:
        yield f"{relative}: {len(lines)} lines, {limit} is the end: split it"
    if path.suffix in {".hpp", ".cuh"} and "#pragma once" not in lines:
        yield f"{relative}: a header begins with #pragma once"
    if lacks_own_header_first(root, path, lines):
        yield f"{relative}: the first include must be its own header"
    home = home_of(relative)
    for number, line in enumerate(lines, start=1):
        match = INCLUDE.match(line)
        if home and match:
            reason = objection(relative, home, match.group(1), match.group(2))
            if reason:
                yield f"{relative}:{number}: includes {match.group(2)}: {reason}"


def source_files(root):
    for folder in [*ARROWS, "tests"]:
        yield from sorted(p for p in (root / folder).rglob("*") if p.suffix in SUFFIXES and p.is_file())


def main():
    root = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).resolve().parent.parent)
    files = list(source_files(root))
    found = [violation for path in files for violation in violations_in(root, path)]
    for violation in found:
        print(violation)
    print(f"layering: {len(files)} files, {len(found)} violations")
    return 1 if found or not files else 0


if __name__ == "__main__":
    sys.exit(main())
