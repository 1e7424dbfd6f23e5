#!/usr/bin/env python3
"""The page of the metrics host in headless Chromium: its services with their parts, the queue, pictures of the last minutes that
show what happened, nothing from outside; and a screenshot on which the lines are drawn.

Usage: page.py <build folder>"""
import html.parser
import json
import pathlib
import re
import subprocess
import sys
import tempfile
import time

root = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(root / "tests" / "lessons"))
from private_redis import PrivateRedis  # noqa: E402
from png import colours  # noqa: E402
from running_hosts import RunningHost, fetch, post  # noqa: E402

LINES = {"blue": (0x14, 0x56, 0xB8), "orange": (0xC2, 0x57, 0x0C)}  # of the pictures


class Page(html.parser.HTMLParser):
    """Texts of the cells by table, points of the lines by picture, addresses that a browser would fetch."""

    def __init__(self, text):
        super().__init__()
        self.tables, self.pictures, self.fetched = {}, {}, []
        self.table = self.picture = ""
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        if tag == "table":
            self.table = given.get("id", "")
            self.tables[self.table] = ""
        if tag == "svg":
            self.picture = given["aria-label"]
            self.pictures[self.picture] = []
        if tag == "polyline":
            self.pictures[self.picture].append(given["points"].split())
        if tag not in ("a", "svg"):
            self.fetched += [value for name, value in attributes if name in ("src", "href", "xlink:href", "data", "srcset")]

    def handle_data(self, data):
        if self.table:
            self.tables[self.table] += data + "|"


def chromium(folder, *arguments):
    command = ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
               "--disable-background-networking", f"--user-data-dir={folder}/profile", "--window-size=1000,1400", *arguments]
    done = subprocess.run(command, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=120)
    if done.returncode != 0:
        raise SystemExit(f"chromium ended with {done.returncode}: {done.stderr[-2000:]}")
    return done.stdout


def faults_of(page, text):
    services, queue = page.tables.get("services", ""), page.tables.get("queue", "")
    for name in ("chat:rest", "chat:proc"):
        if name not in services:
            yield f"the service {name} is not in the table: {services}"
    for part in ("redis:async", "runtime"):
        if part not in services:
            yield f"the part {part} is not in the table: {services}"
    if "ready|in flight|delayed|dead" not in queue.replace("||", "|"):
        yield f"the queue is not in its table: {queue}"
    for picture in ("Queue", "Workers", "Connections of pools"):
        lines = page.pictures.get(picture)
        if not lines or len(lines) != 2 or any(len(points) < 2 for points in lines):
            yield f"the picture {picture} has no two lines of several points: {lines}"
    heights = {point.split(",")[1] for points in page.pictures.get("Queue", []) for point in points}
    if len(heights) < 2:
        yield f"the queue was filled and its picture is flat: {heights}"
    if page.fetched or re.search(r"@import|url\(", text) or "<script" in text:
        yield f"the page wants something from outside: {page.fetched}"


def main():
    build = sys.argv[1]
    with PrivateRedis() as redis, tempfile.TemporaryDirectory() as folder, RunningHost(build, "ingress", redis) as ingress, \
            RunningHost(build, "metrics", redis) as metrics:
        for n in range(40):  # nobody works them yet
            post(ingress.port, "/api/chat/messages", json.dumps({"session_id": f"s{n}", "text": "some words"}).encode())
        until = time.monotonic() + 30
        while json.loads(fetch(metrics.port, "/metrics/combined"))["system"]["queue_stats"]["total"] != 40:
            if time.monotonic() > until:
                raise SystemExit("the metrics host does not see the queue")
            time.sleep(0.1)
        with RunningHost(build, "proc", redis):
            while True:
                system = json.loads(fetch(metrics.port, "/metrics/combined"))["system"]
                if system["components"]["proc"]["actual_processes"] == 1 and system["queue_stats"]["total"] == 0:
                    break
                if time.monotonic() > until:
                    raise SystemExit("the metrics host does not see that the queue is worked")
                time.sleep(0.1)
            url, picture = f"http://127.0.0.1:{metrics.port}/", pathlib.Path(folder) / "page.png"
            text = chromium(folder, "--dump-dom", url)
            chromium(folder, f"--screenshot={picture}", url)
        seen = colours(picture.read_bytes())
    faults = list(faults_of(Page(text), text))
    faults += [f"no {name} line is drawn on the screenshot" for name, colour in LINES.items() if seen.get(colour, 0) < 50]
    print("\n".join(faults) or f"the page shows the fleet; {len(seen)} colours on its screenshot")
    return bool(faults)


if __name__ == "__main__":
    sys.exit(main())
