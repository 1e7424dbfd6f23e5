"""Ownership of one C object."""

from typing import Any, Callable


class Handle:
    """Owns one C object and frees it exactly once: by :meth:`free`, or when the last reference to it goes. Any thread,
    any order; ``pointer`` is 0 afterwards."""

    pointer = 0  # what is left when the instance's own has been taken out

    def __init__(self, pointer: int, free: Callable[[int], Any]) -> None:
        self.pointer = pointer
        self._free = free

    def take(self) -> int:
        """Gives the object away: the pointer, or 0 when it is gone already. One step, so that two threads never get it."""
        return int(self.__dict__.pop("pointer", 0))

    def free(self) -> None:
        pointer = self.take()
        if pointer:
            self._free(pointer)

    __del__ = free
