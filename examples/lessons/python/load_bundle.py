# Lesson: a bundle, code in a git repository at a ref, is brought into a folder of its own, whole and read-only, and pinned: the
# folder stays as it is until the pin is closed.
#
#     export PYTHONPATH=bindings/python CORBEL_LIBRARY=build/dev/libcorbel.so.0
#     BUNDLE_URL=/srv/git/app.git BUNDLE_ROOT=/tmp/bundles python3 examples/lessons/python/load_bundle.py
import asyncio
import os
from pathlib import Path

import corbel


async def main() -> None:
    print("lesson: load_bundle")
    async with corbel.Runtime(name="load_bundle", log_level="error") as rt, rt.bundles(os.environ["BUNDLE_ROOT"]) as loader:
        # A private repository: secret= is a token for https, ssh_key= a file for ssh. Neither reaches a log or an argument.
        with await loader.load("app", os.environ["BUNDLE_URL"], "main", timeout=30) as bundle:
            print(f"{bundle.id} at {bundle.commit[:8]} says: {Path(bundle, 'hello.txt').read_text()}")


asyncio.run(main())
