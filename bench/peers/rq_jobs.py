"""An rq worker that runs no-op jobs in its own process, without a fork for each; what it works was put before.

    rq_jobs.py --port 6379 --messages 3000 --seconds 2 --size 1024
"""
import argparse
import json
import logging
import os
import resource
import sys
import threading
import time

import redis
import rq

WARM_UP = 0.3
FILL = 500
done = 0


def cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def work(body: str) -> None:
    global done
    if not body:
        os._exit(1)
    done += 1


def measure(seconds: float, messages: int) -> None:
    while done == 0:
        time.sleep(0.005)
    time.sleep(WARM_UP)
    wall, used, before = time.monotonic(), cpu(), done
    while time.monotonic() - wall < seconds and done < messages:
        time.sleep(0.005)
    wall, used, ops = time.monotonic() - wall, cpu() - used, done - before
    print(json.dumps({"ops_per_s": ops / wall, "cpu_us_per_op": 1e6 * used / ops, "ops": ops, "seconds": wall}))
    sys.stdout.flush()
    os._exit(0)


def main() -> None:
    p = argparse.ArgumentParser()
    p.add_argument("--port", type=int, default=6379)
    p.add_argument("--messages", type=int, default=3000)
    p.add_argument("--seconds", type=float, default=2.0)
    p.add_argument("--size", type=int, default=1024)
    p.add_argument("--version", action="store_true")
    o = p.parse_args()
    if o.version:
        print(rq.VERSION)
        return
    logging.disable(logging.CRITICAL)
    server = redis.Redis(host="127.0.0.1", port=o.port)
    queue = rq.Queue("bench", connection=server)
    sys.modules["rq_jobs"] = sys.modules["__main__"]  # where the worker looks its function up
    function = "rq_jobs.work"
    for _ in range(0, o.messages, FILL):
        queue.enqueue_many([rq.Queue.prepare_data(function, ("x" * o.size,), result_ttl=0) for _ in range(FILL)])
    threading.Thread(target=measure, args=(o.seconds, o.messages), daemon=True).start()
    rq.SimpleWorker([queue], connection=server).work(logging_level="ERROR")


if __name__ == "__main__":
    main()
