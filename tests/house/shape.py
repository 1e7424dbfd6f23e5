#!/usr/bin/env python3
"""Files hold one concept each: none is over 320 lines, none is called util, helper, common or misc, no work is left marked in
the text, and nothing names a folder of somebody's machine."""
import pathlib
import re
import subprocess
import sys

root = pathlib.Path(__file__).resolve().parents[2]
CODE = {".c", ".cpp", ".h", ".hpp", ".py", ".lua", ".cmake"}
LEFT = re.compile(r"\b(TO" r"DO|FIX" r"ME|X" r"XX|HA" r"CK)\b")
FOLDER = re.compile(r"(?<![\w.:}])/(work|root|home)/\w")
NAME = re.compile(r"(^|_)(utils?|helpers?|common|misc)(_|$)")

listed = subprocess.run(["git", "ls-files", "--cached", "--others", "--exclude-standard"], cwd=root, check=True, text=True,
                        stdout=subprocess.PIPE).stdout.split()
files = [root / f for f in listed if (root / f).is_file() and "frozen_client/include" not in f]
if len(files) < 100:
    sys.exit(f"found only {len(files)} files")
faults = []
for file in files:
    name = file.relative_to(root)
    if NAME.search(file.stem):
        faults.append(f"{name}: name it after its concept")
    try:
        lines = file.read_text().splitlines()
    except UnicodeDecodeError:
        continue
    if file.suffix in CODE and len(lines) > 320:
        faults.append(f"{name}: {len(lines)} lines; 320 are the limit, 70 to 220 the rule")
    for number, line in enumerate(lines, 1):
        if LEFT.search(line):
            faults.append(f"{name}:{number}: finish it: {line.strip()}")
        if file.suffix != ".md" and FOLDER.search(line):
            faults.append(f"{name}:{number}: names a folder of one machine: {line.strip()}")
print("\n".join(faults))
sys.exit(bool(faults))
