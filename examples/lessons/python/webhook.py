# Lesson: a webhook. Your HTTP server hands over what came; who cannot prove to know the secret is turned away, and else the
# loader looks at once. Here the deliveries come on standard input: a line "X-Hub-Signature-256: ...", and a line with the body.
#
#     export PYTHONPATH=bindings/python CORBEL_LIBRARY=build/dev/libcorbel.so.0
#     BUNDLE_URL=/srv/git/app.git BUNDLE_ROOT=/tmp/bundles WEBHOOK_SECRET=... python3 examples/lessons/python/webhook.py
import asyncio
import os
import sys
from pathlib import Path

import corbel


async def switched(loader: corbel.Bundles) -> None:
    async for notice in loader:
        if notice.event == "switched":
            break
    with loader.pin("app") as bundle:
        print("current says:", Path(bundle, "hello.txt").read_text())


def deliver(loader: corbel.Bundles, header: str, body: str) -> bool:
    """What your HTTP server does with POST /webhooks/app: True for 202, False for 401."""
    name, _, value = header.partition(": ")
    try:
        push = corbel.verify_webhook(os.environ["WEBHOOK_SECRET"], {name: value}, body.encode())
    except corbel.Refused as problem:
        print("refused:", problem.message)
        return False
    print("verified: a push to", push.ref)
    loader.look("app")
    return True


async def main() -> None:
    print("lesson: webhook", flush=True)
    async with corbel.Runtime(name="webhook", log_level="error") as rt, rt.bundles(os.environ["BUNDLE_ROOT"]) as loader:
        (await loader.load("app", os.environ["BUNDLE_URL"], "main")).close()
        await switched(loader)
        print("now please push a commit and deliver it", flush=True)
        while True:
            header, body = [await asyncio.to_thread(sys.stdin.readline) for _ in range(2)]
            if not body or deliver(loader, header.strip(), body.rstrip("\n")):
                break
        await switched(loader)


asyncio.run(main())
