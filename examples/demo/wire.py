"""HTTP over asyncio streams, no more than the demo needs: requests with a JSON body, and Server-Sent Events."""
import asyncio
import json


async def read_head(reader):
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    fields = {}
    for line in head.split("\r\n")[1:]:
        name, _, value = line.partition(": ")
        fields[name.lower()] = value
    return int(head.split(" ", 2)[1]), fields


class Client:
    """One kept connection; one request at a time. It connects again when it has to."""

    def __init__(self, port):
        self.port = port
        self.reader = self.writer = None

    async def request(self, method, target, body=None):
        """Status and parsed body."""
        if self.writer is None:
            self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.port)
        data = b"" if body is None else json.dumps(body).encode()
        self.writer.write(f"{method} {target} HTTP/1.1\r\nHost: demo\r\nContent-Type: application/json\r\n"
                          f"Content-Length: {len(data)}\r\n\r\n".encode() + data)
        try:
            status, fields = await read_head(self.reader)
            answer = await self.reader.readexactly(int(fields.get("content-length", 0)))
        except (OSError, asyncio.IncompleteReadError):
            self.close()
            raise
        if fields.get("connection") == "close":
            self.close()
        return status, json.loads(answer) if answer else None

    def close(self):
        if self.writer is not None:
            self.writer.close()
        self.reader = self.writer = None


class Stream:
    """One event stream. Call events() for (id, event, data) until it ends."""

    def __init__(self, port, session, stream):
        self.port, self.session, self.stream = port, session, stream
        self.writer = None

    async def open(self):
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.port, limit=1 << 22)
        self.writer.write(f"GET /sse/stream?stream_id={self.stream}&user_session_id={self.session} HTTP/1.1\r\n"
                          "Host: demo\r\nAccept: text/event-stream\r\n\r\n".encode())
        status, _ = await read_head(self.reader)
        if status != 200:
            raise ConnectionError(f"the stream of {self.session} was refused with {status}")

    async def events(self):
        rest = b""
        while True:
            size = int(await self.reader.readuntil(b"\r\n"), 16)
            rest += (await self.reader.readexactly(size + 2))[:-2]
            *frames, rest = rest.split(b"\n\n")
            for frame in frames:
                if not frame.startswith(b":"):
                    # Lines end at \n only: str.splitlines would also cut at U+2028.
                    fields = dict(line.split(b": ", 1) for line in frame.split(b"\n"))
                    yield fields[b"id"].decode(), fields[b"event"].decode(), fields[b"data"]
            if size == 0:
                return

    def close(self):
        if self.writer is not None:
            self.writer.close()
