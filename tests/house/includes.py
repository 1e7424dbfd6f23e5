#!/usr/bin/python3
"""Every #include of the library against the table of the house: a folder of src/ uses itself, what stands in its row, and
what those use; never what lies above or beside it. Each outside library has its rooms. Names the offenders, one a line.

    tests/house/includes.py [ROOT]      ROOT: the tree to check, by default this one"""
import pathlib
import re
import sys

# Folder of src/ -> what it may use besides itself. Nobody else may be added silently: an unknown folder is an offender.
HOUSE = {
    "base": "",
    "io": "base",
    "events": "base",
    "metrics": "base",
    "health": "base",
    "json": "base",
    "config": "json",
    "pool": "base",
    "runtime": "io events metrics health",
    "redis/protocol": "base",
    "redis": "redis/protocol runtime io pool metrics health",
    "postgres": "runtime io pool metrics health",
    "gateway": "config redis postgres",
    "queue": "redis json",
    "git": "base io",
    "bundle": "git json config health metrics redis",
    "relay": "redis json health metrics",
    "http": "runtime io health metrics",
    "operations": "http queue bundle gateway relay",
    "host": "operations",
}

# Where a public C++ header belongs that is about one room's concept: whoever includes it must be allowed to use the room.
PUBLIC = {"redis_": "redis", "pg_": "postgres", "queue": "queue", "runtime": "runtime", "config": "config",
          "gateway": "gateway", "pools": "gateway", "budget": "gateway", "bundle": "bundle",
          "http": "http"}
# redis/protocol is where these two are implemented.
PUBLIC_EXCEPTIONS = {("redis/protocol", "redis_command.hpp"), ("redis/protocol", "redis_reply.hpp")}

# An outside library by the begin of what stands in <> -> the only folders, of the whole tree but tests, that include it.
LIBRARIES = {
    "hiredis": ["src/redis/protocol"],
    "prometheus": ["src/metrics"],
    "simdjson": ["src/json"],
    "libpq": ["src/postgres"],
    "postgresql/": ["src/postgres"],
    "git2": ["src/git"],
    "yaml-cpp": ["src/config"],
    "fmt/": ["src", "capi"],
}

EMBEDDED = {"scripts": ["queue", "relay"]}  # headers made by the build out of the folder's .lua files
INCLUDE = re.compile(r'^\s*#\s*include\s*(?:"([^"]+)"|<([^>]+)>|(.*))')


def reach(folder):
    """The folder and all that it may use, directly or through those."""
    seen, left = set(), [folder]
    while left:
        name = left.pop()
        if name not in seen:
            seen.add(name)
            left += HOUSE[name].split()
    return seen


def folder_of(path):
    """'redis/protocol/reader.hpp' -> 'redis/protocol': the longest row that holds it; else its first folder."""
    rows = [row for row in HOUSE if path.startswith(row + "/")]
    return max(rows, key=len) if rows else path.split("/")[0]


def offence(root, place, own, quoted, angled):
    """Why a file at `place`, in the row `own` of src/ (None elsewhere), may not include this; None when it may."""
    name = quoted or angled
    for begin, rooms in LIBRARIES.items():
        if name.startswith(begin) and not any(place.startswith(room + "/") for room in rooms):
            return f"only {', '.join(rooms)} may include it"
    if place.startswith("include/"):
        return "public headers include <corbel/...> and system headers only" if quoted else None
    if own is None:
        return None
    if quoted:
        other = folder_of(name)
        if other in EMBEDDED:
            return None if own in EMBEDDED[other] else f"only {', '.join(EMBEDDED[other])} embed scripts"
        if not (root / "src" / name).is_file():
            return "no such file in src/"
        if other not in reach(own):
            return f"{own} may use: {HOUSE[own] or 'nothing of ours'}"
        return None
    if name.startswith("corbel/") and (own, name[7:]) not in PUBLIC_EXCEPTIONS:
        for begin, room in PUBLIC.items():
            if name[7:].startswith(begin) and room not in reach(own):
                return f"it belongs to {room}, and {own} may use: {HOUSE[own] or 'nothing of ours'}"
    return None


def check(root):
    offenders, checked = [], 0
    for top in ("src", "include", "capi"):
        for path in sorted((root / top).rglob("*")):
            if path.suffix not in (".hpp", ".cpp", ".h", ".ipp") or not path.is_file():
                continue
            place = path.relative_to(root).as_posix()
            own = folder_of(place[4:]) if top == "src" else None
            if own is not None and own not in HOUSE:
                offenders.append(f"{place}: the folder src/{own} is not in the table of the house")
                continue
            for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
                match = INCLUDE.match(line)
                if not match:
                    continue
                checked += 1
                quoted, angled, other = match.groups()
                why = "a computed include cannot be checked" if other is not None else offence(root, place, own, quoted, angled)
                if why:
                    offenders.append(f"{place}:{number}: {quoted or angled or other}: {why}")
    return offenders, checked


def main():
    root = pathlib.Path(sys.argv[1]).resolve() if len(sys.argv) > 1 else pathlib.Path(__file__).resolve().parents[2]
    offenders, checked = check(root)
    print("\n".join(offenders) or f"{checked} includes, all allowed")
    return 1 if offenders or not checked else 0


if __name__ == "__main__":
    sys.exit(main())
