#pragma once
/// A loader with a runner, and a handler in Python that does what its tasks say.

#include "json/document.hpp"
#include "live/bundle_fixture.hpp"

#include <corbel/bundle_runner.hpp>

#include <filesystem>
#include <map>
#include <optional>
#include <set>

namespace corbel::test {

using file_map = std::map<std::string, std::optional<std::string>>;

inline const file_map echo_py = {
    {"bundle.yaml", "command: [python3, main.py]\nlimits: {start: 60, stop: 2, line: 65536, output: 200000}\n"},
    {"version.txt", "1"},
    {"main.py", R"py(import json, os, resource, signal, subprocess, sys, threading, time

lock, crowd = threading.Lock(), [0]

def say(**line):
    with lock:
        print(json.dumps(line), flush=True)

def look():
    return dict(os.environ, uid=str(os.getuid()), groups=",".join(map(str, sorted(set(os.getgroups()) | {os.getgid()}))),
                is_leader=str(int(os.getpgrp() == os.getpid())), descriptors=str(len(os.listdir("/proc/self/fd")) - 1))

def work(id, kind, task):
    do = task.get("do") if isinstance(task, dict) else None
    if do == "crowd":
        with lock: crowd[0] += 1; n = crowd[0]
        time.sleep(task["seconds"])
        with lock: crowd[0] -= 1
        return say(id=id, result={"pid": str(os.getpid()), "crowd": str(n)})
    if do == "look": return say(id=id, result=look())
    if do == "limits":
        return say(id=id, result={n: resource.getrlimit(getattr(resource, "RLIMIT_" + n))[1] for n in task["names"].split()})
    if do == "allocate":
        try: return say(id=id, result={"error": "", "size": len(bytearray(task["bytes"]))})
        except MemoryError: return say(id=id, result={"error": "MemoryError"})
    if do == "spin":
        while True: pass
    if do == "spend": return say(id=id, economics={"tokens": 3}), say(id=id, event=1, economics={"tokens": 4}), \
        say(id=id, error={"message": "spent"}, economics={"tokens": 5})
    if do == "fail": return say(id=id, error={"message": "as asked", "class": "ValueError", "retry": True})
    if do == "version": return say(id=id, result={"version": open("version.txt").read(), "pid": str(os.getpid())})
    if do == "exit": print("going down", file=sys.stderr, flush=True); os._exit(task.get("status", 3))
    if do == "signal": os.kill(os.getpid(), task["signal"])
    if do == "hang": return time.sleep(3600)
    if do == "nonsense": sys.stdout.write("hello\n"); return sys.stdout.flush()
    if do == "half": sys.stdout.write('{"id": %d, "res' % id); sys.stdout.flush(); os._exit(0)
    if do == "stranger": return say(id=id + 1000, result=1)
    if do == "long": return say(id=id, result="x" * 100000)
    if do == "flood":
        while True: say(id=id, event="x" * 1000)
    if do == "child":
        pids = [subprocess.Popen(["sleep", "3600"]).pid, subprocess.Popen(["sleep", "3600"], start_new_session=True).pid]
        return say(id=id, result={"pids": pids, "self": os.getpid()})
    for step in (1, 2): say(id=id, event={"step": step})
    say(id=id, result={"kind": kind, "task": task})

say(ready=True)
for line in sys.stdin:
    request = json.loads(line)
    if "id" in request:
        threading.Thread(target=work, args=(request["id"], request["kind"], request["task"]), daemon=True).start()
)py"}};

/// A text or number of a JSON object.
inline std::string field(const std::string &json, const std::string &name) {
  auto document = json_document::parse(json);
  REQUIRE(document);
  auto value = document->root().object().value().find(name);
  if (!value) return "";
  auto text = value->text();
  return text ? std::string(*text) : std::to_string(value->integer().value());
}

struct runner_fixture : bundle_fixture {
  bundle_runner runner{loader, {}};

  runner_fixture() {
    // The handlers run as somebody else.
    std::filesystem::permissions(place.path(), std::filesystem::perms(0755));
  }
  std::string push(const file_map &files) {
    repo.commit(files);
    return load(source()).commit();
  }
  std::future<result<bundle_answer>> start(const std::string &task, std::vector<std::string> *events = nullptr,
                                           call c = {}) {
    bundle_runner::event_function tell;
    if (events) tell = [events](const std::string &e) { events->push_back(e); };
    return runner.async_run({.bundle = "app", .task = task}, tell, c, boost::asio::use_future);
  }
  result<bundle_answer> run(const std::string &task, std::vector<std::string> *events = nullptr, call c = {}) {
    return now(start(task, events, c));
  }
  bundle_runner_status status() {
    for (auto &s : runner.status())
      if (s.id == "app") return s;
    FAIL("it was not run yet");
    return {};
  }
};

}  // namespace corbel::test
