#!/usr/bin/env python3
"""Compares the library's ABI with the dump kept in libcorbel.abi: functions and types may be added, members appended to
option structs; anything removed or changed fails. `abi.py <libcorbel.so> --write` keeps a new dump.

Needs abidw and abidiff (Debian: abigail-tools) and a library with debug information (the preset dev)."""
import pathlib
import subprocess
import sys
import tempfile

here = pathlib.Path(__file__).resolve().parent
library, kept = sys.argv[1], here / "libcorbel.abi"
# What abidiff may see change: option structs that grow at their end.
GROWTH = """[suppress_type]
type_kind = struct
name_regexp = ^corbel_(call|.*_options|put|settle|health_report|redis_stats|pg_stats|pg_statement|pg_begin)$
has_data_member_inserted_at = end
"""

with tempfile.TemporaryDirectory() as folder:
    now = pathlib.Path(folder, "now.abi")
    subprocess.run(["abidw", "--headers-dir", str(here.parents[1] / "include"), "--drop-private-types",
                    "--exported-interfaces-only", "--no-corpus-path", "--no-comp-dir-path", "--no-show-locs", "--no-elf-needed",
                    "--type-id-style", "hash", "--out-file", str(now), library], check=True)
    now.write_text(now.read_text().replace(f"path='{here.parents[1]}/", "path='"))
    if "corbel_redis_send" not in now.read_text() or "<function-decl" not in now.read_text():
        sys.exit(f"{library} carries no debug information: build it with the preset dev")
    if "--write" in sys.argv:
        kept.write_text(now.read_text())
    growth = pathlib.Path(folder, "growth.ini")
    growth.write_text(GROWTH)
    diff = subprocess.run(["abidiff", "--no-added-syms", "--suppressions", str(growth), str(kept), str(now)], text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
print(diff.stdout)
print(f"cases: {int(diff.returncode == 0)} passed, {int(diff.returncode != 0)} failed")
sys.exit(diff.returncode != 0)
