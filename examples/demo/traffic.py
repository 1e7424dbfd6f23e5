"""The sessions of the demo: each sends texts, waits for the answers on its stream, and keeps account of both."""
import asyncio
import json
import time

import texts
from wire import Client, Stream


class Account:
    """What was sent and what became of it, over all sessions."""

    def __init__(self):
        self.sent = self.retries = self.maybe_applied = self.duplicates = self.wrong = 0
        self.expected = {}   # event id -> words, not answered yet
        self.began = {}      # event id -> when it was first sent
        self.latencies = []  # seconds from the first sending to the answer
        self.answered = set()
        self.errors = []
        self.commits = {}    # of the bundle's handler -> when the first and the last of its answers came, and how many

    @property
    def lost(self):
        return len(self.expected)


class Session:
    def __init__(self, number, port, account, window):
        self.name = f"session-{number}"
        self.account = account
        self.client = Client(port)
        self.stream = Stream(port, self.name, f"stream-{number}")
        self.ready = asyncio.Event()
        self.window = asyncio.Semaphore(window)  # messages on their way at once

    async def listen(self):
        await self.stream.open()
        async for _, event, data in self.stream.events():
            if event == "ready":
                self.ready.set()
            elif event == "chat_complete":
                self.take(json.loads(data)["data"])
            elif event == "chat_error":
                self.account.errors.append(f"{self.name}: {json.loads(data)['data']['error']}")
            elif event == "server_shutdown":
                return

    def take(self, result):
        a, event_id = self.account, result["event_id"]
        if event_id in a.answered:
            a.duplicates += 1
            return
        if event_id not in a.expected:
            a.errors.append(f"{self.name}: an answer to {event_id}, which nobody sent")
            return
        a.answered.add(event_id)
        now = time.monotonic()
        first, _, count = a.commits.get(result["commit"], (now, now, 0))
        a.commits[result["commit"]] = (first, now, count + 1)
        if a.expected.pop(event_id) != result["words"]:
            a.wrong += 1
        a.latencies.append(now - a.began.pop(event_id))
        self.window.release()

    async def send(self, event_id, text):
        """Sends one text, again with the same id as long as the answer is 503."""
        a = self.account
        await self.window.acquire()
        a.expected[event_id] = texts.count_words(text)
        a.began[event_id] = time.monotonic()
        a.sent += 1
        body = {"external_events": [{"event_id": event_id, "type": "event.user.prompt",
                                     "payload": {"mime": "application/json", "event": {"text": text}}}]}
        while True:
            status, answer = await self.client.request("POST", f"/sse/chat?stream_id={self.stream.stream}", body)
            if status == 200:
                return
            if status != 503:
                raise RuntimeError(f"{self.name}: {event_id} was answered {status}: {answer}")
            a.retries += 1
            a.maybe_applied += bool(answer["detail"].get("maybe_applied"))
            await asyncio.sleep(min(1, answer["detail"].get("retry_after", 1)) / 4)

    def close(self):
        self.client.close()
        self.stream.close()
