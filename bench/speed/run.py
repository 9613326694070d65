#!/usr/bin/env python3
"""Whether karat's rates are llama-bench's: karat probe against llama-bench, in turns.

usage: bench/speed/run.py [--models FILE...] [--blocks N] [--threads N] [--pp N] [--tg N]
                          [--depth N] [--reps N] [--json FILE]

Both tools load the same file, run the same tests with the same number of threads, batch sizes
(2048/512), KV type (f16), flash attention (auto), memory map and repacking, warm up the same
way, and repeat each test in one process as often. A block is one process of each, in turns
(karat peer, peer karat, ...). What is compared is the rate of the median pass of a process, so
that one disturbed pass does not count. The ratio is taken within the block; its figure is the
median over blocks, its interval the sign test's (order statistics, at least 95 %, no assumption
on how the ratios are spread). On a shared machine whole processes are slowed down by neighbours,
now one tool's, now the other's: a mean would follow these.

karat's side is its worker process with the very job that `karat probe` gives it.

Exit code 1 where an interval is not inside 0.95 to 1.05, 2 where something could not be run.
Needs bench/peer/build.sh and bench/cost/models.sh to have run, a quiet machine, and nothing
besides Python's standard library.
"""

import argparse
import json
import math
import os
import statistics
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BOUNDS = (0.95, 1.05)
# As in crates/karat/src/worker/protocol.rs.
PROTOCOL = 4

class BenchError(Exception):
    """Something could not be run or makes no sense; the message is for the user."""


def run(command: list[str]) -> str:
    """Standard output of a command that has to end well."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        last = done.stderr.strip().splitlines()[-5:]
        raise BenchError(f"{' '.join(command)} ended with {done.returncode}: {' | '.join(last)}")
    return done.stdout


def karat_rates(args: argparse.Namespace, model: Path, block: int) -> dict[str, float]:
    """One worker process; tokens per second of each test."""
    tests = [
        {"kind": kind, "n_tokens": n, "depth": args.depth}
        for kind, n in (("pp", args.pp), ("tg", args.tg))
        if n > 0
    ]
    job = {
        "model": str(model),
        "tests": tests,
        "ruler": {
            "kv": "f16",
            "gpu_layers": 0,
            "n_threads": args.threads,
            "n_batch": 2048,
            "n_ubatch": 512,
            "reps": args.reps,
        },
        "prompt": None,
        "seed": block,
    }
    request = json.dumps({"protocol": PROTOCOL, "job": {"speed": job}})
    # The worker ends when its input does, which is how it learns of its parent's end: keep it open.
    with subprocess.Popen(
        [args.karat, "worker"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as worker:
        worker.stdin.write(request + "\n")
        worker.stdin.flush()
        sample = None
        for line in worker.stdout:
            message = json.loads(line)
            if isinstance(message, dict) and "speed" in message:
                sample = message["speed"]
            if isinstance(message, dict) and "failed" in message:
                raise BenchError(f"karat: {message['failed']['error']}")
        worker.stdin.close()
    if sample is None:
        raise BenchError("karat's worker ended without a result")
    return {
        f"{test['kind']}{test['n_tokens']}": rate(test["n_tokens"], passes)
        for test, passes in zip(tests, sample["pass_ns"], strict=True)
    }


def peer_rates(args: argparse.Namespace, model: Path) -> dict[str, float]:
    """One llama-bench process; tokens per second of each test."""
    command = [
        args.peer, "--model", str(model), "--n-prompt", str(args.pp), "--n-gen", str(args.tg),
        "--n-depth", str(args.depth), "--threads", str(args.threads),
        "--batch-size", "2048", "--ubatch-size", "512", "--n-gpu-layers", "0",
        "--repetitions", str(args.reps), "--output", "json",
    ]  # fmt: skip
    rates = {}
    for test in json.loads(run(command)):
        kind, n = ("pp", test["n_prompt"]) if test["n_gen"] == 0 else ("tg", test["n_gen"])
        rates[f"{kind}{n}"] = rate(n, test["samples_ns"])
    return rates


def rate(n_tokens: int, passes_ns: list[int]) -> float:
    """Tokens per second of the median pass."""
    return n_tokens * 1e9 / statistics.median(passes_ns)


def interval(values: list[float]) -> tuple[float, float, float]:
    """Median and the sign test's interval: the widest cut of the order statistics that leaves at
    most 2.5 % on each side."""
    values, n = sorted(values), len(values)
    cut, below = 0, 0.5**n
    while below + math.comb(n, cut + 1) * 0.5**n <= 0.025:
        cut += 1
        below += math.comb(n, cut) * 0.5**n
    return statistics.median(values), values[cut], values[n - 1 - cut]


def measure(args: argparse.Namespace, model: Path) -> list[dict]:
    """All blocks of a model; one row per test."""
    blocks = []
    for block in range(args.blocks):
        sides = [
            ("karat", lambda: karat_rates(args, model, block)),
            ("peer", lambda: peer_rates(args, model)),
        ]
        if block % 2 == 1:
            sides.reverse()
        blocks.append({name: timed() for name, timed in sides})
        print(f"{model.stem}: block {block + 1} of {args.blocks}", file=sys.stderr)
    rows = []
    for test in blocks[0]["karat"]:
        ratio, low, high = interval([block["karat"][test] / block["peer"][test] for block in blocks])
        rows.append({
            "model": model.stem,
            "test": test,
            "karat": statistics.median(block["karat"][test] for block in blocks),
            "peer": statistics.median(block["peer"][test] for block in blocks),
            "ratio": ratio,
            "low": low,
            "high": high,
            "ok": BOUNDS[0] <= low and high <= BOUNDS[1],
            "blocks": blocks,
        })  # fmt: skip
    return rows


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    models = ROOT / "target/cost/models"
    default = [models / f"{size}-{type_}.gguf" for size in ("8k", "262k") for type_ in ("BF16", "Q4_0")]
    parser.add_argument("--models", type=Path, nargs="+", default=default)
    parser.add_argument("--blocks", type=int, default=12)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--pp", type=int, default=512)
    parser.add_argument("--tg", type=int, default=128)
    parser.add_argument("--depth", type=int, default=0)
    parser.add_argument("--reps", type=int, default=5)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--karat", default=str(ROOT / "target/debug/karat"))
    parser.add_argument("--peer", default=str(ROOT / "target/peer/bin/llama-bench"))
    args = parser.parse_args()
    if args.blocks < 6:
        parser.error("--blocks: at least 6, fewer have no 95 % interval")
    for path in [*args.models, Path(args.karat), Path(args.peer)]:
        if not path.exists():
            parser.error(f"{path} is not there; see the top of this file for what makes it")
    try:
        rows = [row for model in args.models for row in measure(args, model)]
    except BenchError as error:
        print(f"run.py: {error}", file=sys.stderr)
        return 2
    print(f"\nkarat against llama-bench: {args.blocks} blocks, {args.reps} passes, "
          f"{args.threads} threads, depth {args.depth}\n")  # fmt: skip
    print("| model | test | karat tok/s | llama-bench tok/s | ratio [95 %] | inside 0.95 to 1.05 |")
    print("|---|---|---:|---:|---:|---|")
    for row in rows:
        print(
            f"| {row['model']} | {row['test']} | {row['karat']:.1f} | {row['peer']:.1f} | "
            f"{row['ratio']:.3f} [{row['low']:.3f}, {row['high']:.3f}] | "
            f"{'yes' if row['ok'] else 'NO'} |"
        )
    if args.json:
        args.json.write_text(json.dumps(rows, indent=1) + "\n")
    return 0 if all(row["ok"] for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
