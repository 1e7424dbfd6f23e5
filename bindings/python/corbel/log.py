"""Log lines of the library, handed to Python's ``logging`` as "corbel.<part>", such as "corbel.redis".

They come as events, so that handlers run on the loop's thread (or, in the blocking face, on one Python thread) and never
on a thread of the library.
"""

import ctypes
import logging

from corbel import _constants as c
from corbel import _structs
from corbel._library import quick
from corbel.errors import Invalid

LEVELS = {"error": c.LOG_ERROR, "warning": c.LOG_WARNING, "info": c.LOG_INFO, "debug": c.LOG_DEBUG, "off": c.LOG_OFF}
_PYTHON = {c.LOG_ERROR: logging.ERROR, c.LOG_WARNING: logging.WARNING, c.LOG_INFO: logging.INFO, c.LOG_DEBUG: logging.DEBUG}


def level_of(name: str) -> int:
    """Number of a level's name."""
    if name not in LEVELS:
        raise Invalid(f"log level {name!r} is none of {', '.join(LEVELS)}")
    return LEVELS[name]


def take_bytes(text: int) -> bytes:
    """The content of a text of the library, which is freed."""
    view = _structs.View()
    try:
        quick.corbel_text_bytes(text, ctypes.byref(view))
        return ctypes.string_at(view.data, view.size) if view.size else b""
    finally:
        quick.corbel_text_free(text)


def take_text(text: int) -> str:
    """The same as str."""
    return take_bytes(text).decode("utf-8", "replace")


def emit(value: int, flags: int, text: str) -> None:
    """Hands one line on: text is "part: line"; value the level, or, when lines were lost before it, how many."""
    level = value
    if flags & c.EVENT_DROPPED:
        logging.getLogger("corbel.log").warning("%d log lines were lost before this one: the reader was slow", value)
        word, _, rest = text.partition(" ")
        level, text = (LEVELS[word], rest) if word in LEVELS else (c.LOG_INFO, text)
    part, colon, line = text.partition(": ")
    if not colon:
        part, line = "log", text
    logging.getLogger("corbel." + part).log(_PYTHON.get(level, logging.INFO), "%s", line)
