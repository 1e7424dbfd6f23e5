#!/usr/bin/env python3
"""What operators are given: promtool accepts the text of running hosts, the names are those of metrics.golden, every name of
the alert rules and of the dashboard is a name of a host, and the rules do what their own tests say.

Usage: metrics.py <build folder> [--write]     --write: takes the names of now into metrics.golden"""
import http.client
import http.server
import json
import os
import pathlib
import re
import subprocess
import sys
import threading
import time
import urllib.request

root = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(root / "tests" / "lessons"))
from private_redis import PrivateRedis  # noqa: E402
from running_hosts import await_host, fetch, free_port  # noqa: E402

golden = pathlib.Path(__file__).with_name("metrics.golden")
prometheus = root / "examples" / "deploy" / "prometheus"


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


class Collector(http.server.BaseHTTPRequestHandler):
    """Takes what is sent over OTLP; refuses the first try, as a collector that starts does."""

    bodies, refused = [], 0

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if not Collector.refused:
            Collector.refused = 1
            self.send_error(503)
            return
        Collector.bodies.append((self.path, self.headers["Content-Type"], json.loads(body)))
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_):
        pass


def export(build, redis):
    """What is wrong with the export to a collector."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Collector)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    environment = dict(os.environ, REDIS_URL=redis.url, OTEL_METRIC_EXPORT_INTERVAL="50",
                       OTEL_EXPORTER_OTLP_ENDPOINT=f"http://localhost:{server.server_port}")
    port = free_port()
    process = subprocess.Popen([f"{build}/examples/hosts/corbel-ingress", "--address", "127.0.0.1", "--port", str(port), "--log-level", "off"],
                               env=environment)
    try:
        until = time.monotonic() + 20
        while len(Collector.bodies) < 3 and time.monotonic() < until:
            time.sleep(0.02)
    finally:
        process.terminate()
        process.wait(60)
        server.shutdown()
    if len(Collector.bodies) < 3:
        return ["the collector was sent nothing"]
    path, kind, body = Collector.bodies[-1]
    resource = body["resourceMetrics"][0]
    metrics = {m["name"]: m for m in resource["scopeMetrics"][0]["metrics"]}
    attributes = {a["key"]: a["value"]["stringValue"] for a in resource["resource"]["attributes"]}
    good = (path == "/v1/metrics" and kind == "application/json" and attributes["service.name"] == "ingress"
            and metrics["corbel_otlp_posts_failed_total"]["sum"]["dataPoints"][0]["asDouble"] >= 1
            and "histogram" in metrics["corbel_runtime_lag_seconds"] and "gauge" in metrics["corbel_ready"])
    return [] if good else [f"a wrong export: {path} {kind} {body}"]


def deaf_log(build, redis):
    """What is wrong when nobody reads a host's log."""
    port = free_port()
    process = subprocess.Popen([f"{build}/examples/hosts/corbel-metrics", "--address", "127.0.0.1", "--port", str(port)],
                               env=dict(os.environ, REDIS_URL=redis.url), stdout=subprocess.PIPE)
    try:
        await_host(process, port)
        client = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        for n in range(12000):
            client.request("POST", "/api/events/client", json.dumps({"event_type": "log", "message": f"{n} " + "x" * 100}))
            client.getresponse().read()
        dropped = float(re.search(r"^corbel_log_dropped_total (\S+)$", fetch(port, "/metrics"), re.M).group(1))
        alive = fetch(port, "/livez")
    finally:
        process.kill()
        process.wait(60)
        process.stdout.close()
    return [] if dropped > 0 and alive == "ok" else [f"nobody reads the log: {dropped} lines dropped, /livez says {alive}"]


def main():
    build, faults = sys.argv[1], []
    with PrivateRedis() as redis:
        texts = scrape(build, redis)
        faults += export(build, redis) + deaf_log(build, redis)
    for name, text in texts.items():
        checked = subprocess.run(["promtool", "check", "metrics"], input=text, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        # What the platform calls its gauges is not ours to change.
        said = [line for line in checked.stdout.splitlines() if line.strip() and not line.startswith("kdcube_")]
        if said:
            faults.append(f"promtool check metrics of {name}: {said}")
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
