#!/usr/bin/env python3
"""Kills a fidelity run with SIGKILL at random moments and checks that nothing is lost or repeated.

One run goes through undisturbed, in a results folder of its own. A second one is started again and
again, and each time killed at a random moment: karat itself, its worker, or both. When the kills are
used up it may finish. Then

- its rows must equal the undisturbed run's to the bit (JSON numbers are written to read back so),
- every window that was stored before a kill must be the same database row afterwards, and
- each later run must score exactly the windows that were missing when it began.

    bench/crash/kill.py --karat target/debug/karat --kills 20

Needs python3 and nothing else. Exit code 1 where a check fails.
"""

import argparse
import json
import os
import pathlib
import random
import re
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
LAB = ROOT / "lab"
TEXTS = ["eval-english.txt", "eval-code.txt"]


def make_builds(karat, folder):
    """A reference and two builds of it."""
    builds = [LAB / "lab-base-bf16.gguf"]
    for name in ["Q8_0", "Q4_0"]:
        build = folder / f"lab-base-{name}.gguf"
        command = [karat, "--quiet", "quantize", builds[0], build, "--type", name, "--threads", "1"]
        subprocess.run(command, check=True)
        builds.append(build)
    return builds


def arguments(builds, windows):
    texts = [part for text in TEXTS for part in ("--text", LAB / text)]
    scoring = ["--threads", "1", "--chunks", str(windows), "--format", "json"]
    return ["fidelity", *texts, *scoring, "--reference", *builds]


def stored(home):
    """Every stored window: (track, window) -> (database row, length of its data)."""
    database = home / "karat.db"
    if not database.exists():
        return {}
    connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=30)
    try:
        rows = connection.execute("SELECT track, window_idx, id, length(data) FROM window")
        return {(track, window): (row, size) for track, window, row, size in rows}
    except sqlite3.OperationalError:  # killed before there was a table
        return {}
    finally:
        connection.close()


def missing(command):
    """Windows that a dry run would score, one figure per text."""
    plan = subprocess.run([*command, "--dry-run"], check=True, capture_output=True, text=True).stdout
    return [int(n) for n in re.findall(r"(\d+) to score$", plan, re.MULTILINE)]


def children(pid):
    found = subprocess.run(["pgrep", "-P", str(pid)], capture_output=True, text=True).stdout
    return [int(child) for child in found.split()]


def kill(process, victim):
    """Kills karat (its worker ends with it), the worker alone, or both at once."""
    workers = children(process.pid)
    doomed = {"karat": [process.pid], "worker": workers, "both": [process.pid, *workers]}[victim]
    for pid in doomed:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
    return bool(doomed)


def finish(command):
    """Runs to the end: rows, and windows scored per text."""
    before = missing(command)
    run = subprocess.run(command, check=True, capture_output=True, text=True)
    scored = []
    for text in TEXTS:
        name = text.removesuffix(".txt")
        closing = re.search(rf"^{name}: (?:(\d+) windows in|all windows)", run.stderr, re.MULTILINE)
        scored.append(int(closing[1] or 0))
    return json.loads(run.stdout)["estimates"], before, scored


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--karat", default=ROOT / "target/debug/karat", type=pathlib.Path)
    parser.add_argument("--kills", default=20, type=int)
    parser.add_argument("--windows", default=120, type=int, help="of each of two texts")
    parser.add_argument("--longest", default=4.0, type=float, help="seconds until a kill, at most")
    parser.add_argument("--seed", default=0, type=int)
    args = parser.parse_args()
    rng = random.Random(args.seed)
    failures = []

    def check(holds, what):
        if not holds:
            failures.append(what)
            print(f"FAILED: {what}")

    with tempfile.TemporaryDirectory(prefix="karat-kill-") as folder:
        folder = pathlib.Path(folder)
        builds = make_builds(args.karat, folder)
        asked = arguments(builds, args.windows)
        whole = [args.karat, "--home", folder / "whole", *asked]
        parts = [args.karat, "--home", folder / "parts", *asked]
        expected, _, _ = finish(whole)
        (folder / "parts").mkdir()

        kept = {}
        for turn in range(1, args.kills + 1):
            victim = rng.choice(["karat", "worker", "both"])
            wait = rng.uniform(0.05, args.longest)
            process = subprocess.Popen(parts, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            time.sleep(wait)
            hit = process.poll() is None and kill(process, victim)
            if victim == "worker" and process.poll() is None:
                # karat lives on and would go on with a new worker; this is about what is stored.
                time.sleep(rng.uniform(0.0, 1.0))
                process.kill()
            process.wait()
            now = stored(folder / "parts")
            lost = [key for key, row in kept.items() if now.get(key) != row]
            check(not lost, f"turn {turn}: {len(lost)} stored windows were lost or written again")
            print(
                f"{turn:3}  {victim:6} after {wait:4.2f} s{'' if hit else ' (nothing to kill)'}:"
                f" {len(now)} windows of tracks stored, {len(now) - len(kept)} new",
                flush=True,
            )
            kept = now

        rows, left, scored = finish(parts)
        check(scored == left, f"the last run scored {scored} windows, {left} were missing")
        check(rows == expected, "rows differ from the undisturbed run's")
        now = stored(folder / "parts")
        check(all(now.get(key) == row for key, row in kept.items()), "the last run wrote windows again")
        again, left, scored = finish(parts)
        check(scored == [0, 0] and again == expected, f"a run with nothing to do scored {scored}")

    verdict = "FAILED" if failures else "ok"
    print(f"{verdict}: {args.kills} kills, {len(expected)} rows compared to the bit")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
