#!/usr/bin/env python3
"""Compiles the old client against its own copy of the headers and runs it on the library of today.

Usage: frozen.py <build folder>; the compiler is $CC."""
import os
import pathlib
import subprocess
import sys
import tempfile

here = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(here.parent / "lessons"))
from private_redis import PrivateRedis  # noqa: E402

build = pathlib.Path(sys.argv[1]).resolve()
with tempfile.TemporaryDirectory() as folder, PrivateRedis() as redis:
    program = f"{folder}/client"
    subprocess.run([os.environ.get("CC", "cc"), "-std=c99", f"-I{here}/frozen_client/include", f"{here}/frozen_client/client.c",
                    f"-L{build}", "-lcorbel", "-o", program], check=True)
    run = subprocess.run([program, redis.url], env=dict(os.environ, LD_LIBRARY_PATH=str(build)), timeout=60)
print(f"cases: {int(run.returncode == 0)} passed, {int(run.returncode != 0)} failed")
sys.exit(run.returncode != 0)
