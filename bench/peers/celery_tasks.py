"""A Celery worker that runs no-op tasks, acknowledged once they were run; what it works was put before.

    celery_tasks.py --port 6379 --pool solo|threads|prefork --in-flight 64 --messages 10000 --seconds 2 --size 1024
"""
import argparse
import json
import os
import resource
import sys
import threading
import time

import celery

WARM_UP = 0.3


def cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def main() -> None:
    p = argparse.ArgumentParser()
    p.add_argument("--port", type=int, default=6379)
    p.add_argument("--pool", choices=("solo", "threads"), default="solo")
    p.add_argument("--in-flight", type=int, default=64)
    p.add_argument("--messages", type=int, default=10_000)
    p.add_argument("--seconds", type=float, default=2.0)
    p.add_argument("--size", type=int, default=1024)
    p.add_argument("--version", action="store_true")
    o = p.parse_args()
    if o.version:
        print(celery.__version__)
        return

    app = celery.Celery("bench", broker=f"redis://127.0.0.1:{o.port}/0")
    app.conf.update(
        task_acks_late=True, task_ignore_result=True, worker_prefetch_multiplier=1 if o.pool == "threads" else o.in_flight,
        worker_redirect_stdouts=False, broker_pool_limit=None, worker_disable_rate_limits=True, worker_send_task_events=False,
    )
    done = 0

    @app.task(name="work")
    def work(body: str) -> None:
        nonlocal done
        if len(body) != o.size:
            os._exit(1)
        done += 1

    with app.producer_pool.acquire() as producer:
        for _ in range(o.messages):
            work.apply_async(("x" * o.size,), producer=producer)

    def measure() -> None:
        while done == 0:
            time.sleep(0.005)
        time.sleep(WARM_UP)
        wall, used, before = time.monotonic(), cpu(), done
        while time.monotonic() - wall < o.seconds and done < o.messages:
            time.sleep(0.005)
        wall, used, ops = time.monotonic() - wall, cpu() - used, done - before
        print(json.dumps({"ops_per_s": ops / wall, "cpu_us_per_op": 1e6 * used / ops, "ops": ops, "seconds": wall}))
        sys.stdout.flush()
        os._exit(0)  # a worker's orderly end takes seconds

    threading.Thread(target=measure, daemon=True).start()
    concurrency = 1 if o.pool == "solo" else o.in_flight
    app.worker_main(["--quiet", "worker", "--pool", o.pool, "--concurrency", str(concurrency), "--loglevel", "ERROR", "--without-gossip",
                     "--without-mingle", "--without-heartbeat"])


if __name__ == "__main__":
    main()
