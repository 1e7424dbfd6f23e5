#!/usr/bin/env python3
"""Compares the library's ABI with the dump kept in libcorbel.abi: functions and types may be added, members appended to
option structs; anything removed or changed fails. `abi.py <libcorbel.so> --write` keeps a new dump.

Needs abidw and abidiff (Debian: abigail-tools) and a library with debug information (the preset dev)."""
import pathlib
import subprocess
import sys
import tempfile

here = pathlib.Path(__file__).resolve().parent
kept = here / "libcorbel.abi"
# What abidiff may see change: option structs that grow at their end.
GROWTH = """[suppress_type]
type_kind = struct
name_regexp = ^corbel_(call|.*_options|put|settle|queue_admission|lane_events|message_view|unworked_view|dead_record|dead_attempt|health_report|redis_stats|pg_stats|pg_statement|pg_begin)$
has_data_member_inserted_at = end
"""


def dump(library, to):
    """The ABI of a library with debug information, free of what differs from machine to machine."""
    subprocess.run(["abidw", "--headers-dir", str(here.parents[1] / "include"), "--drop-private-types",
                    "--exported-interfaces-only", "--no-corpus-path", "--no-comp-dir-path", "--no-show-locs", "--no-elf-needed",
                    "--type-id-style", "hash", "--out-file", str(to), library], check=True)
    to.write_text(to.read_text().replace(f"path='{here.parents[1]}/", "path='"))
    if "corbel_redis_send" not in to.read_text() or "<function-decl" not in to.read_text():
        sys.exit(f"{library} carries no debug information: build it with the preset dev")


def compare(old, new):
    """(whether a program that was linked with the old one can use the new one, what abidiff says)"""
    with tempfile.TemporaryDirectory() as folder:
        growth = pathlib.Path(folder, "growth.ini")
        growth.write_text(GROWTH)
        diff = subprocess.run(["abidiff", "--no-added-syms", "--suppressions", str(growth), str(old), str(new)], text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return diff.returncode == 0, diff.stdout


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        now = pathlib.Path(folder, "now.abi")
        dump(sys.argv[1], now)
        if "--write" in sys.argv:
            kept.write_text(now.read_text())
        same, text = compare(kept, now)
    print(text)
    print(f"cases: {int(same)} passed, {int(not same)} failed")
    sys.exit(not same)
