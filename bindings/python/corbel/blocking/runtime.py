"""The runtime of the blocking face."""

import ctypes
import logging
import warnings
from types import TracebackType
from typing import Optional, Tuple, Type, Union

from corbel import log
from corbel._failure import failure, opened
from corbel._library import quick
from corbel._options import redis_options
from corbel._pg_options import pg_options
from corbel._runtime import RuntimeBase, log_to, open_runtime, shut_down
from corbel.blocking._inbox import Inbox
from corbel.blocking._port import Core
from corbel.blocking._watcher import Watcher
from corbel.blocking.opens_bundles import OpensBundles
from corbel.blocking.health_changes import WatchesHealth
from corbel.blocking.pools import Pools
from corbel.blocking.postgres import Postgres
from corbel.blocking.redis import Redis
from corbel.blocking.server import OpensHttp
from corbel.config import Config
from corbel.errors import Closed, Error, Forked
from corbel.health import Health

Line = Tuple[int, int, str]


def _read(kind: int, status: int, flags: int, value: int, epoch: int, object: int, error: int) -> Optional[Line]:
    failure(status, error)
    return (value, flags, log.take_text(object)) if object else None


class Runtime(RuntimeBase, OpensBundles, OpensHttp, WatchesHealth):
    """I/O threads, timers and the log of the library, for any number of threads.

        with corbel.blocking.Runtime() as rt, rt.redis("redis://localhost:6379") as r:
            print(r.execute("GET", "k"))

    - name: of the service, in log lines and CLIENT SETNAME; instance: by default INSTANCE_ID, else the host's name
    - io_threads: 1 to 64; one carries some 100,000 commands a second
    - log_level: "error", "warning", "info", "debug" or "off"; lines go to ``logging`` as "corbel.<part>", on one Python
      thread of this runtime
    - log_stdout: lines on standard output too: JSON objects, on a terminal text; "json" and "text" say which
    """

    def __init__(
        self,
        *,
        name: Optional[str] = None,
        instance: Optional[str] = None,
        io_threads: int = 1,
        log_level: str = "info",
        log_stdout: Union[bool, str] = False,
    ) -> None:
        self._handle = open_runtime(name, instance, io_threads, log_level, log_stdout)
        self._log: Optional[Watcher[Line]] = None
        self._core = Core(self._handle)
        self.health = Health(self._handle)
        if log_level != "off":
            lines: Inbox[Line] = Inbox(self._core, "log", _read)
            log_to(self._handle, log_level, lines.queue)
            self._log = Watcher("corbel-log", lines, lambda line: log.emit(*line))

    def redis(
        self,
        url: str = "redis://localhost:6379",
        *,
        decode: bool = False,
        kind: Optional[str] = None,
        max_size: int = 0,
        max_waiting: int = 0,
        tls_ca: Optional[str] = None,
        tls_cert: Optional[str] = None,
        tls_key: Optional[str] = None,
        tls_name: Optional[str] = None,
        connect_timeout: Optional[float] = None,
        call_timeout: Optional[float] = None,
        idle_ping: Optional[float] = None,
        lifetime: Optional[float] = None,
        idle: Optional[float] = None,
        max_reply_bytes: int = 0,
        max_reply_elements: int = 0,
        max_reply_depth: int = 0,
        max_connecting: int = 0,
        busy_poll: Optional[float] = None,
    ) -> Redis:
        """Opens a pool of connections and begins to connect; does not wait for the server.

        - url: redis://[user[:password]@]host[:port][/db], rediss:// (TLS), unix://[user[:password]@]/path[?db=n]
        - decode: replies come as str instead of bytes; each call can say otherwise
        - kind: what the pool is for, in CLIENT SETNAME, log, metrics and health
        - max_size: connections in all: pipelines, leases, subscriptions (32; corbel.UNBOUNDED)
        - max_waiting: callers that may wait for a connection (65,536; corbel.UNBOUNDED)
        - tls_...: files of trusted certificates, of our own and its key; the name that the server's must carry
        - connect_timeout (5 s), call_timeout (5 s), idle_ping (30 s), idle (60 s), lifetime (none): seconds;
          math.inf for never
        - max_reply_...: limits of one reply (64 MiB, 1,048,576 elements, depth 7); max_connecting: at once (4)
        - busy_poll: with few commands unanswered, seconds to look for the answer before sleeping, where that helps (50 us;
          below 0: never)
        """
        self._core.check()
        options = redis_options(
            url,
            kind=kind,
            max_size=max_size,
            max_waiting=max_waiting,
            tls_ca=tls_ca,
            tls_cert=tls_cert,
            tls_key=tls_key,
            tls_name=tls_name,
            connect_timeout=connect_timeout,
            call_timeout=call_timeout,
            idle_ping=idle_ping,
            lifetime=lifetime,
            idle=idle,
            max_reply_bytes=max_reply_bytes,
            max_reply_elements=max_reply_elements,
            max_reply_depth=max_reply_depth,
            max_connecting=max_connecting,
            busy_poll=busy_poll,
        )
        pointer = opened(quick.corbel_redis_open, self._handle.pointer, ctypes.byref(options))
        return Redis(self._core, pointer, decode)

    def pools(self, config: Config) -> Pools:
        """Opens the Redis pools of this process, sized by its settings, and begins to connect; that of PostgreSQL is opened
        when it is asked for."""
        self._core.check()
        return Pools(self._core, config)

    def postgres(
        self,
        conninfo: Optional[str] = None,
        *,
        kind: Optional[str] = None,
        min_size: int = 0,
        max_size: int = 0,
        max_waiting: int = 0,
        max_prepared: Optional[int] = None,
        connect_timeout: Optional[float] = None,
        call_timeout: Optional[float] = None,
        acquire_timeout: Optional[float] = None,
        idle_check: Optional[float] = None,
        lifetime: Optional[float] = None,
        max_idle: Optional[float] = None,
        share: Optional[float] = None,
        cancel_timeout: Optional[float] = None,
        max_connecting: int = 0,
        discard_all: bool = False,
    ) -> Postgres:
        """Opens a pool of connections; does not wait for the server.

        - conninfo: postgresql://user:password@host1,host2:5432/db?sslmode=verify-full, or host=... dbname=...; None: from
          POSTGRES_HOST and its kin where one is set, else from PGHOST and its kin
        - kind: what the pool is for, in log, metrics and health
        - min_size: connections kept open though unused; max_size: in all (10; corbel.UNBOUNDED)
        - max_waiting: callers and statements that may wait, each (65,536; corbel.UNBOUNDED)
        - max_prepared: prepared statements kept per connection (256); 0: none, for poolers in transaction mode
        - connect_timeout (5 s), call_timeout of a statement (30 s), acquire_timeout (10 s), idle_check (30 s),
          lifetime (1800 s), max_idle (300 s), cancel_timeout (5 s): seconds; math.inf for never
        - share: a statement that runs longer has its connection for itself (0.05 s); max_connecting: at once (4)
        - discard_all: DISCARD ALL when a connection comes back
        """
        self._core.check()
        options = pg_options(
            conninfo,
            kind=kind,
            min_size=min_size,
            max_size=max_size,
            max_waiting=max_waiting,
            max_prepared=max_prepared,
            connect_timeout=connect_timeout,
            call_timeout=call_timeout,
            acquire_timeout=acquire_timeout,
            idle_check=idle_check,
            lifetime=lifetime,
            max_idle=max_idle,
            share=share,
            cancel_timeout=cancel_timeout,
            max_connecting=max_connecting,
            discard_all=discard_all,
        )
        pointer = opened(quick.corbel_pg_open, self._handle.pointer, ctypes.byref(options))
        return Postgres(self._core, pointer)

    def shutdown(self, timeout: Optional[float] = None) -> None:
        """Ends everything: refuses new calls, gives those under way so many seconds (10), fails the rest with Cancelled.
        Raises Timeout with a message that names what was left; the runtime is shut down all the same."""
        try:
            shut_down(self._handle, timeout)
        finally:
            self._end()

    def _end(self) -> None:
        self._core.closed = True
        if self._log is not None:
            self._log.close()

    def __enter__(self) -> "Runtime":
        return self

    def __exit__(
        self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        try:
            self.shutdown()
        except (Closed, Forked):
            pass
        except Error as problem:
            logging.getLogger("corbel.runtime").warning("%s", problem)

    def __del__(self) -> None:
        core = getattr(self, "_core", None)
        if core is not None and not core.closed:
            if self._log is not None:
                self._log.stop()
            warnings.warn("a corbel.blocking.Runtime was dropped without shutdown()", ResourceWarning, source=self)
