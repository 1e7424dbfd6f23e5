"""What became of a put, in both faces."""

from typing import List, NamedTuple, Tuple

from corbel._library import quick

_text = quick.corbel_receipt_text
_free = quick.corbel_receipt_free


class Receipt(NamedTuple):
    """What became of a put.

    - depth: ready messages of all lanes, afterwards
    - ids: of the items, in their order; where one was repeated, the id that it had the first time
    - repeated: indices of items whose idempotency key was known: nothing was put for them
    """

    depth: int
    ids: Tuple[str, ...]
    repeated: Tuple[int, ...]

    @property
    def id(self) -> str:
        """Of the first item."""
        return self.ids[0]


def take_receipt(depth: int, receipt: int) -> Receipt:
    """The receipt of an event, which is freed."""
    lines: List[str] = _text(receipt).decode("utf-8", "replace").split("\n")
    _free(receipt)
    lines.pop()
    repeated = tuple(i for i, line in enumerate(lines) if line[0] == "=")
    return Receipt(depth, tuple(line[1:] for line in lines), repeated)
