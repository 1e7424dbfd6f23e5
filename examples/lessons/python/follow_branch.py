# Lesson: a branch is followed. A push is noticed by itself, the new commit is brought, and what is current is switched to it at
# once; the loader tells what happened.
#
#     export PYTHONPATH=bindings/python CORBEL_LIBRARY=build/dev/libcorbel.so.0
#     BUNDLE_URL=/srv/git/app.git BUNDLE_ROOT=/tmp/bundles python3 examples/lessons/python/follow_branch.py
import asyncio
import os
from pathlib import Path

import corbel


async def main() -> None:
    print("lesson: follow_branch", flush=True)
    async with corbel.Runtime(name="follow_branch", log_level="error") as rt, rt.bundles(os.environ["BUNDLE_ROOT"]) as loader:
        first = await loader.load("app", os.environ["BUNDLE_URL"], "main", follow=0.1)
        async for notice in loader:
            print(f"{notice.event}: {notice.commit}, before {notice.previous}")
            if notice.event != "switched":
                continue
            with loader.pin("app") as bundle:
                print(f"current says: {Path(bundle, 'hello.txt').read_text()}")
                if bundle.commit != first.commit:
                    break
            print("now please push a commit", flush=True)
        first.close()


asyncio.run(main())
