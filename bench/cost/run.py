#!/usr/bin/env python3
"""What one reference and three candidates cost: karat against llama-perplexity.

usage: bench/cost/run.py [--sizes 8k,262k,262k-4b] [--windows N] [--repeats N] [--threads N]
                         [--gpu-layers N|all] [--json FILE]

Both tools score the same windows with the same models on the same number of threads:

  karat  one `karat fidelity`, with a fresh results folder each time
  peer   llama-perplexity's workflow: one run over the reference that writes its logits to
         a file (--kl-divergence-base), then one run per candidate that reads them

They take turns (karat peer, peer karat, ...), and the ratio is taken within each turn, so
that both sides of a ratio saw the same machine. Figures: wall time; processor time, user and
system, of all processes; peak memory, of the largest process and of all at once (the latter
sampled, Linux only); peak size of what was written to disk. A table goes to standard output.
Exit code 1 where a target below (on the processor) is missed, 2 where something could not be run or the tools
disagree on what they scored.

Needs bench/peer/build.sh and bench/cost/models.sh to have run, a Unix, and nothing besides
Python's standard library.
"""

import argparse
import csv
import dataclasses
import io
import json
import os
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CANDIDATES = ("Q8_0", "Q4_K_M", "Q4_0")
N_CTX = 512

# Largest accepted ratio karat / peer of processor time, by models; on the processor only.
TARGETS = {"8k": 1.05, "262k": 0.7}
# The sets of models there are, and how many windows each is given by default.
WINDOWS = {"8k": 60, "262k": 8, "262k-4b": 32}

# llama-perplexity sometimes exits 0 without its last lines; such a run is made again, and only
# the complete one counts.
PEER_ATTEMPTS = 4
# The tools carry slightly different versions of the engine, and the peer prints four decimals.
PPL_TOLERANCE = 1e-4
# The peer stores log-probabilities in 16 bits and floors them, which costs it this much at most.
KLD_TOLERANCE = 0.02

SAMPLE_SECONDS = 0.02
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
# ru_maxrss is in kilobytes on Linux and in bytes on macOS.
MAXRSS_UNIT = 1 if sys.platform == "darwin" else 1024


class BenchError(Exception):
    """Something could not be run or makes no sense; the message is for the user."""


@dataclasses.dataclass
class Cost:
    """What a command, or several in a row, took."""

    wall_s: float = 0.0
    cpu_s: float = 0.0
    peak_process_bytes: int = 0
    peak_sum_bytes: int | None = 0
    disk_bytes: int = 0

    def then(self, later: "Cost") -> "Cost":
        """The cost of both, one after the other."""
        sums = (self.peak_sum_bytes, later.peak_sum_bytes)
        return Cost(
            self.wall_s + later.wall_s,
            self.cpu_s + later.cpu_s,
            max(self.peak_process_bytes, later.peak_process_bytes),
            None if None in sums else max(sums),
            max(self.disk_bytes, later.disk_bytes),
        )


@dataclasses.dataclass
class Result:
    """One workflow: its cost, and what it measured, to see that both did the same work."""

    cost: Cost
    ppl: float
    kld: dict[str, float]
    repeated: int = 0


@dataclasses.dataclass
class Case:
    """What is measured."""

    size: str
    models: dict[str, Path]
    text: Path
    windows: int
    threads: int
    karat: Path
    perplexity: Path
    work: Path
    # As given to karat: a number or `all`.
    gpu_layers: str


class Sampler(threading.Thread):
    """Follows a process and its descendants: resident bytes, and bytes in a folder."""

    def __init__(self, pid: int, folder: Path) -> None:
        super().__init__(daemon=True)
        self.pid = pid
        self.folder = folder
        self.resident_bytes = 0
        self.disk_bytes = 0
        self.ended = threading.Event()

    def run(self) -> None:
        while not self.ended.wait(SAMPLE_SECONDS):
            self.resident_bytes = max(self.resident_bytes, resident_bytes(self.pid))
            self.disk_bytes = max(self.disk_bytes, folder_bytes(self.folder))

    def stop(self) -> None:
        self.ended.set()
        self.join()
        self.disk_bytes = max(self.disk_bytes, folder_bytes(self.folder))


def resident_bytes(pid: int) -> int:
    """Resident bytes of a process and its descendants now; 0 where the system does not tell."""
    proc = Path("/proc", str(pid))
    try:
        total = int((proc / "statm").read_text().split()[1]) * PAGE_BYTES
        children = [
            child
            for task in (proc / "task").iterdir()
            for child in (task / "children").read_text().split()
        ]
    except (OSError, IndexError):
        return 0
    return total + sum(resident_bytes(int(child)) for child in children)


def folder_bytes(folder: Path) -> int:
    total = 0
    for path in folder.rglob("*"):
        try:
            total += path.stat().st_size if path.is_file() else 0
        except FileNotFoundError:
            pass
    return total


def run(command: list[str], folder: Path) -> tuple[Cost, str, str]:
    """Runs a command; gives its cost, with all it wrote to `folder`, and its output."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        begin = time.monotonic()
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=err)
        sampler = Sampler(process.pid, folder)
        sampler.start()
        # The usage that wait4 gives includes the descendants that the process waited for.
        try:
            _, status, usage = os.wait4(process.pid, 0)
        except BaseException:
            process.kill()
            raise
        wall_s = time.monotonic() - begin
        process.returncode = os.waitstatus_to_exitcode(status)
        sampler.stop()
        texts = []
        for file in (out, err):
            file.seek(0)
            texts.append(file.read().decode(errors="replace"))
    if process.returncode != 0:
        tail = "\n".join("".join(texts).splitlines()[-12:])
        raise BenchError(f"exit code {process.returncode}: {' '.join(command)}\n{tail}")
    cost = Cost(
        wall_s,
        usage.ru_utime + usage.ru_stime,
        usage.ru_maxrss * MAXRSS_UNIT,
        sampler.resident_bytes or None,
        sampler.disk_bytes,
    )
    return cost, texts[0], texts[1]


def run_karat(case: Case) -> Result:
    with tempfile.TemporaryDirectory(dir=case.work) as home:
        cost, table, _ = run(
            [
                str(case.karat), "--quiet", "fidelity", "--home", home, "--format", "csv",
                "--reference", str(case.models["BF16"]), "--text", str(case.text),
                "--ctx", str(N_CTX), "--chunks", str(case.windows), "-t", str(case.threads),
                "--gpu-layers", case.gpu_layers,
                *(str(case.models[name]) for name in CANDIDATES),
            ],
            Path(home),
        )  # fmt: skip
    rows = list(csv.DictReader(io.StringIO(table)))

    def value(metric: str, name: str) -> float:
        # Names are shortened by karat, but keep the part that tells the files apart.
        found = [
            r
            for r in rows
            if r["metric"] == metric
            and r["candidate"].endswith(name)
            # Not those of a part of the windows' positions.
            and "position" not in r["setting"]
        ]
        if len(found) != 1:
            raise BenchError(f"karat reports {len(found)} values of {metric} for {name}")
        return float(found[0]["value"])

    return Result(cost, value("ppl", "BF16"), {n: value("kld_mean", n) for n in CANDIDATES})


def run_peer_once(case: Case, wanted: str, options: list[str], folder: Path) -> tuple[Cost, float, int]:
    """One run of llama-perplexity; gives the figure that `wanted` finds, and runs in vain."""
    command = [str(case.perplexity), "-c", str(N_CTX), "-t", str(case.threads), *options]
    command += ["-ngl", case.gpu_layers]
    for attempt in range(PEER_ATTEMPTS):
        cost, out, err = run(command, folder)
        if found := re.search(wanted, out + err):
            return cost, float(found[1]), attempt
    raise BenchError(f"no line like {wanted!r} in {PEER_ATTEMPTS} runs: {' '.join(command)}")


def run_peer(case: Case) -> Result:
    with tempfile.TemporaryDirectory(dir=case.work) as folder:
        logits = str(Path(folder, "logits.bin"))
        base = ["-m", str(case.models["BF16"]), "-f", str(case.text), "--chunks", str(case.windows)]
        cost, ppl, repeated = run_peer_once(
            case,
            r"Final estimate: PPL = ([0-9.]+)",
            [*base, "--kl-divergence-base", logits],
            Path(folder),
        )
        kld = {}
        for name in CANDIDATES:
            more, kld[name], again = run_peer_once(
                case,
                r"Mean +KLD: +([-0-9.]+)",
                ["-m", str(case.models[name]), "--kl-divergence-base", logits, "--kl-divergence"],
                Path(folder),
            )
            cost, repeated = cost.then(more), repeated + again
    return Result(cost, ppl, kld, repeated)


def check_same_work(karat: Result, peer: Result) -> None:
    """Refuses a comparison of tools that did not measure the same."""
    if abs(karat.ppl / peer.ppl - 1) > PPL_TOLERANCE:
        raise BenchError(f"PPL of the reference: karat {karat.ppl}, peer {peer.ppl}")
    for name in CANDIDATES:
        if abs(karat.kld[name] / peer.kld[name] - 1) > KLD_TOLERANCE:
            raise BenchError(f"KLD of {name}: karat {karat.kld[name]}, peer {peer.kld[name]}")


def measure(case: Case, repeats: int) -> list[tuple[Cost, Cost]]:
    """Cost of karat and of the peer, once per turn."""
    for path in case.models.values():
        path.read_bytes()  # Whoever comes first must not pay for a cold page cache.
    turns = []
    for turn in range(repeats):
        order = ("karat", "peer") if turn % 2 == 0 else ("peer", "karat")
        results = {}
        for tool in order:
            results[tool] = run_karat(case) if tool == "karat" else run_peer(case)
            cost = results[tool].cost
            print(
                f"{case.size} turn {turn + 1}/{repeats} {tool}: "
                f"{cost.cpu_s:.2f} s CPU, {cost.wall_s:.2f} s",
                file=sys.stderr,
            )
        if again := results["peer"].repeated:
            print(f"{case.size}: {again} peer run(s) lost their result, made again", file=sys.stderr)
        check_same_work(results["karat"], results["peer"])
        turns.append((results["karat"].cost, results["peer"].cost))
    return turns


def spread(values: list[float], digits: int) -> str:
    """Median, with the range where there is more than one value."""
    middle = f"{statistics.median(values):.{digits}f}"
    if len(values) == 1:
        return middle
    return f"{middle} [{min(values):.{digits}f}, {max(values):.{digits}f}]"


# Title, scale, digits, figure.
FIGURES = (
    ("CPU time, s", 1, 2, "cpu_s"),
    ("wall time, s", 1, 2, "wall_s"),
    ("peak of largest process, MB", 1e6, 0, "peak_process_bytes"),
    ("peak of all processes, MB", 1e6, 0, "peak_sum_bytes"),
    ("disk, MB", 1e6, 3, "disk_bytes"),
)


def table(turns: list[tuple[Cost, Cost]]) -> list[tuple[str, str, str, str]]:
    rows = [("median [min, max]", "karat", "llama-perplexity", "karat / peer, by turn")]
    for title, scale, digits, field in FIGURES:
        pairs = [(getattr(karat, field), getattr(peer, field)) for karat, peer in turns]
        if any(value is None for pair in pairs for value in pair):
            rows.append((title, "unknown", "unknown", "unknown"))
            continue
        ours = spread([karat / scale for karat, _ in pairs], digits)
        theirs = spread([peer / scale for _, peer in pairs], digits)
        ratio_digits = 4 if field == "disk_bytes" else 3
        rows.append((title, ours, theirs, spread([k / p for k, p in pairs], ratio_digits)))
    return rows


def report(case: Case, turns: list[tuple[Cost, Cost]]) -> bool:
    """Prints the table; whether the target is met."""
    print(
        f"\nn_vocab {case.size}: 1 reference + {len(CANDIDATES)} candidates, {case.windows} windows"
        f" of {N_CTX} tokens, {case.threads} threads, {case.gpu_layers} layers on the GPU,"
        f" {len(turns)} turns"
    )
    rows = table(turns)
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    for row in rows:
        cells = [row[0].ljust(widths[0])]
        cells += [cell.rjust(width) for cell, width in zip(row[1:], widths[1:])]
        print("  " + "  ".join(cells))
    if case.gpu_layers != "0" or case.size not in TARGETS:
        return True
    ratio = statistics.median(karat.cpu_s / peer.cpu_s for karat, peer in turns)
    met = ratio <= TARGETS[case.size]
    print(
        f"  target: median ratio of CPU time at most {TARGETS[case.size]}: "
        f"{ratio:.3f}, {'met' if met else 'MISSED'}"
    )
    return met


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sizes", default="8k,262k", help=f"models, of {', '.join(WINDOWS)}")
    parser.add_argument("--windows", type=int, help="instead of each size's own number")
    parser.add_argument("--gpu-layers", default="0", help="a number or `all`, for both tools")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--text", type=Path, default=ROOT / "lab/eval-english.txt")
    parser.add_argument("--karat", type=Path, default=ROOT / "target/debug/karat")
    parser.add_argument("--peer", type=Path, default=ROOT / "target/peer/bin/llama-perplexity")
    parser.add_argument("--models", type=Path, default=ROOT / "target/cost/models")
    parser.add_argument("--json", type=Path, help="also write every turn's figures here")
    args = parser.parse_args()
    args.sizes = args.sizes.split(",")
    if unknown := set(args.sizes) - set(WINDOWS):
        parser.error(f"unknown size {unknown.pop()!r}; there are {', '.join(WINDOWS)}")
    if args.repeats < 1 or args.threads < 1:
        parser.error("--repeats and --threads must be at least 1")
    return args


def make_case(args: argparse.Namespace, size: str, work: Path) -> Case:
    models = {name: args.models / f"{size}-{name}.gguf" for name in ("BF16", *CANDIDATES)}
    for path in (args.karat, args.peer, args.text, *models.values()):
        if not path.exists():
            raise BenchError(
                f"`{path}` is missing; run bench/peer/build.sh and bench/cost/models.sh first"
            )
    return Case(
        size=size,
        models=models,
        text=args.text,
        windows=args.windows or WINDOWS[size],
        threads=args.threads,
        karat=args.karat,
        perplexity=args.peer,
        work=work,
        gpu_layers=args.gpu_layers,
    )


def main() -> int:
    args = parse_args()
    # Ended from outside, it still removes its files, up to 134 MB per window.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    turns_by_size = {}
    met = True
    work = Path(tempfile.mkdtemp(prefix="run-", dir=args.models.parent))
    try:
        cases = [make_case(args, size, work) for size in args.sizes]
        for case in cases:
            turns = measure(case, args.repeats)
            met &= report(case, turns)
            turns_by_size[case.size] = [
                {"karat": dataclasses.asdict(karat), "peer": dataclasses.asdict(peer)}
                for karat, peer in turns
            ]
    except BenchError as error:
        print(f"run.py: {error}", file=sys.stderr)
        return 2
    finally:
        shutil.rmtree(work, ignore_errors=True)
        if args.json:
            args.json.write_text(json.dumps(turns_by_size, indent=2) + "\n")
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
