"""The C structs of corbel/c/bundle.h and bundle_runner.h. A test compares them with what the C compiler says."""

import ctypes
from ctypes import c_char_p, c_int64, c_uint32, c_uint64, c_void_p
from typing import List, Optional, Sequence

from corbel import _constants as c
from corbel import _structs
from corbel._options import milliseconds, text
from corbel.bundle import BundleAccess, BundleLock
from corbel.errors import Invalid


class BundlesOptions(ctypes.Structure):
    kept: List[ctypes.Structure]
    _fields_ = [
        ("struct_size", c_uint32),
        ("flags", c_uint32),
        ("root", c_char_p),
        ("program", c_char_p),
        ("network_ms", c_int64),
        ("max_bytes", c_uint64),
        ("max_files", c_uint64),
        ("max_path", c_uint32),
        ("max_running", c_uint32),
        ("keep", c_uint32),
        ("max_notices", c_uint32),
        ("keep_ms", c_int64),
        ("keep_bytes", c_uint64),
        ("retry_first_ms", c_int64),
        ("retry_most_ms", c_int64),
        ("to", c_void_p),
        ("user", c_uint64),
        ("access", c_void_p),
        ("lock", c_void_p),
    ]


class BundleLockStruct(ctypes.Structure):
    _fields_ = [
        ("struct_size", c_uint32),
        ("flags", c_uint32),
        ("redis", c_void_p),
        ("tenant", c_char_p),
        ("project", c_char_p),
        ("ttl_ms", c_int64),
    ]


class BundleAccessStruct(ctypes.Structure):
    _fields_ = [
        ("struct_size", c_uint32),
        ("flags", c_uint32),
        ("secret", c_char_p),
        ("user", c_char_p),
        ("hosts", c_char_p),
        ("ssh_key", c_char_p),
        ("known_hosts", c_char_p),
        ("ca_file", c_char_p),
    ]


class BundleSource(ctypes.Structure):
    _fields_ = [
        ("struct_size", c_uint32),
        ("flags", c_uint32),
        ("id", c_char_p),
        ("url", c_char_p),
        ("ref", c_char_p),
        ("subdir", c_char_p),
        ("user", c_char_p),
        ("secret", c_char_p),
        ("ssh_key", c_char_p),
        ("known_hosts", c_char_p),
        ("ca_file", c_char_p),
        ("follow_ms", c_int64),
    ]


class BundleRunnerOptions(ctypes.Structure):
    _fields_ = [
        ("struct_size", c_uint32),
        ("flags", c_uint32),
        ("program", c_char_p),
        ("user", c_char_p),
        ("environment", c_char_p),
        ("max_waiting", c_uint64),
    ]


def runner_options(
    program: Optional[str], user: Optional[str], environment: Sequence[str], max_waiting: int
) -> BundleRunnerOptions:
    o = _structs.sized(BundleRunnerOptions)
    o.program, o.user = text(program, "program"), text(user, "user")
    o.environment = text(" ".join(environment), "environment")
    o.max_waiting = max_waiting
    return o


def bundles_options(
    root: str,
    *,
    program: Optional[str],
    network_timeout: Optional[float],
    max_bytes: int,
    max_files: int,
    max_path: int,
    max_running: int,
    keep: int,
    keep_for: Optional[float],
    keep_bytes: int,
    retry: Optional["tuple[float, float]"],
    max_notices: int,
    access: Optional[BundleAccess],
    layout: str,
    lock: Optional[BundleLock],
) -> BundlesOptions:
    o = _structs.sized(BundlesOptions)
    o.kept = []  # as long as the options
    if access is not None:
        a = _structs.sized(BundleAccessStruct)
        a.flags = c.ACCESS_ENVIRONMENT if access.environment else 0
        for member in ("secret", "user", "hosts", "ssh_key", "known_hosts", "ca_file"):
            setattr(a, member, text(getattr(access, member), member))
        o.access = ctypes.addressof(a)
        o.kept.append(a)
    if lock is not None:
        k = _structs.sized(BundleLockStruct)
        k.redis = lock.redis._handle.pointer
        k.tenant, k.project = text(lock.tenant, "tenant"), text(lock.project, "project")
        k.ttl_ms = milliseconds(lock.ttl, "ttl")
        o.lock = ctypes.addressof(k)
        o.kept.append(k)
    if layout not in ("native", "platform"):
        raise Invalid(f"layout is {layout!r}; give 'native' or 'platform'")
    o.flags = c.BUNDLES_PLATFORM if layout == "platform" else 0
    o.root = text(root, "root")
    o.program = text(program, "program")
    o.network_ms = milliseconds(network_timeout, "network_timeout")
    o.max_bytes, o.max_files, o.max_path, o.max_running = max_bytes, max_files, max_path, max_running
    o.keep, o.keep_bytes, o.max_notices = keep, keep_bytes, max_notices
    o.keep_ms = milliseconds(keep_for, "keep_for")
    if retry is not None:
        o.retry_first_ms, o.retry_most_ms = (milliseconds(seconds, "retry") for seconds in retry)
    return o


def bundle_source(
    id: str,
    url: str,
    ref: Optional[str],
    *,
    subdir: Optional[str],
    user: Optional[str],
    secret: Optional[str],
    ssh_key: Optional[str],
    known_hosts: Optional[str],
    ca_file: Optional[str],
    follow: Optional[float],
    submodules: bool,
    required: bool,
) -> BundleSource:
    s = _structs.sized(BundleSource)
    s.flags = (0 if required else c.BUNDLE_OPTIONAL) | (c.BUNDLE_SUBMODULES if submodules else 0)
    s.id, s.url, s.ref = text(id, "id"), text(url, "url"), text(ref, "ref")
    s.subdir, s.user, s.secret = text(subdir, "subdir"), text(user, "user"), text(secret, "secret")
    s.ssh_key, s.known_hosts = text(ssh_key, "ssh_key"), text(known_hosts, "known_hosts")
    s.ca_file = text(ca_file, "ca_file")
    s.follow_ms = milliseconds(follow, "follow")
    return s
