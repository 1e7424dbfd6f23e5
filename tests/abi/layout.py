#!/usr/bin/env python3
"""Sizes of all public structs and sizes and offsets of their members, as the compiler sees them, beside layout.golden.

What the golden file has must stay as it is; members may be appended to option structs (never to the frozen ones), new
structs may come. Both are written to the golden file by `layout.py --write`.

Usage: layout.py [--write] [<include folder>]; the compiler is $CC."""
import os
import pathlib
import re
import subprocess
import sys
import tempfile

root = pathlib.Path(__file__).resolve().parents[2]
golden = pathlib.Path(__file__).with_name("layout.golden")
FROZEN = {"corbel_bytes", "corbel_event", "corbel_queue_lane", "corbel_lane_event"}


def structs(include):
    """Name and member names of every struct that the preprocessed headers define."""
    text = subprocess.run([os.environ.get("CC", "cc"), "-std=c99", "-E", "-P", f"-I{include}", f"{include}/corbel.h"], check=True,
                          text=True, stdout=subprocess.PIPE).stdout
    for name, body in re.findall(r"typedef struct (corbel_\w+) \{(.*?)\} \1;", text, re.S):
        yield name, [re.search(r"(\w+)$", member.strip()).group(1) for member in body.split(";") if member.strip()]


def measure(include):
    lines = ["#include <corbel.h>", "#include <stdio.h>", "int main(void) {"]
    for name, members in structs(include):
        lines.append(f'printf("{name} %zu\\n", sizeof({name}));')
        lines += [f'printf("{name}.{m} %zu %zu\\n", offsetof({name}, {m}), sizeof((({name} *)0)->{m}));' for m in members]
    lines.append("return 0; }")
    with tempfile.TemporaryDirectory() as folder:
        program = f"{folder}/layout"
        subprocess.run([os.environ.get("CC", "cc"), "-std=c99", f"-I{include}", "-xc", "-", "-o", program], check=True, text=True,
                       input="\n".join(lines))
        return subprocess.run([program], check=True, text=True, stdout=subprocess.PIPE).stdout


def compare(old, new):
    """Faults of the new table against the old one."""
    old, new = (dict(line.split(maxsplit=1) for line in text.splitlines()) for text in (old, new))
    for name, was in old.items():
        now = new.get(name)
        if now is None:
            yield f"{name} is gone"
        elif "." in name and now != was:
            yield f"{name} was at offset and of size {was}, now {now}"
        elif "." not in name and (int(now) < int(was) or (name in FROZEN and now != was)):
            yield f"{name} had {was} bytes, now {now}"
    for name in new.keys() - old.keys():
        if "." in name and name.split(".")[0] in FROZEN:
            yield f"{name} was added to a frozen struct"
        if "." in name and name.split(".")[0] in old and int(new[name].split()[0]) < int(old[name.split(".")[0]]):
            yield f"{name} was put inside the old {name.split('.')[0]}, not behind it"


if __name__ == "__main__":
    arguments = [a for a in sys.argv[1:] if a != "--write"]
    table = measure(pathlib.Path(arguments[0] if arguments else root / "include").resolve())
    if len(table.splitlines()) < 50:
        sys.exit("found hardly any struct: do the headers look different now?")
    if "--write" in sys.argv:
        golden.write_text(table)
    faults = list(compare(golden.read_text(), table))
    for fault in faults:
        print(f"FAILED {fault}")
    if not faults and table != golden.read_text():
        print("grew, which is compatible: write the new table down with tests/abi/layout.py --write")
    print(f"cases: {int(not faults)} passed, {len(faults)} failed")
    sys.exit(bool(faults))
