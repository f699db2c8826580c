#!/usr/bin/env python3
"""What the orchestrator itself costs, measured on this machine with the real programs.

    cmake --build build --target orchestrator pace_trainer
    tools/orchestrator_pace/pace.py                 # all four, some minutes
    tools/orchestrator_pace/pace.py trials --rounds 7

trials   studies of trials that run an empty program, on two slots, in turn with a bare posix_spawn loop of the same
         program: seconds per trial between the first start and the last end, over seconds per program of the loop
rows     metric rows per second through agent, coordinator and database, from two trainers that never wait
restart  seconds from the command to the first trainer of one new trial, with 10,000 trials and 100,000 events on record
load     the coordinator's share of a core at 1,000 metric rows/s, and its memory when a million events went through

Run it on an idle machine, and six minutes after many files were removed (as a run of it does at its end): ext4 is slow
to make files until then. Two cores are needed; every study is made in a folder that is removed again (--folder).
"""

import argparse
import json
import os
import pathlib
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time

COUNT_EVENTS = "SELECT (SELECT count(*) FROM events) + (SELECT count(event) FROM metrics)"
RANK = b"OMPI_COMM_WORLD_RANK="
TICKS_PER_S = os.sysconf("SC_CLK_TCK")


def processor():
    for line in open("/proc/cpuinfo"):
        if line.startswith("model name"):
            return line.split(":")[1].strip()
    return "an unknown processor"


class Study:
    """One study of trials that differ in nothing but their seed. Each has a folder of its own until all is over: ext4 is
    slow to make files just after many were removed."""

    def __init__(self, tools, trials):
        self.tools = tools
        self.name = f"study_{len(tools.studies)}"
        tools.studies.append(self)
        self.sweep = tools.folder / f"{self.name}.json"
        self.runs = tools.folder / "runs"
        self.database = self.runs / self.name / "results.db"
        self.resize(trials)

    def resize(self, trials):
        model = {"depth": 1, "width": 64, "heads": 1, "patch": 7}
        base = {"data": {"name": "fashion_mnist"}, "model": model, "train": {"global_batch": 64, "steps": 1000000}}
        self.sweep.write_text(json.dumps({"name": self.name, "base": base, "seeds": trials}))

    def start(self, worker, **environment):
        arguments = ["run", self.sweep, "--runs", self.runs, "--worker", worker, "--cpus", "2", "--gpus", "0"]
        log = open(self.tools.folder / "log.txt", "w")
        arguments += ["--retries", "0", *self.tools.run_arguments]
        return subprocess.Popen([self.tools.orchestrator, *arguments], stdout=log, stderr=log,
                                env=os.environ | {k: str(v) for k, v in environment.items()})

    def run(self, worker, codes=(0,), **environment):
        run = self.start(worker, **environment)
        if run.wait() not in codes:
            sys.exit((self.tools.folder / "log.txt").read_text()[-2000:])

    def value(self, sql):
        connection = sqlite3.connect(f"file:{self.database}?mode=ro", uri=True)
        try:
            return connection.execute(sql).fetchone()[0]
        finally:
            connection.close()


def children_cpu_s():
    times = os.times()
    return times.children_user + times.children_system


def coordinator_of(run, program):
    """The process below the launcher `run` that decides: it is the machine's agent too, but with --mpi."""
    found = {run.pid}
    while run.poll() is None:
        for entry in pathlib.Path("/proc").iterdir():
            if not entry.name.isdigit():
                continue
            try:
                parent = int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1])
                if parent not in found:
                    continue
                found.add(int(entry.name))
                ranks = [line for line in (entry / "environ").read_bytes().split(b"\0") if line.startswith(RANK)]
                if (entry / "exe").resolve() == program and ranks in ([], [RANK + b"0"]):
                    return entry
            except OSError:
                pass
        time.sleep(0.01)
    sys.exit("the run has ended before its coordinator was found")


def cpu_s(process):
    fields = (process / "stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_PER_S


def peak_mb(process):
    for line in (process / "status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) / 1024


def measure_trials(tools, options):
    for worker in ("/bin/true", tools.trainer):
        ratios, cpu_ratios = [], []
        for _ in range(options.rounds):
            study = Study(tools, options.trials)
            before = children_cpu_s()
            study.run(worker, codes=(0, 3))
            middle = children_cpu_s()
            ours_s = study.value("SELECT (max(ended_s) - min(started_s)) / count(*) FROM attempts")
            arguments = [worker]
            if worker == tools.trainer:
                arguments += ["train", "-", "--folder", tools.bare_folder(), "--attempt", "1", "--event-fd", "1"]
            command = [tools.trainer, "loop", str(options.trials), "2", *arguments]
            output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
            bare_s = float(output.split()[-1]) / options.trials
            ratios.append(ours_s / bare_s)
            cpu_ratios.append((middle - before) / (children_cpu_s() - middle))
            print(f"  {1e3 * ours_s:.3f} ms per trial, {1e3 * bare_s:.3f} ms in the bare loop: {ratios[-1]:.2f} times", flush=True)
        print(f"trials: {pathlib.Path(worker).name}: median {statistics.median(ratios):.2f} times a bare posix_spawn loop "
              f"(CPU time, with start and end of the study: {statistics.median(cpu_ratios):.2f})")


def measure_rows(tools, options):
    rates = []
    for _ in range(options.rounds):
        study = Study(tools, 2)
        study.run(tools.trainer, PACE_ROWS=options.rows // 2)
        seconds = study.value("SELECT max(ended_s) - min(started_s) FROM attempts")
        assert study.value("SELECT count(*) FROM metrics") == options.rows // 2 * 2
        rates.append(options.rows / seconds)
        print(f"  {rates[-1]:.0f} rows/s", flush=True)
    print(f"rows: median {statistics.median(rates):.0f} metric rows/s from trainer to database")


def measure_restart(tools, options):
    study = Study(tools, options.recorded_trials - options.rounds)
    study.run(tools.trainer, PACE_ROWS=max(1, options.recorded_events // options.recorded_trials - 2))
    seconds = []
    for extra in range(1, options.rounds + 1):
        study.resize(options.recorded_trials - options.rounds + extra)
        command_s = time.time()
        study.run(tools.trainer, PACE_ROWS=1)
        seconds.append(study.value("SELECT max(time_s) FROM events WHERE kind = 'started'") - command_s)
        print(f"  {seconds[-1]:.3f} s", flush=True)
    events = study.value(COUNT_EVENTS)
    print(f"restart: median {statistics.median(seconds):.3f} s from the command to the first trainer, with "
          f"{options.recorded_trials} trials and {events} events on record")


def measure_load(tools, options):
    study = Study(tools, 2)
    run = study.start(tools.trainer, PACE_ROWS=options.seconds * 500, PACE_ROWS_PER_S=500)
    coordinator = coordinator_of(run, tools.orchestrator)
    time.sleep(2)
    before_s, start_s = cpu_s(coordinator), time.monotonic()
    time.sleep(options.seconds - 5)
    share = (cpu_s(coordinator) - before_s) / (time.monotonic() - start_s)
    run.wait()
    print(f"load: {100 * share:.2f} % of a core at 1,000 metric rows/s")

    study = Study(tools, 2)
    run = study.start(tools.trainer, PACE_ROWS=options.memory_events // 2)
    coordinator = coordinator_of(run, tools.orchestrator)
    peak = 0.0
    while run.poll() is None:
        try:
            peak = max(peak, peak_mb(coordinator) or 0)
        except OSError:
            pass
        time.sleep(0.05)
    print(f"load: {peak:.0f} MB at the most after {study.value(COUNT_EVENTS)} events")


class Tools:
    def __init__(self, binaries, folder, run_arguments):
        self.orchestrator = binaries / "orchestrator"
        self.run_arguments = run_arguments
        self.trainer = str(binaries / "pace_trainer")
        self.folder = folder
        self.studies = []

    def bare_folder(self):
        attempt = self.folder / "bare" / "attempts" / "1"
        attempt.mkdir(parents=True, exist_ok=True)
        (attempt / "events.jsonl").unlink(missing_ok=True)
        return str(self.folder / "bare")


def main():
    measures = {"trials": measure_trials, "rows": measure_rows, "restart": measure_restart, "load": measure_load}
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", nargs="*", metavar="WHAT", help="which of " + ", ".join(measures) + " (default: all)")
    parser.add_argument("--bin", type=pathlib.Path, default="build/bin", help="folder of the programs (build/bin)")
    parser.add_argument("--folder", type=pathlib.Path, help="where studies are made: on a local disk, as real ones (a temporary folder)")
    parser.add_argument("--mpi", action="store_true", help="coordinator and agent as ranks of an MPI job, as on a cluster")
    parser.add_argument("--rounds", type=int, default=5, help="times each figure is measured (5)")
    parser.add_argument("--trials", type=int, default=2000, help="trials of a study in `trials` (2,000)")
    parser.add_argument("--rows", type=int, default=200000, help="metric rows in `rows` (200,000)")
    parser.add_argument("--recorded-trials", type=int, default=10000, help="trials on record in `restart` (10,000)")
    parser.add_argument("--recorded-events", type=int, default=100000, help="events on record in `restart` (100,000)")
    parser.add_argument("--seconds", type=int, default=30, help="how long `load` lasts (30)")
    parser.add_argument("--memory-events", type=int, default=1000000, help="events in `load` (a million)")
    options = parser.parse_args()
    unknown = [what for what in options.what if what not in measures]
    if unknown:
        parser.error(f"{unknown[0]}: there is no such measurement; there are {', '.join(measures)}")
    with tempfile.TemporaryDirectory(prefix="ditscale-pace-", dir=options.folder) as folder:
        tools = Tools(options.bin.resolve(), pathlib.Path(folder), ["--mpi"] if options.mpi else [])
        print(f"{processor()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.2f}")
        for what in options.what or measures:
            measures[what](tools, options)


if __name__ == "__main__":
    main()
