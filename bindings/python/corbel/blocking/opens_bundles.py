"""How a runtime opens a bundle loader, in the blocking face."""

from typing import Optional

from corbel._bundle_structs import bundles_options
from corbel._handle import Handle
from corbel.blocking._port import Core
from corbel.blocking.bundles import Bundles
from corbel.bundle import BundleAccess, BundleLock


class OpensBundles:
    """What a runtime can about bundles."""

    _core: Core
    _handle: Handle

    def bundles(
        self,
        root: str,
        *,
        program: Optional[str] = None,
        network_timeout: Optional[float] = None,
        max_bytes: int = 0,
        max_files: int = 0,
        max_path: int = 0,
        max_running: int = 0,
        keep: int = 0,
        keep_for: Optional[float] = None,
        keep_bytes: int = 0,
        retry: Optional["tuple[float, float]"] = None,
        max_notices: int = 0,
        access: Optional[BundleAccess] = None,
        layout: str = "native",
        lock: Optional[BundleLock] = None,
    ) -> Bundles:
        """Opens a loader of bundles, code in git repositories.

        - root: absolute path of its folder, which other loaders and processes may share
        - program: path of corbel-git (CORBEL_GIT, else beside the library)
        - network_timeout: of a load as a whole where its call has none (120 s)
        - max_bytes of a commit and of what is received (1 GiB), max_files of a commit (200,000), max_path in it (1,024)
        - max_running: corbel-git at once (4)
        - keep: commits of a repository kept that nobody uses (3); keep_for seconds, keep_bytes of them: no limit
        - retry: between scheduled tries after failures, seconds, the first and the most (5, 300)
        - max_notices: kept for a slow reader (1,024)
        - access: credentials for sources without their own
        - layout: "platform": the root is a managed root of the platform's, where each bundle is kept as the platform's own
          processes would; what is Corbel's own is in its folder .corbel
        - lock: the platform's lock in Redis (file locks alone)
        """
        self._core.check()
        options = bundles_options(
            root,
            program=program,
            network_timeout=network_timeout,
            max_bytes=max_bytes,
            max_files=max_files,
            max_path=max_path,
            max_running=max_running,
            keep=keep,
            keep_for=keep_for,
            keep_bytes=keep_bytes,
            retry=retry,
            max_notices=max_notices,
            access=access,
            layout=layout,
            lock=lock,
        )
        return Bundles(self._core, self._handle, options)
