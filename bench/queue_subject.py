"""The subject queue: at-least-once queues on one Redis server, beside job queues of npm and Debian and plain hiredis loops."""
from typing import Callable, Dict, List, Optional

from programs import Programs
from queue_peers import NodePeers, fresh, python_peer
from redis_server import RedisServer
from rows import Measured, Peer, Row, alternate, compare, not_measured

IN_FLIGHT, SIZE = 64, 1024
# Messages to work, a second: more than each can do. Where they end before the time does, so does the measured time.
ENOUGH = {"corbel": 300_000, "loop": 400_000, "bullmq": 40_000, "bee_queue": 45_000, "python": 50_000, "celery": 2_500, "rq": 1_200}
READY = (1, 1_000, 1_000_000)


def of(results: List[Measured], what: str = "ops_per_s") -> List[float]:
    return [r[what] for r in results]


def enough(who: str, seconds: float) -> int:
    return int(ENOUGH[who] * (seconds + 0.5)) // 1000 * 1000


class Rounds:
    """Programs that take turns on one server, emptied before each of them."""

    def __init__(self, server: RedisServer, node: NodePeers, seconds: float) -> None:
        self.server, self.node, self.seconds = server, node, seconds
        self.programs: Dict[str, Callable[[], Measured]] = {}

    def add(self, name: str, program: Callable[[], Measured]) -> None:
        self.programs[name] = fresh(self.server, program)

    def add_node(self, how: str, **options: int) -> None:
        if self.node.why_not:
            return
        for name in ("bullmq", "bee_queue"):
            more = {"messages": enough(name, self.seconds)} if how == "work" else options
            program = self.node.program(name, how, self.server.port, self.seconds, in_flight=IN_FLIGHT, size=SIZE, **more)
            self.add(name if how != "bulk" else name + " bulk", program)

    def run(self, rounds: int) -> Dict[str, List[Measured]]:
        return alternate(rounds, self.programs)

    def beside_node(self, name: str, got: Dict[str, List[Measured]], what: str = "ops_per_s", corbel: str = "corbel",
                    bullmq: Optional[float] = None, bee_queue: Optional[float] = None, bulk: str = "") -> List[Row]:
        rows = []
        for of_peer, floor in (("bullmq", bullmq), ("bee_queue", bee_queue)):
            rule = "ratio at least" if floor else "information"
            peer = self.node.peer(of_peer, bulk)
            mine = of(got[corbel], what)
            if self.node.why_not:
                rows.append(not_measured(name, mine, peer, self.node.why_not, rule, floor))
            else:
                theirs = got[of_peer + " bulk" if bulk else of_peer]
                rows.append(compare(name, mine, of(theirs, what), peer, rule, floor))
        return rows


def puts(p: Programs, r: Rounds, rounds: int, loop: str) -> List[Row]:
    port = r.server.port
    r.add("admission", p.client("bench_queue_put", port, callers=IN_FLIGHT, size=SIZE, admission=1))
    r.add("plain", p.client("bench_queue_put", port, callers=IN_FLIGHT, size=SIZE))
    r.add("script", p.client("peer_hiredis_put", port, how="script", in_flight=IN_FLIGHT, size=SIZE))
    r.add("lpush", p.client("peer_hiredis_put", port, how="lpush", in_flight=IN_FLIGHT, size=SIZE))
    r.add_node("put")
    r.add_node("bulk")
    got = r.run(rounds)
    rows = []
    for corbel, name, floors, beside, shown in (
        ("admission", "put with admission, 64 callers [1/s]", dict(bullmq=4.0, bee_queue=2.0), "script",
         "hiredis loop, a script call each"),
        ("plain", "put without admission, 64 callers [1/s]", dict(bullmq=10.0, bee_queue=5.0), "lpush",
         "hiredis loop, LPUSH"),
    ):
        rows += r.beside_node(name, got, corbel=corbel, **floors)
        rows += r.beside_node(name, got, corbel=corbel, bulk=", 64 in each call")
        rows.append(compare(name, of(got[corbel]), of(got[beside]), Peer(shown, loop)))
        rows.append(compare("... client CPU per put [us]", of(got[corbel], "cpu_us_per_op"), of(got[beside], "cpu_us_per_op"),
                            Peer(shown, loop)))
    return rows


def work(p: Programs, r: Rounds, rounds: int, loop: str) -> List[Row]:
    port = r.server.port
    r.add("corbel", p.client("bench_queue_work", port, concurrency=IN_FLIGHT, size=SIZE, messages=enough("corbel", p.seconds)))
    r.add("loop", p.client("peer_hiredis_work", port, in_flight=IN_FLIGHT, size=SIZE, messages=enough("loop", p.seconds)))
    r.add_node("work")
    got = r.run(rounds)
    name, peer = "claim, a no-op, acknowledge, 64 at a time [1/s]", Peer("hiredis loop, LMOVE and LREM, no lease", loop)
    return [
        *r.beside_node(name, got, bullmq=7.0, bee_queue=6.0),
        compare(name, of(got["corbel"]), of(got["loop"]), peer),
        compare("... client CPU per message [us]", of(got["corbel"], "cpu_us_per_op"), of(got["loop"], "cpu_us_per_op"), peer),
    ]


def both(p: Programs, r: Rounds, rounds: int) -> List[Row]:
    r.add("corbel", p.client("bench_queue_both", r.server.port, in_flight=IN_FLIGHT, size=SIZE))
    r.add_node("both")
    return r.beside_node("both at once, 64 callers and 64 handlers [1/s]", r.run(rounds), bullmq=6.0, bee_queue=3.5)


def latency(p: Programs, r: Rounds, rounds: int, loop: str) -> List[Row]:
    r.add("corbel", p.client("bench_queue_latency", r.server.port, size=SIZE))
    r.add("loop", p.client("peer_hiredis_latency", r.server.port, size=SIZE))
    r.add_node("latency")
    got = r.run(rounds)
    rows, peer = [], Peer("hiredis loop, BLMOVE", loop)
    for what, floor in (("p50", 1.5), ("p99", 2.0)):
        name, key = f"put to handler at 200 a second, {what} [ms]", what + "_ms"
        rows.append(compare(name, of(got["corbel"], key), of(got["loop"], key), peer, "ratio at most", floor))
        rows += r.beside_node(name, got, key)
    return rows


def in_python(p: Programs, r: Rounds, rounds: int) -> List[Row]:
    port = r.server.port
    messages = str(enough("python", p.seconds))
    r.add("corbel", p.python("python_queue.py", port, "--tasks", str(IN_FLIGHT), "--size", str(SIZE), "--messages", messages))
    peers = {"celery": (*python_peer("Celery", "celery", "celery_tasks.py"), 20.0),
             "rq": (*python_peer("rq SimpleWorker", "rq", "rq_jobs.py"), 40.0)}
    for name, script in (("celery", "peers/celery_tasks.py"), ("rq", "peers/rq_jobs.py")):
        if not peers[name][1]:
            r.add(name, p.python(script, port, "--size", str(SIZE), "--messages", str(enough(name, p.seconds))))
    got = r.run(rounds)
    name, rows = "a no-op and acknowledge, Python asyncio, 64 tasks [1/s]", []
    for key, (peer, why_not, floor) in peers.items():
        if why_not:
            rows.append(not_measured(name, of(got["corbel"]), peer, why_not, "ratio at least", floor))
        else:
            rows.append(compare(name, of(got["corbel"]), of(got[key]), peer, "ratio at least", floor))
    return rows


def growth(p: Programs, server: RedisServer, rounds: int) -> List[Row]:
    """Nothing is emptied between the rounds: what a program leaves ready is what the next round of it needs."""

    def program(name: str, **options: int) -> Callable[[], Measured]:
        return p.client("bench_queue_turnover", server.port, queue="bench:" + name, size=SIZE, **options)

    server.answer("FLUSHALL")
    turns = {f"{ready:,}": program(str(ready), ready=ready, held=IN_FLIGHT, callers=IN_FLIGHT) for ready in READY}
    turns["10 held"] = program("held10", ready=1_000, held=10, callers=10)
    turns["10,000 held"] = program("held10000", ready=1_000, held=10_000, callers=10)
    for ready in READY:  # puts what is missing, which takes its time with a million
        turns[f"{ready:,}"]()
    got = alternate(rounds, turns)
    best = [max(of_round) for of_round in zip(*(of(got[f"{ready:,}"]) for ready in READY))]
    rows = [compare(f"claim, acknowledge and put beside {ready:,} ready [1/s]", of(got[f"{ready:,}"]), best,
                    Peer("Corbel, the best of the three"), "ratio at least", 0.8) for ready in READY]
    each = {held: [1e6 / ops for ops in of(got[held])] for held in ("10 held", "10,000 held")}
    rows.append(compare("time per message with 10,000 in flight, random order [us]", each["10,000 held"], each["10 held"],
                        Peer("Corbel, 10 in flight"), "ratio at most", 2.0))
    return rows


def queue(p: Programs, rounds: int) -> List[Row]:
    loop = p.hiredis()
    node = NodePeers()
    longer = Programs(p.build, 2 * p.seconds)  # 200 a second: more of them make a p99
    with RedisServer() as server:
        return [
            *puts(p, Rounds(server, node, p.seconds), rounds, loop),
            *work(p, Rounds(server, node, p.seconds), rounds, loop),
            *both(p, Rounds(server, node, p.seconds), rounds),
            *latency(longer, Rounds(server, node, longer.seconds), rounds, loop),
            *in_python(p, Rounds(server, node, p.seconds), rounds),
            *growth(p, server, rounds),
        ]
