# Lesson: a private repository. The token comes from the environment, GIT_HTTP_TOKEN; it goes to the server over https, and
# nowhere else: not to a log, an error, a file, or the arguments of the program that fetches.
#
#     export PYTHONPATH=bindings/python CORBEL_LIBRARY=build/dev/libcorbel.so.0
#     BUNDLE_PRIVATE_URL=https://git.example/team/app.git BUNDLE_ROOT=/tmp/bundles GIT_HTTP_TOKEN=... \
#         python3 examples/lessons/python/private_repository.py
import asyncio
import os
from pathlib import Path

import corbel


async def main() -> None:
    print("lesson: private_repository", flush=True)
    root, url = os.environ["BUNDLE_ROOT"], os.environ["BUNDLE_PRIVATE_URL"]
    async with corbel.Runtime(name="private_repository", log_level="error") as rt:
        async with rt.bundles(root, access=corbel.BundleAccess(ca_file=os.environ.get("GIT_SSL_CAINFO"))) as stranger:
            try:
                await stranger.load("app", url, "main")
            except corbel.Refused as problem:
                print("without a token:", problem.native)
        async with rt.bundles(root, access=corbel.BundleAccess(environment=True)) as loader:
            with await loader.load("app", url, "main") as bundle:
                print("with the token it says:", Path(bundle, "hello.txt").read_text())


asyncio.run(main())
