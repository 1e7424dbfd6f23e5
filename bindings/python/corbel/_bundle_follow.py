"""What both faces of a bundle loader do alike about a followed registry, and the structs of it."""

import ctypes
import json
from ctypes import c_char_p, c_int64, c_uint32, c_void_p
from typing import Any, Optional

from corbel import _constants as c
from corbel import _structs
from corbel._failure import opened, received
from corbel._library import quick
from corbel._options import milliseconds, text
from corbel.bundle import Registry, registry_from
from corbel.log import take_bytes


class BundleFollowOptions(ctypes.Structure):
    _fields_ = [
        ("struct_size", c_uint32),
        ("flags", c_uint32),
        ("tenant", c_char_p),
        ("project", c_char_p),
        ("file", c_char_p),
        ("file_look_ms", c_int64),
        ("follow_ms", c_int64),
    ]


def follow_registry(
    loader: int,
    redis: Optional[Any],
    *,
    tenant: Optional[str],
    project: Optional[str],
    file: Optional[str],
    environment: bool,
    file_look: Optional[float],
    follow: Optional[float],
    required: bool,
) -> None:
    """redis: a pool of either face."""
    o = _structs.sized(BundleFollowOptions)
    o.flags = (0 if required else c.BUNDLE_OPTIONAL) | (c.FOLLOW_ENVIRONMENT if environment else 0)
    o.tenant, o.project, o.file = text(tenant, "tenant"), text(project, "project"), text(file, "file")
    o.file_look_ms = milliseconds(file_look, "file_look")
    o.follow_ms = milliseconds(follow, "follow")
    pool = redis._handle.pointer if redis is not None else None
    _done(quick.corbel_bundles_follow, loader, pool, ctypes.byref(o))


def look_now(loader: int, id: str) -> None:
    _done(quick.corbel_bundles_look, loader, text(id, "id"))


def read_followed(loader: int) -> Registry:
    return registry_from(json.loads(take_bytes(opened(quick.corbel_bundles_registry, loader))))


def _done(function: Any, *arguments: Any) -> None:
    error = c_void_p()
    status = function(*arguments, ctypes.byref(error))
    if status:
        raise received(error.value or 0, status)
