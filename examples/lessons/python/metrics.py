# Lesson: what the library counts, in the text that Prometheus scrapes: pools, health, logs, lag. An HTTP server shows the same
# at /metrics.
#
#     export PYTHONPATH=bindings/python CORBEL_LIBRARY=build/dev/libcorbel.so.0
#     REDIS_URL=redis://localhost:6379 python3 examples/lessons/python/metrics.py
import os

import corbel.blocking

print("lesson: metrics")
url = os.environ.get("REDIS_URL", "redis://localhost:6379")
with corbel.blocking.Runtime(name="metrics", log_level="error") as rt, rt.redis(url) as redis:
    redis.execute("PING")
    for line in rt.metrics().splitlines():
        if line.startswith(("corbel_ready", "corbel_health_state")):
            print(line)
