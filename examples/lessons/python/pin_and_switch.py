# Lesson: what runs keeps running. Work that has a commit pinned sees it unchanged to its end, while new work already gets the
# next one. The old folder goes when nobody has it pinned any more.
#
#     export PYTHONPATH=bindings/python CORBEL_LIBRARY=build/dev/libcorbel.so.0
#     BUNDLE_URL=/srv/git/app.git BUNDLE_ROOT=/tmp/bundles python3 examples/lessons/python/pin_and_switch.py
import asyncio
import os
from pathlib import Path

import corbel


def show(who: str, bundle: corbel.Bundle) -> None:
    print(f"{who} sees: {Path(bundle, 'hello.txt').read_text()}", flush=True)


async def main() -> None:
    print("lesson: pin_and_switch", flush=True)
    async with corbel.Runtime(name="pin_and_switch", log_level="error") as rt, rt.bundles(os.environ["BUNDLE_ROOT"]) as loader:
        with await loader.load("app", os.environ["BUNDLE_URL"], "main") as old:  # running work: its pin
            show("running work", old)
            print("now please push a commit", flush=True)
            while True:  # a real host follows the branch, or is told by a webhook
                with await loader.load("app", os.environ["BUNDLE_URL"], "main") as fresh:
                    if fresh.commit != old.commit:
                        break
            with loader.pin("app") as fresh:  # what is current; never waits for git
                show("running work still", old)
                show("new work", fresh)


asyncio.run(main())
