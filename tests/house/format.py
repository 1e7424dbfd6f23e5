#!/usr/bin/env python3
"""The tree is formatted as .clang-format says; `make format` does it."""
import pathlib
import subprocess
import sys

root = pathlib.Path(__file__).resolve().parents[2]
listed = subprocess.run(["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.c", "*.cpp", "*.h", "*.hpp"], cwd=root,
                        check=True, text=True, stdout=subprocess.PIPE).stdout.split()
files = [f for f in listed if "frozen_client/include" not in f and (root / f).exists()]
if len(files) < 50:
    sys.exit(f"found only {len(files)} files")
run = subprocess.run(["clang-format", "--dry-run", "-Werror", *files], cwd=root, stderr=subprocess.PIPE, text=True)
for file in sorted({line.split(":")[0] for line in run.stderr.splitlines() if ": error:" in line}):
    print(f"not formatted: {file}")
sys.exit(run.returncode)
