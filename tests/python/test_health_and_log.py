"""The health table, and the library's log lines in ``logging``."""

import logging
import threading

import corbel
import corbel.blocking
from conftest import until, until_async
from corbel import HealthState


def test_health_table(run, server):
    async def main():
        async with corbel.Runtime() as rt, rt.redis(server.url, kind="main") as r:
            await r.execute("PING")
            await until_async(lambda: rt.health.state("redis:main") is HealthState.OK, "the pool reports itself")
            assert rt.health.state("nobody") is HealthState.UNKNOWN
            rt.health.set("disk", HealthState.OK, required=True)
            assert rt.health.state() is HealthState.OK
            rt.health.set("disk", HealthState.DOWN, "full: 0 bytes left", required=True)
            assert rt.health.state() is HealthState.DOWN
            report = rt.health.report()
            assert report["state"] == "down" and "full" in report["because"]
            assert report["parts"]["disk"]["required"] is True and report["parts"]["redis:main"]["state"] == "ok"
            rt.health.set("disk", HealthState.DOWN, required=False)
            assert rt.health.state() is HealthState.DEGRADED

    run(main())


def test_a_report_that_ages():
    with corbel.blocking.Runtime() as rt:
        rt.health.set("clock", HealthState.OK, fresh_for=0.05)
        until(lambda: rt.health.state("clock") is not HealthState.OK, "the report is too old")


def test_log_lines_come_to_logging(run, own_server, caplog):
    caplog.set_level(logging.DEBUG, "corbel")

    async def main():
        loop_thread = threading.get_ident()
        async with corbel.Runtime(log_level="debug") as rt, rt.redis(own_server.url) as r:
            await r.execute("PING")
            rt.log("warning", "mine", "three words here", count=3)
            await until_async(lambda: any(record.name == "corbel.mine" for record in caplog.records), "the line came")
            own_server.stop()
            await until_async(lambda: any("redis" in record.name for record in caplog.records), "the pool says something")
        assert {record.thread for record in caplog.records if record.name.startswith("corbel")} == {loop_thread}

    run(main())
    line = next(record for record in caplog.records if record.name == "corbel.mine")
    assert line.levelno == logging.WARNING and "three words here" in line.getMessage()


def test_log_lines_of_the_blocking_face(caplog):
    caplog.set_level(logging.INFO, "corbel")
    with corbel.blocking.Runtime(log_level="info") as rt:
        rt.log("debug", "mine", "too quiet")
        rt.log("error", "mine", "loud")
        until(lambda: any(record.getMessage().startswith("loud") for record in caplog.records), "the line came")
    assert not any("too quiet" in record.getMessage() for record in caplog.records)


def test_json_lines_on_standard_output(capfd):
    import json

    with corbel.blocking.Runtime(name="texts", log_level="info", log_stdout=True) as rt:
        rt.log("info", "mine", "a line", size=b"12")
    lines = [json.loads(line) for line in capfd.readouterr().out.splitlines()]
    mine = next(line for line in lines if line["part"] == "mine")
    assert (mine["text"], mine["level"], mine["name"], mine["size"]) == ("a line", "info", "texts", "12")
