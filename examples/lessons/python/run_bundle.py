# Lesson: run what a bundle holds. Its handler is a program in any language that takes requests and answers in lines of JSON;
# bundle.yaml in the bundle's folder says how it is started. After a push new requests go to the new commit's handler, without
# a failure in between.
#
#     export PYTHONPATH=bindings/python CORBEL_LIBRARY=build/dev/libcorbel.so.0
#     BUNDLE_URL=/srv/git/app.git BUNDLE_ROOT=/tmp/bundles python3 examples/lessons/python/run_bundle.py
import asyncio
import os

import corbel


async def main() -> None:
    print("lesson: run_bundle", flush=True)
    async with corbel.Runtime(name="run_bundle", log_level="error") as rt, rt.bundles(os.environ["BUNDLE_ROOT"]) as loader:
        first = await loader.load("app", os.environ["BUNDLE_URL"], "main", follow=0.2)
        async with loader.runner() as runner:
            run = runner.run("app", {"name": "Ada"})
            async for event in run:  # what the handler tells on the way
                print(f"on the way: {event}", flush=True)
            print(f"answer: {(await run.result()).result['says']}", flush=True)
            print("now please push a commit", flush=True)
            while True:
                answer = await runner.run("app", {"name": "Ada"}).result()
                if answer.commit != first.commit:
                    break
            print(f"answer: {answer.result['says']}", flush=True)


asyncio.run(main())
