"""The blocking face: the same behaviour, for threads."""

import os
import signal
import threading
import time

import corbel
import pytest
from conftest import until
from corbel import RedisState
from corbel.blocking import Runtime

# Changes are coalesced to the latest, so a reader may see the first try and not the loss before it.
LOST = (RedisState.DOWN, RedisState.RECONNECTING)


@pytest.fixture
def r(server):
    with Runtime() as rt, rt.redis(server.url) as pool:
        yield pool


class Worker(threading.Thread):
    """A thread whose result or exception is asked for by end()."""

    def __init__(self, function, *arguments):
        super().__init__(daemon=True)
        self._work = lambda: function(*arguments)
        self._result, self._problem = None, None
        self.start()

    def run(self):
        try:
            self._result = self._work()
        except BaseException as problem:
            self._problem = problem

    def end(self):
        self.join(20)
        assert not self.is_alive()
        if self._problem is not None:
            raise self._problem
        return self._result


def test_commands_and_scripts(r, key):
    assert r.execute("SET", key, b"\0\xff") == b"OK"
    assert r.execute("GET", key) == b"\0\xff"
    assert r.execute("GET", key + "none") is None
    assert r.execute("RPUSH", key + "l", *range(3000)) == 3000
    assert r.execute("LRANGE", key + "l", 0, -1, decode=True) == [str(number) for number in range(3000)]
    assert r.eval("return {KEYS[1], ARGV[1]}", [key], [2.5]) == [key.encode(), b"2.5"]
    with pytest.raises(corbel.Refused) as caught:
        r.execute("LPUSH", key, 1)
    assert caught.value.native == "WRONGTYPE"
    with pytest.raises(corbel.Invalid):
        r.execute("BLPOP", key, 0)


def test_threads_share_nothing(r):
    def call(number):
        for turn in range(50):
            text = b"%d:%d" % (number, turn)
            assert r.execute("ECHO", text) == text

    workers = [Worker(call, number) for number in range(32)]
    for worker in workers:
        worker.end()
    assert r.stats().commands >= 1600 and r.stats().pipelines == 1


def test_leases(server, key):
    with Runtime() as rt, rt.redis(server.url, max_size=2) as r:
        with r.lease() as k:
            k.execute("WATCH", key)
            k.execute("MULTI")
            k.execute("SET", key, "x")
            assert k.execute("EXEC") == [b"OK"]
            with pytest.raises(corbel.Busy):
                r.lease(timeout=0.05)
        with pytest.raises(corbel.Closed):
            k.execute("PING")
        k = r.lease(decode=True)
        assert k.execute("GET", key) == "x"
        k.release()


def test_a_time_out(own_server):
    with Runtime(log_level="off") as rt, rt.redis(own_server.url) as r:
        r.execute("PING")
        own_server.signal(signal.SIGSTOP)
        with pytest.raises(TimeoutError) as caught:
            r.execute("INCR", "k", timeout=0.1)
        assert caught.value.maybe_applied
        own_server.signal(signal.SIGCONT)
        assert r.execute("PING") == b"PONG"


def test_subscriptions(r, key):
    with r.subscribe(key, patterns=[key + ":*"]) as sub:
        r.execute("PUBLISH", key, "one")
        r.execute("PUBLISH", key + ":a", "two")
        one, two = sub.get(5), sub.get(5)
        assert one[:4] == ("message", key.encode(), b"one", None)
        assert two[1:4] == ((key + ":a").encode(), b"two", (key + ":*").encode())
        sub.add(key + "more")
        sub.remove(key)
        assert r.execute("PUBLISH", key, "nobody") == 0
        r.execute("PUBLISH", key + "more", "three")
        assert sub.get(5).payload == b"three"
        with pytest.raises(corbel.Timeout):
            sub.get(0.02)
    assert r.execute("PUBLISH", key + "more", "nobody") == 0


def collect(source, seen=None):
    for notice in source:
        if seen is not None:
            seen.append(notice)


def test_closing_in_another_thread_ends_iterations(r, key):
    sub, monitor, consumer = r.subscribe(key), r.monitor(), r.consumer(key)
    notes = []
    readers = [Worker(collect, sub, notes) for _ in range(3)]
    readers += [Worker(collect, source) for source in (monitor, monitor, consumer, consumer)]
    until(lambda: r.execute("PUBLISH", key, "x") == 1, "the subscription is up")
    until(lambda: notes, "the notice came")
    sub.close()
    monitor.close()
    consumer.drain()
    for reader in readers:
        reader.end()
    assert [note.payload for note in notes] == [b"x"]
    consumer.close()


def test_closing_the_pool_ends_iterations(server, key):
    with Runtime() as rt:
        r = rt.redis(server.url)
        sub, monitor = r.subscribe(key), r.monitor()
        readers = [Worker(collect, sub), Worker(collect, monitor)]
        until(lambda: r.execute("PUBLISH", key, "x") == 1, "the subscription is up")
        r.close()
        for reader in readers:
            reader.end()
        reader = Worker(collect, rt.redis(server.url).monitor())
    reader.end()


def test_over_a_restart_of_the_server(own_server):
    with Runtime(log_level="off") as rt, rt.redis(own_server.url) as r, r.subscribe("news") as sub, r.monitor() as monitor:
        until(lambda: monitor.state is RedisState.UP, "it is up")
        told, changes = [], []
        reader = Worker(collect, monitor, changes)
        monitor.listen(lambda change: told.append((change.state, threading.current_thread().name)))
        gone = monitor.listen(lambda change: None)
        assert monitor.unlisten(gone) and not monitor.unlisten(gone)
        until(lambda: told, "a listener is told the present state at once")
        own_server.stop()
        assert sub.get(10).kind == "gap"
        until(lambda: told[-1][0] in LOST, "the listener is told")
        own_server.start()
        assert sub.get(10).kind == "resubscribed"
        r.execute("PUBLISH", "news", "after")
        assert sub.get(5).payload == b"after"
        until(lambda: told[-1][0] is RedisState.RESUBSCRIBED, "the listener is told")
        assert {name for _, name in told} == {"corbel-monitor"}
        # Listeners and readers are told on ways of their own.
        until(lambda: changes and changes[-1].state is RedisState.RESUBSCRIBED, "the reader is told")
        monitor.close()
        reader.end()
        states = [change.state for change in changes]
        lost = max(index for index, state in enumerate(states) if state in LOST)
        assert RedisState.RESUBSCRIBED in states[lost:]


def test_the_queue(r, key):
    with r.producer(key) as producer:
        assert producer.put("one", id="first") == corbel.Receipt(1, ("first",), ())
        assert producer.put_many(["two", corbel.Item(b"three", "third")]).depth == 3
        assert producer.depth() == 3
        with r.consumer(key) as consumer:
            message = consumer.get(5)
            assert (message.body, message.id, message.attempt) == (b"one", "first", 1)
            assert message.retry("again", delay=0)
            message = consumer.get(5)
            assert (message.id, message.attempt) == ("first", 2)
            assert message.hand_back()
            message = consumer.get(5)
            assert message.done() is True
            with pytest.raises(corbel.State):
                message.done()
            with consumer.get(5) as message:
                assert message.body == b"two"
            with consumer.get(5) as message:
                raise corbel.Retry(delay=0)
            with consumer.get(5) as message:
                assert (message.body, message.attempt) == (b"three", 2)
            with pytest.raises(corbel.Timeout):
                consumer.get(0.02)
        assert producer.depth() == 0


def test_workers(r, key):
    producer, done = r.producer(key), []
    with r.consumer(key, concurrency=4, prefetch=4) as consumer:

        def work():
            for message in consumer:
                with message:
                    done.append(int(message.body))

        workers = [Worker(work) for _ in range(4)]
        for number in range(100):
            producer.put(str(number))
        until(lambda: len(done) >= 100, "everything was worked")
        assert consumer.drain() == 0
        for worker in workers:
            worker.end()
    assert sorted(done) == list(range(100))


def test_draining_hands_back_what_nobody_got(r, key):
    producer = r.producer(key)
    producer.put_many([str(number) for number in range(20)])
    consumer = r.consumer(key, concurrency=4, prefetch=4)
    held = consumer.get(5)
    until(lambda: producer.depth() <= 12, "more were claimed")
    assert consumer.drain(0.2) == 1
    assert producer.depth() == 20
    assert held.lost and held.wait_lost() and held.done() is False
    consumer.close()


class Interrupted(Exception):
    pass


@pytest.fixture
def alarm():
    """Has SIGALRM raise Interrupted in the main thread."""

    def handler(*_):
        raise Interrupted

    before = signal.signal(signal.SIGALRM, handler)
    yield lambda: signal.setitimer(signal.ITIMER_REAL, 0.05)
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)


def test_signals_end_waits(own_server, alarm):
    with Runtime(log_level="off") as rt, rt.redis(own_server.url) as r, r.monitor() as monitor:
        r.execute("PING")
        own_server.signal(signal.SIGSTOP)
        alarm()
        with pytest.raises(Interrupted):
            r.execute("INCR", "k", timeout=60)
        own_server.signal(signal.SIGCONT)
        assert r.execute("ECHO", "mine") == b"mine"  # and not the late event of the call before
        alarm()
        with pytest.raises(Interrupted):
            while True:
                monitor.get()


def test_a_signals_handler_may_call(server, r):
    """Commands of a handler that runs in the middle of commands of the same thread do not mix with them."""
    answers = []

    def handler(*_):
        answers.append(r.execute("ECHO", "handler"))
        signal.setitimer(signal.ITIMER_REAL, 0.0005)  # not before: handlers are not to pile up

    before = signal.signal(signal.SIGALRM, handler)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.0005)
        end = time.monotonic() + 20
        while len(answers) < 100:
            assert time.monotonic() < end
            assert r.execute("ECHO", "main") == b"main"
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert set(answers) == {b"handler"}


def test_shutting_down_under_way(own_server):
    rt = Runtime(log_level="off")
    r = rt.redis(own_server.url)
    r.execute("PING")
    own_server.signal(signal.SIGSTOP)
    workers = [Worker(r.execute, "GET", "k") for _ in range(8)]
    until(lambda: r.stats().unanswered >= 8, "they wait")
    with pytest.raises(corbel.Timeout):
        rt.shutdown(0.05)
    for worker in workers:
        with pytest.raises(corbel.Cancelled):
            worker.end()
    with pytest.raises(corbel.Closed):
        r.execute("PING")


def test_threads_leave_nothing_behind(r):
    """A thread's queue goes with the thread."""

    def descriptors():
        return len(os.listdir("/proc/self/fd"))

    Worker(r.execute, "PING").end()
    before = descriptors()
    for _ in range(50):
        Worker(r.execute, "PING").end()
    assert descriptors() <= before
