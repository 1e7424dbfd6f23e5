#!/usr/bin/env python3
"""clang-tidy over the library and the C API, with the checks of .clang-tidy. Not a part of `make test`, because it compiles
everything again with clang; `make tidy` runs it.

Usage: tidy.py <build folder with compile_commands.json> [part of a file's path]"""
import json
import pathlib
import shlex
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

root = pathlib.Path(__file__).resolve().parents[1]
match = sys.argv[2] if len(sys.argv) > 2 else ""
FOLDERS = ("src", "capi", "examples/hosts", "examples/lessons", "examples/loops")


def flags(command):
    """The compiler's flags without what only GCC knows: its precompiled header and the options for it."""
    words = iter(shlex.split(command))
    for word in words:
        if word == "-include":
            next(words)
        elif word.startswith(("-I", "-D", "-std=")):
            yield word
        elif word == "-isystem":
            yield from (word, next(words))


def tidy(entry):
    run = subprocess.run(["clang-tidy", "--quiet", entry["file"], "--", "-Wall", "-Wextra", "-Wshadow", *flags(entry["command"])],
                         text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if run.returncode:
        print(run.stdout or run.stderr, flush=True)
    return run.returncode != 0


entries = json.loads((pathlib.Path(sys.argv[1]) / "compile_commands.json").read_text())
chosen = {e["file"]: e for e in entries if e["file"].startswith(tuple(f"{root}/{f}/" for f in FOLDERS)) and match in e["file"]}
with ThreadPoolExecutor(2) as two:
    failed = sum(two.map(tidy, chosen.values()))
print(f"{len(chosen) - failed} passed, {failed} failed")
sys.exit(failed > 0 or not chosen)
