"""The threads that work a consumer's messages, in the blocking face."""

import threading
from typing import Callable, List


class Threads:
    """Those of one run(): each calls ``work``, which returns when there is nothing to do any more. Any thread may let them
    grow."""

    def __init__(self, work: Callable[[], object]) -> None:
        self._work = work
        self._lock = threading.Lock()
        self._threads: List[threading.Thread] = []

    def grow(self, count: int) -> None:
        """So many from now on, if there were fewer: what is too many finds nothing to do."""
        with self._lock:
            while len(self._threads) < count:
                thread = threading.Thread(target=self._work, name="corbel-worker")
                thread.start()
                self._threads.append(thread)

    def join(self) -> None:
        """Until all have ended, also those that came meanwhile."""
        for thread in self._threads:
            thread.join()
