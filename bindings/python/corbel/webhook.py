"""Deliveries of GitHub and GitLab: are they really theirs? For hosts with an HTTP server of their own."""

import ctypes
import json
from ctypes import c_uint32
from typing import Mapping, NamedTuple, Optional

from corbel import _structs
from corbel._failure import opened
from corbel._library import quick
from corbel._options import text
from corbel.errors import Refused
from corbel.log import take_bytes


class Webhook(ctypes.Structure):
    _fields_ = [
        ("struct_size", c_uint32),
        ("flags", c_uint32),
        ("signature", _structs.Bytes),
        ("token", _structs.Bytes),
        ("event", _structs.Bytes),
        ("body", _structs.Bytes),
    ]


class Push(NamedTuple):
    """A verified delivery. sender: "github" or "gitlab"; event: as its header says; ref: what was pushed, None when the body
    does not say so; push: False for a ping, which asks for nothing."""

    sender: str
    event: str
    ref: Optional[str]
    push: bool


def verify_webhook(secret: str, headers: Mapping[str, str], body: bytes) -> Push:
    """The delivery, when it is from somebody who knows the secret; else Refused. GitHub signs the body with HMAC-SHA256,
    GitLab sends the secret itself; both are compared in constant time, and there is no other way in.

        push = corbel.verify_webhook(secret, request.headers, request.body)
        if push.push:
            loader.look(id)

    - headers: of the request; names in upper or lower case
    - body: as it came, byte for byte
    """
    given = {name.lower(): value.encode("utf-8", "surrogateescape") for name, value in headers.items()}
    w = _structs.sized(Webhook)
    w.signature = _view(given.get("x-hub-signature-256", b""))
    w.token = _view(given.get("x-gitlab-token", b""))
    w.event = _view(given.get("x-github-event") or given.get("x-gitlab-event") or b"")
    w.body = _view(body)
    key = text(secret, "secret")
    if key is None:
        raise Refused("there is no secret for this webhook: nobody is let in")
    return Push(**json.loads(take_bytes(opened(quick.corbel_webhook_verify, key, ctypes.byref(w)))))


def _view(content: bytes) -> _structs.Bytes:
    return _structs.Bytes(content, len(content))
