#!/usr/bin/env python3
"""Corbel beside what a user would pick instead, in one run.

    python3 bench/run.py --bin build/release [--only SUBJECT] [--rounds 5] [--seconds 1.5]

Prints a table per subject, writes build/bench/<subject>.json, ends with 1 when a floor is missed. See bench/README.md.
"""
import argparse
import os
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
sys.dont_write_bytecode = True

from programs import ROOT, Programs  # noqa: E402
from rows import print_table, write_json  # noqa: E402
from subjects import ONLY_WHEN_NAMED, SUBJECTS  # noqa: E402


def main() -> int:
    o = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    o.add_argument("--bin", type=Path, default=ROOT / "build/release", help="build folder, configured with CORBEL_BENCH=ON")
    o.add_argument("--only", choices=sorted(SUBJECTS), help="one subject")
    o.add_argument("--rounds", type=int, default=5, help="turns of Corbel and the peers; 5 for a verdict")
    o.add_argument("--seconds", type=float, help="measured time of one run (1.5; of the soak: 600)")
    a = o.parse_args()

    chosen = [a.only] if a.only else [s for s in SUBJECTS if s not in ONLY_WHEN_NAMED]
    if os.getloadavg()[0] > 1:
        print(f"the machine is busy (load {os.getloadavg()[0]:.1f}): ratios hold better than figures", file=sys.stderr)
    missed = []
    for subject in chosen:
        began = time.monotonic()
        seconds = a.seconds or (600.0 if subject == "soak" else 1.5)
        rows = SUBJECTS[subject](Programs(a.bin.resolve(), seconds), a.rounds)
        print_table(f"{subject} ({time.monotonic() - began:.0f} s)", rows)
        write_json(ROOT / "build/bench", subject, rows)
        missed += [f"{subject}: {row.name}, floor {row.rule} {row.floor:g}" for row in rows if row.passed is False]
    for line in missed:
        print(f"missed: {line}", file=sys.stderr)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
