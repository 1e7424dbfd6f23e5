"""A Python thread that reads an inbox and calls a function: for the log, and for listeners of a monitor."""

import logging
import threading
from typing import Callable, Generic, TypeVar

from corbel.blocking._inbox import Inbox
from corbel.errors import Error

T = TypeVar("T")


class Watcher(Generic[T]):
    """Runs until its inbox is closed. A daemon: it never keeps the interpreter from ending."""

    def __init__(self, name: str, inbox: Inbox[T], function: Callable[[T], object]) -> None:
        self._inbox = inbox
        self._thread = threading.Thread(target=_watch, args=(inbox, function), name=name, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Has the thread end soon."""
        self._inbox.close()

    def close(self) -> None:
        """After it returns the function is not called any more, unless called by the function itself."""
        self.stop()
        if self._thread is not threading.current_thread():
            self._thread.join()


def _watch(inbox: Inbox[T], function: Callable[[T], object]) -> None:
    while True:
        try:
            notice = inbox.get()
        except Error:  # closed, or this is a child after a fork
            return
        try:
            function(notice)
        except Exception:
            logging.getLogger("corbel.listener").exception("a listener raised")
