"""Metrics of the host's own."""

import math

import corbel
import corbel.blocking
import pytest


def shown(rt, begin):
    return [line for line in rt.metrics().splitlines() if line.startswith(begin)]


def test_counter_gauge_histogram():
    with corbel.blocking.Runtime(log_level="off") as rt:
        weekly = rt.counter("mails_sent_total", "Mails taken by a server.", labels={"list": "weekly"})
        weekly.add()
        weekly.add(2)
        rt.counter("mails_sent_total", labels={"list": "weekly"}).add()
        rt.gauge("waiting").set(5)
        rt.gauge("waiting").add(-1.5)
        took = rt.histogram("took_seconds", bounds=[0.1, 1])
        for seconds in (0.05, 0.1, 0.5, 7):
            took.record(seconds)
        assert shown(rt, "mails") == ['mails_sent_total{list="weekly"} 4']
        assert "# HELP mails_sent_total Mails taken by a server." in rt.metrics()
        assert shown(rt, "waiting") == ["waiting 3.5"]
        assert shown(rt, "took_seconds_bucket") == [
            'took_seconds_bucket{le="0.1"} 2',
            'took_seconds_bucket{le="1"} 3',
            'took_seconds_bucket{le="+Inf"} 4',
        ]


def test_labels_are_bounded():
    with corbel.blocking.Runtime(log_level="off") as rt:
        for n in range(20):
            rt.counter("visits_total", labels={"user": f"u{n}"}, max_series=5).add()
        assert len(shown(rt, "visits_total")) == 6
        assert shown(rt, 'visits_total{user="other"}') == ['visits_total{user="other"} 15']


def test_what_is_refused(run):
    async def main():
        async with corbel.Runtime(log_level="off") as rt:
            visits = rt.counter("visits_total")
            for wrong in (lambda: visits.add(-1), lambda: visits.add(math.nan), lambda: rt.histogram("h").record(math.nan)):
                with pytest.raises(corbel.Invalid):
                    wrong()
            with pytest.raises(corbel.Invalid, match="is a counter already, no gauge"):
                rt.gauge("visits_total")
            with pytest.raises(corbel.Invalid, match="is no name of a metric"):
                rt.counter("two words")
            with pytest.raises(corbel.Invalid, match="holds a NUL"):
                rt.counter("nul\0")
            assert shown(rt, "visits_total") == ["visits_total 0"]
        visits.add()  # a metric outlives its runtime, and frees what is left of it

    run(main())
