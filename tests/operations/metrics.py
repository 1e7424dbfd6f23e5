#!/usr/bin/env python3
"""What operators are given: promtool accepts the text of running hosts, the names are those of metrics.golden, every name of
the alert rules and of the dashboard is a name of a host, and the rules do what their own tests say.

Usage: metrics.py <build folder> [--write]     --write: takes the names of now into metrics.golden"""
import json
import os
import pathlib
import re
import socket
import subprocess
import sys
import time
import urllib.request

root = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(root / "tests" / "lessons"))
from private_redis import PrivateRedis  # noqa: E402

golden = pathlib.Path(__file__).with_name("metrics.golden")
prometheus = root / "examples" / "deploy" / "prometheus"


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def fetch(port, path):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
        return answer.read().decode()


def await_host(process, port):
    until = time.monotonic() + 20
    while time.monotonic() < until and process.poll() is None:
        try:
            return fetch(port, "/livez")
        except OSError:
            time.sleep(0.02)
    raise SystemExit("a host did not come up")


def scrape(build, redis):
    """The text of each host."""
    texts, running = {}, []
    environment = dict(os.environ, REDIS_URL=redis.url)
    try:
        for name in ("ingress", "proc", "metrics"):
            port = free_port()
            arguments = [f"{build}/examples/hosts/corbel-{name}", "--address", "127.0.0.1", "--port", str(port), "--log-level", "error"]
            process = subprocess.Popen(arguments, env=environment)
            running.append(process)
            await_host(process, port)
            if name == "ingress":
                body = json.dumps({"session_id": "s", "text": "some words"}).encode()
                urllib.request.urlopen(f"http://127.0.0.1:{port}/api/chat/messages", body, timeout=10).close()
            until = time.monotonic() + 20
            while True:  # the queue's depth and the turns come a little later
                texts[name] = fetch(port, "/metrics")
                wanted = {"ingress": "corbel_queue_put_total", "proc": "corbel_bundle_turns_total", "metrics": "kdcube_proc_queue_total"}
                if wanted[name] in texts[name] and (name != "proc" or "corbel_queue_oldest_age" in texts[name]):
                    break
                if time.monotonic() > until:
                    raise SystemExit(f"{name} does not show {wanted[name]}:\n{texts[name]}")
                time.sleep(0.05)
    finally:
        for process in running:
            process.terminate()
        for process in running:
            process.wait(60)
    return texts


def main():
    build, faults = sys.argv[1], []
    redis = PrivateRedis()
    try:
        texts = scrape(build, redis)
    finally:
        redis.stop()
    for name, text in texts.items():
        checked = subprocess.run(["promtool", "check", "metrics"], input=text, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if checked.returncode != 0:
            faults.append(f"promtool check metrics of {name}: {checked.stdout}")
    names = sorted({m for text in texts.values() for m in re.findall(r"^# TYPE (\S+) \S+$", text, re.M)})
    if "--write" in sys.argv:
        golden.write_text("\n".join(names) + "\n")
    known = golden.read_text().split()
    faults += [f"{n} is in metrics.golden and no host shows it: names are a promise" for n in known if n not in names]
    faults += [f"{n} is not in metrics.golden: add it with --write" for n in names if n not in known]
    # Shown only where there is a database, a bundle, a budget.
    elsewhere = set(re.findall(r'"(corbel_[a-z0-9_]+)', "".join(p.read_text() for p in (root / "src").rglob("*.cpp"))))
    for file in (prometheus / "alerts.yml", root / "examples/deploy/grafana/corbel.json"):
        for used in sorted(set(re.findall(r"\b((?:corbel|process)_[a-z0-9_]+)", file.read_text()))):
            base = re.sub(r"_bucket$", "", used)
            if base not in names and base not in elsewhere:
                faults.append(f"{file.name}: no host shows {used}")
    for arguments in (["check", "rules", "alerts.yml"], ["check", "config", "prometheus.yml"], ["test", "rules", "alerts_test.yml"]):
        done = subprocess.run(["promtool", *arguments], cwd=prometheus, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if done.returncode != 0:
            faults.append(f"promtool {' '.join(arguments)}: {done.stdout}")
    print("\n".join(faults) or f"{len(names)} names, all known; rules and dashboard go by them")
    return bool(faults)


sys.exit(main())
