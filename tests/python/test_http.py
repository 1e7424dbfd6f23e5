"""The HTTP server and changes of health, in both faces."""

import asyncio
import json
import threading
import urllib.error
import urllib.request

import corbel
import corbel.blocking
import pytest
from corbel import HealthState


def fetch(port, path, body=None, headers=None):
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", data=body, headers=headers or {})
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, answer.read().decode(), answer.headers
    except urllib.error.HTTPError as problem:
        return problem.code, problem.read().decode(), problem.headers


def test_asyncio_server(run):
    async def main():
        loop = asyncio.get_running_loop()

        async def get(*arguments):
            return await loop.run_in_executor(None, fetch, *arguments)

        async with corbel.Runtime() as rt, rt.http() as server:
            assert (await get(server.port, "/readyz"))[:2] == (200, "ok")
            rt.health.set("disk", HealthState.DOWN, "full", required=True)
            status, text, _ = await get(server.port, "/readyz?verbose")
            assert status == 503 and "[-]disk down: full" in text
            assert json.loads((await get(server.port, "/health"))[1])["parts"]["disk"]["state"] == "down"
            assert "corbel_ready 0" in (await get(server.port, "/metrics"))[1]

            @server.route("GET", "/hello")
            async def hello(request):
                return {"hello": request.parameter("name"), "agent": request.header("x-mine")}

            @server.route("POST", "/echo/*")
            async def echo(request):
                return corbel.Response(request.body, 201, "text/x", {"X-Path": request.path})

            @server.route("GET", "/fails")
            async def fails(request):
                raise RuntimeError("inside")

            @server.route("GET", "/nothing")
            async def nothing(request):
                return None

            status, text, _ = await get(server.port, "/hello?name=you", None, {"X-Mine": "me"})
            assert status == 200 and json.loads(text) == {"hello": "you", "agent": "me"}
            status, text, headers = await get(server.port, "/echo/a%20b", b"body")
            assert (status, text, headers["X-Path"], headers["Content-Type"]) == (201, "body", "/echo/a b", "text/x")
            status, text, _ = await get(server.port, "/fails")
            assert status == 500 and "inside" not in text
            assert (await get(server.port, "/nothing"))[0] == 204
            with pytest.raises(corbel.Invalid, match="already"):
                server.route("GET", "/livez")(hello)
            server.route("GET", "/read")
            asked = asyncio.ensure_future(get(server.port, "/read"))
            request = await server.get(20)
            request.answer("by a reader")
            assert (await asked)[1] == "by a reader"
            assert await server.stop(5) == 0

    run(main())


def test_blocking_server():
    with corbel.blocking.Runtime() as rt, rt.http() as server:
        server.route("GET", "/hello")
        answers = []
        asker = threading.Thread(target=lambda: answers.append(fetch(server.port, "/hello?name=you")))
        asker.start()
        request = server.get(20)
        assert (request.method, request.path, request.parameter("name")) == ("GET", "/hello", "you")
        request.answer("hello you")
        with pytest.raises(corbel.State):
            request.answer("again")
        asker.join()
        assert answers[0][:2] == (200, "hello you")
        with pytest.raises(corbel.Timeout):
            server.get(0.01)

        @server.route("GET", "/handled")
        def handled(request):
            return {"by": "a function"}

        @server.route("GET", "/fails")
        def fails(request):
            raise RuntimeError("inside")

        serving = threading.Thread(target=server.run)
        serving.start()
        assert json.loads(fetch(server.port, "/handled")[1]) == {"by": "a function"}
        assert fetch(server.port, "/fails")[0] == 500
        assert server.stop(5) == 0
        server.close()
        serving.join(20)


def test_changes_of_health(run):
    async def main():
        async with corbel.Runtime() as rt:
            changes = rt.health_changes()
            rt.health.set("disk", HealthState.SATURATED, "8 of 8", required=True)
            first = await changes.get(20)
            assert (first.part, first.before, first.state, first.reason) == ("disk", "unknown", "saturated", "8 of 8")
            whole = await changes.get(20)
            assert whole.part is None and whole.ready and rt.health.ready and rt.health.alive
            rt.health.drain()
            assert not (await changes.get(20)).ready and not rt.health.ready
            rt.health.remove("disk")
            rt.health.watch_lag()
            await changes.close()

    run(main())
    with corbel.blocking.Runtime() as rt:
        changes = rt.health_changes()
        rt.health.set("disk", HealthState.DOWN, vital=True)
        assert changes.get(20).state == "down" and not rt.health.alive
        changes.close()


def test_traces_and_levels():
    parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    child = corbel.follow_trace(parent)
    assert child[:36] == parent[:36] and child != parent and len(child) == 55
    assert corbel.follow_trace()[:36] != parent[:36]
    with corbel.blocking.Runtime() as rt:
        rt.log_level("debug")
        rt.log_level("off", "redis")
        with pytest.raises(corbel.Invalid):
            rt.log_level("loud")
