"""Finds libcorbel, loads it, checks that it serves these signatures, and declares them.

The library is loaded twice, which costs nothing (the system's loader knows it already):

- ``quick`` keeps Python's lock during a call. For everything that neither blocks nor calls back, which is nearly
  everything: giving the lock away and winning it back costs more than the call itself.
- ``waiting`` gives the lock away, for the few calls that may block.

Looked for in this order: the file that the environment's CORBEL_LIBRARY names, beside this package, the system's loader.
"""

import ctypes
import os
from pathlib import Path
from typing import List, Tuple

from corbel._signatures import SIGNATURES

HEADER_VERSION = 0x00010000
SONAME = "libcorbel.so.0"


def _candidates() -> List[str]:
    named = os.environ.get("CORBEL_LIBRARY")
    if named:
        return [named]
    return [str(Path(__file__).resolve().parent / SONAME), SONAME]


def _declare(library: ctypes.CDLL) -> None:
    for name, (result, parameters) in SIGNATURES.items():
        function = getattr(library, name)
        function.restype = result
        function.argtypes = parameters


def _load() -> Tuple[ctypes.PyDLL, ctypes.CDLL]:
    if ctypes.sizeof(ctypes.c_void_p) != 8:
        raise ImportError("corbel needs a 64-bit Python")
    reasons = []
    for path in _candidates():
        try:
            quick, waiting = ctypes.PyDLL(path), ctypes.CDLL(path)
        except OSError as error:
            reasons.append(str(error))
            continue
        try:
            _declare(quick)
            _declare(waiting)
        except AttributeError as error:
            raise ImportError(f"{path} is no libcorbel that this package knows: {error}") from None
        if not quick.corbel_header_compatible(HEADER_VERSION):
            found = quick.corbel_version_string().decode()
            raise ImportError(f"{path} is version {found} and does not serve this package (header {HEADER_VERSION:#010x})")
        return quick, waiting
    raise ImportError(f"{SONAME} was not found; set CORBEL_LIBRARY to its path ({'; '.join(reasons)})")


quick, waiting = _load()


def version() -> str:
    """Version of the loaded library, such as "0.1.0"."""
    return str(quick.corbel_version_string().decode())


def has_feature(name: str) -> bool:
    """Whether the loaded library has a feature: "redis", "postgres", "tls", "queue", "deep_replies"."""
    return bool(quick.corbel_has_feature(name.encode()))
