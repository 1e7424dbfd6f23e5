# Lesson: metrics of your own beside what the library counts (pools, health, logs, lag), in the text that Prometheus scrapes. An
# HTTP server shows the same at /metrics. A series is made once and kept.
#
#     export PYTHONPATH=bindings/python CORBEL_LIBRARY=build/dev/libcorbel.so.0
#     REDIS_URL=redis://localhost:6379 python3 examples/lessons/python/metrics.py
import os
import time

import corbel.blocking

print("lesson: metrics")
url = os.environ.get("REDIS_URL", "redis://localhost:6379")
with corbel.blocking.Runtime(name="metrics", log_level="error") as rt, rt.redis(url) as redis:
    mails = rt.counter("mails_sent_total", "Mails taken by a server.", labels={"list": "weekly"})
    took = rt.histogram("mail_seconds", "What a mail took.")
    for _ in range(3):  # a PING stands in for a mail
        began = time.monotonic()
        redis.execute("PING")
        mails.add()
        took.record(time.monotonic() - began)
    for line in rt.metrics().splitlines():
        if line.startswith(("mails_sent_total", "mail_seconds_count", "corbel_ready")):
            print(line)
