"""What comes of running bundles, in both faces: answers, and the status of handlers."""

import json
from typing import Any, Dict, NamedTuple, Optional

from corbel._failure import opened
from corbel._library import quick
from corbel._options import text
from corbel.errors import Invalid
from corbel.log import take_bytes


class BundleAnswer(NamedTuple):
    """What a handler answered: its result, decoded from JSON, and the commit that it is of."""

    result: Any
    commit: str


class HandlerStatus(NamedTuple):
    """The handlers of one bundle. commit: of the one that gets new requests, None until one has become ready; starts,
    deaths: of processes, where those that were told to stop are no deaths; error: why the handler of what is current does
    not start, or None."""

    id: str
    commit: Optional[str]
    handlers: int
    in_hand: int
    waiting: int
    answered: int
    failed: int
    starts: int
    deaths: int
    error: Optional[str]


class Request(NamedTuple):
    """The parameters of corbel_bundle_run."""

    bundle: Optional[bytes]
    kind: Optional[bytes]
    task: bytes
    size: int


def request(bundle: str, task: Any, kind: str) -> Request:
    try:
        encoded = json.dumps(task, allow_nan=False).encode()
    except (TypeError, ValueError) as problem:
        raise Invalid(f"the task is not JSON: {problem}") from None
    return Request(text(bundle, "bundle"), text(kind, "kind"), encoded, len(encoded))


def read_answer(raw: bytes) -> BundleAnswer:
    return BundleAnswer(**json.loads(raw))


def read_handlers(runner: int) -> Dict[str, HandlerStatus]:
    """The status of all bundles that a runner has run, by id."""
    table = json.loads(take_bytes(opened(quick.corbel_bundle_runner_json, runner)))["handlers"]
    return {id: HandlerStatus(id=id, **row) for id, row in table.items()}
