# Lesson: a part of the host that reports its health. The roll-up says whether the host is ready, and because of what; every
# change is told.
#
#     export PYTHONPATH=bindings/python CORBEL_LIBRARY=build/dev/libcorbel.so.0
#     python3 examples/lessons/python/health_part.py
import asyncio

import corbel
from corbel import HealthState


async def main() -> None:
    print("lesson: health_part")
    async with corbel.Runtime(name="health_part", log_level="error") as rt:
        changes = rt.health_changes()

        def say(state: HealthState, reason: str = "") -> None:
            # required: without it the host is not ready; fresh_for: stale when nothing is said for so many seconds
            rt.health.set("mail", state, reason, required=True, fresh_for=60)
            print(state.name, "ready:", rt.health.ready, rt.health.report()["because"])

        say(HealthState.OK)
        say(HealthState.SATURATED, "8 of 8 letters under way")  # all that it can do: not ill
        say(HealthState.DOWN, "no answer on port 25")
        say(HealthState.OK)
        while True:
            change = await changes.get(5)
            print(change.part or "the host", change.before, "->", change.state)
            if change.part is None and change.state == "ok" and change.before == "down":
                break
        print("ready again:", int(rt.health.ready))


asyncio.run(main())
