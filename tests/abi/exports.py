#!/usr/bin/env python3
"""The library exports exactly the functions that the C headers declare, and capi/exports.map lists exactly those; nothing of
a dependency leaks. Every one of them is called by a C test.

Usage: exports.py <libcorbel.so>; the compiler that reads the headers is $CC."""
import os
import pathlib
import re
import subprocess
import sys

root = pathlib.Path(__file__).resolve().parents[2]
library = sys.argv[1]
failed = 0
passed = 0


def check(name, found, expected):
    global failed, passed
    missing, extra = sorted(expected - found), sorted(found - expected)
    if not missing and not extra and expected:
        passed += 1
        return
    failed += 1
    print(f"FAILED {name}: missing {missing}, too many {extra}")


def run(*argv):
    return subprocess.run(argv, check=True, text=True, stdout=subprocess.PIPE).stdout


# The compiler's own view of the declarations: comments and macros are gone.
preprocessed = run(os.environ.get("CC", "cc"), "-std=c99", "-E", "-P", f"-I{root}/include", str(root / "include/corbel.h"))
declared = set(re.findall(r'__attribute__\(\(visibility\("default"\)\)\)[^;(]*?\b(corbel_\w+)\s*\(', preprocessed))
all_functions = {name for name in re.findall(r"\b(corbel_\w+)\s*\(", preprocessed)} - {"corbel_bytes"}
check("every function of the headers carries CORBEL_API", declared, all_functions)

mapped = re.search(r"global:(.*?)local:", (root / "capi/exports.map").read_text(), re.S).group(1)
check("capi/exports.map is what the headers declare", set(re.findall(r"(\w+);", mapped)), declared)

exported, versions = set(), set()
for line in run("nm", "--dynamic", "--defined-only", library).splitlines():
    name, _, version = line.split()[-1].partition("@@")
    kind = line.split()[-2]
    (versions if kind == "A" else exported).add(name)
    if kind != "A" and version != "CORBEL_0":
        failed += 1
        print(f"FAILED {name} has the version '{version}', not CORBEL_0")
check("the library exports what the headers declare", exported, declared)
check("the library defines one version", versions, {"CORBEL_0"})

dynamic = run("readelf", "--dynamic", "--wide", library)
check("the SONAME", set(re.findall(r"soname: \[(.*?)\]", dynamic)), {"libcorbel.so.0"})
check("no library path is built in", set(re.findall(r"\((RPATH|RUNPATH)\)", dynamic)) | {"none"}, {"none"})

tests = "".join(p.read_text() for p in sorted((root / "tests/capi").glob("*_test.c")))
check("every function is called by a C test", set(re.findall(r"\b(corbel_\w+)\(", tests)) & declared, declared)

print(f"cases: {passed} passed, {failed} failed")
sys.exit(failed > 0)
