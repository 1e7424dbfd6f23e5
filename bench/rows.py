"""Rows of a subject: measured in turns, judged by a floor, printed as a table, written as JSON."""
import json
import statistics
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Callable, Dict, List, Optional

Measured = Dict[str, float]  # what a measured program prints


@dataclass
class Peer:
    name: str = "-"
    version: str = ""


@dataclass
class Row:
    name: str  # with the unit in brackets
    corbel: float
    peer: Optional[float]
    peer_name: str
    peer_version: str
    ratio: Optional[float]  # Corbel's by the peer's
    floor: Optional[float]  # None: for information
    rule: str  # "ratio at least", "ratio at most", "value at most", "information"
    passed: Optional[bool]  # None: it could not be judged

    def as_json(self) -> dict:
        row = asdict(self)
        row["pass"] = row.pop("passed")
        return row


def alternate(rounds: int, programs: Dict[str, Callable[[], Measured]]) -> Dict[str, List[Measured]]:
    """Runs every program once a round, each round beginning with another one."""
    names = list(programs)
    results: Dict[str, List[Measured]] = {name: [] for name in names}
    for turn in range(rounds):
        first = turn % len(names)
        for name in names[first:] + names[:first]:
            if sys.stderr.isatty():
                print(f"\r  round {turn + 1} of {rounds}: {name:<48}\r", end="", file=sys.stderr, flush=True)
            results[name].append(programs[name]())
    return results


def compare(name: str, corbel: List[float], peer: List[float], of: Peer, rule: str = "information",
            floor: Optional[float] = None) -> Row:
    """Medians of both, and the median of the rounds' ratios, which is what a ratio's floor is held against."""
    ratio = statistics.median(c / p for c, p in zip(corbel, peer))
    value = statistics.median(corbel)
    passed = judge(rule, floor, value, ratio)
    return Row(name, value, statistics.median(peer), of.name, of.version, ratio, floor, rule, passed)


def alone(name: str, value: float, rule: str = "information", floor: Optional[float] = None) -> Row:
    """A row without a peer."""
    return Row(name, value, None, "-", "", None, floor, rule, judge(rule, floor, value, None))


def median_of(name: str, values: List[float], rule: str = "information", floor: Optional[float] = None) -> Row:
    """A row without a peer, of several rounds."""
    return alone(name, statistics.median(values), rule, floor)


def not_measured(name: str, corbel: List[float], of: Peer, why: str, rule: str = "information",
                 floor: Optional[float] = None) -> Row:
    """A row whose peer is not here."""
    passed = True if floor is None else None
    return Row(name, statistics.median(corbel), None, f"{of.name} ({why})", of.version, None, floor, rule, passed)


def judge(rule: str, floor: Optional[float], value: float, ratio: Optional[float]) -> bool:
    if floor is None:
        return True
    if rule == "value at most":
        return value <= floor
    assert ratio is not None, "a ratio needs a peer"
    return ratio >= floor if rule == "ratio at least" else ratio <= floor


def number(value: Optional[float]) -> str:
    if value is None:
        return "-"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}" if abs(value) < 10 else f"{value:.1f}"


def floor_text(row: Row) -> str:
    if row.floor is None:
        return "-"
    sign = ">=" if row.rule.endswith("least") else "<="
    return f"{sign} {row.floor:g}" + (" x" if row.rule.startswith("ratio") else "")


def print_table(subject: str, rows: List[Row]) -> None:
    titles = ("name", "Corbel", "peer", "the peer", "ratio", "floor", "pass")
    lines = [titles] + [
        (r.name, number(r.corbel), number(r.peer), f"{r.peer_name} {r.peer_version}".strip(),
         "-" if r.ratio is None else f"{r.ratio:.2f} x", floor_text(r),
         "-" if r.floor is None else "?" if r.passed is None else "yes" if r.passed else "NO")
        for r in rows
    ]
    widths = [max(len(line[i]) for line in lines) for i in range(len(titles))]
    print(f"\n{subject}")
    for line in lines:
        cells = [c.rjust(w) if i in (1, 2, 4, 5) else c.ljust(w) for i, (c, w) in enumerate(zip(line, widths))]
        print("  " + "  ".join(cells).rstrip())
        if line is titles:
            print("  " + "  ".join("-" * w for w in widths))
    sys.stdout.flush()


def write_json(folder: Path, subject: str, rows: List[Row]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{subject}.json").write_text(json.dumps([r.as_json() for r in rows], indent=2) + "\n")
