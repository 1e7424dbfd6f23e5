"""A view on Redis beside the hosts: what it answers and when, over a connection of its own."""
import asyncio
import time


class Probe:
    def __init__(self, port):
        self.port = port
        self.reader = self.writer = None

    async def command(self, *arguments):
        """The answer: str, int, None or a list. ConnectionError while the server is away or still loading."""
        try:
            if self.writer is None:
                self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.port)
            parts = [str(a).encode() for a in arguments]
            self.writer.write(b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%s\r\n" % (len(p), p) for p in parts))
            return await self._read()
        except (OSError, asyncio.IncompleteReadError) as e:
            self.close()
            raise ConnectionError(str(e)) from e

    async def _read(self):
        line = (await self.reader.readuntil(b"\r\n"))[:-2].decode()
        kind, rest = line[0], line[1:]
        if kind == "-":
            raise ConnectionError(rest)
        if kind == ":":
            return int(rest)
        if kind == "$":
            return None if rest == "-1" else (await self.reader.readexactly(int(rest) + 2))[:-2].decode()
        if kind == "*":
            return [await self._read() for _ in range(int(rest))]
        return rest

    async def wait_for(self, question, wanted, seconds=30):
        """Asks until the answer is wanted; the moment when it was."""
        end = time.monotonic() + seconds
        while True:
            try:
                if wanted(await self.command(*question)):
                    return time.monotonic()
            except ConnectionError:
                pass
            if time.monotonic() > end:
                raise TimeoutError(f"Redis did not come to it within {seconds} s: {' '.join(map(str, question))[:60]}")
            await asyncio.sleep(0.002)

    def close(self):
        if self.writer is not None:
            self.writer.close()
        self.reader = self.writer = None
