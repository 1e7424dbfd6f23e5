"""What a process tells the fleet, and what it hears of messages that are not worked, in both faces."""

import json
import os
import signal
import subprocess
import sys
import time

import corbel
import corbel.blocking
import pytest
from conftest import until, until_async

SCOPE = "acme:main:"
INDEX = SCOPE + "kdcube:system:capacity:process-index:chat:proc"
WAKE_UP = json.dumps(
    {
        "kind": "external_event_lane_wakeup",
        "meta": {"task_id": "w1", "created_at": 1760000000.25},
        "routing": {"bundle_id": "b", "session_id": "s", "conversation_id": "talk", "turn_id": "turn"},
        "actor": {"tenant_id": "acme", "project_id": "main"},
        "user": {"user_type": "registered", "user_id": "u"},
        "event_lane": {"tenant": "acme", "project": "main", "user_id": "u", "conversation_id": "talk",
                       "agent_id": "default.react.agent", "event_id": "e1", "sequence": 1},
    }
)  # fmt: skip
WORKED = json.dumps({"message_id": "e1", "event_id": "e1", "sequence": 1, "payload": {}, "consumed_at": 1769854830.5})
# Takes one message and says so; its process is killed then.
WORKER = """
import sys, time, corbel.blocking
with corbel.blocking.Runtime() as rt, rt.redis(sys.argv[1]) as r:
    message = r.consumer(sys.argv[2], lease=1, crashed="interrupt").get(20)
    print(message.id, flush=True)
    time.sleep(60)
"""


def beat(server):
    """The heartbeat as the platform reads it."""
    with corbel.blocking.Runtime() as rt, rt.redis(server.url) as r:
        text = r.execute("GET", f"{SCOPE}kdcube:heartbeat:process:me:chat:proc:{os.getpid()}")
        return json.loads(text) if text else {}


def listed(server):
    with corbel.blocking.Runtime() as rt, rt.redis(server.url) as r:
        return r.execute("ZCARD", INDEX)


def test_a_heartbeat(run, own_server):
    async def main():
        async with corbel.Runtime() as rt, rt.redis(own_server.url) as r:
            async with r.heartbeat(tenant="acme", project="main", instance="me", capacity=8, port=8020) as told:
                await until_async(lambda: beat(own_server).get("max_capacity") == 8, "the first beat")
                told.load(3)
                told.metadata({"zone": "b"})
                told.capacity(5)
                await until_async(lambda: beat(own_server).get("max_capacity") == 5, "another capacity")
                assert beat(own_server)["current_load"] == 3 and beat(own_server)["metadata"]["zone"] == "b"
                assert listed(own_server) == 1
                await told.drain(5)
                assert listed(own_server) == 0
                with pytest.raises(corbel.Invalid, match="capacity is 0"):
                    told.capacity(0)
            with pytest.raises(corbel.Closed):
                told.load(1)
            with pytest.raises(corbel.Invalid, match="65536"):
                r.heartbeat(port=65536)

    run(main())


def test_a_heartbeat_in_the_blocking_face(own_server):
    with corbel.blocking.Runtime() as rt, rt.redis(own_server.url) as r:
        with r.heartbeat(tenant="acme", project="main", instance="me", capacity=8) as told:
            until(lambda: beat(own_server).get("max_capacity") == 8, "the first beat")
            told.capacity(5)
            until(lambda: beat(own_server).get("max_capacity") == 5, "another capacity")
            told.drain(5)
            assert listed(own_server) == 0
        with pytest.raises(corbel.Closed):
            told.load(1)


def killed_worker(server, key):
    """A process that dies with the only message of the queue in hand."""
    with subprocess.Popen([sys.executable, "-c", WORKER, server.url, key], stdout=subprocess.PIPE) as worker:
        assert worker.stdout is not None and worker.stdout.readline() == b"m1\n"
        worker.send_signal(signal.SIGKILL)


def test_what_was_interrupted_is_told(run, server, key):
    async def main():
        heard = []
        async with corbel.Runtime() as rt, rt.redis(server.url) as r, r.producer(key) as producer:
            await producer.put("body", id="m1")
            killed_worker(server, key)
            async with r.consumer(key, lease=1, crashed="interrupt", unworked=heard.append):
                await until_async(lambda: heard, "the message of the dead worker")
        assert heard == [corbel.Unworked("m1", b"body", "interrupted", "")]

    run(main())


def test_what_was_interrupted_is_told_in_the_blocking_face(server, key):
    heard = []
    with corbel.blocking.Runtime() as rt, rt.redis(server.url) as r, r.producer(key) as producer:
        producer.put("body", id="m1")
        killed_worker(server, key)
        with r.consumer(key, lease=1, crashed="interrupt", unworked=heard.append) as consumer:
            end = time.monotonic() + 20
            while not heard and time.monotonic() < end:
                with pytest.raises(corbel.Timeout):
                    consumer.get(0.2)
    assert heard == [corbel.Unworked("m1", b"body", "interrupted", "")]


def test_an_event_of_a_lane_and_its_wake_up_that_is_ignored(run, own_server, caplog):
    async def main():
        heard = []

        def listener(message):
            heard.append(message)
            raise ValueError("no use")

        queue = corbel.Queue(layout="platform", tenant="acme", project="main")
        async with corbel.Runtime() as rt, rt.redis(own_server.url) as r, r.producer(queue) as producer:
            events = corbel.LaneEvents("talk", [("e1", WORKED)], user="u")
            await producer.put_many([corbel.Item(WAKE_UP, events=events)])
            async with r.consumer(queue, unworked=listener):
                await until_async(lambda: heard, "the wake-up")
        assert heard == [corbel.Unworked("w1", WAKE_UP.encode(), "ignored", "event_already_consumed")]

    run(main())
    assert "no use" in caplog.text
