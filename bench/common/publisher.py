"""Publishes sealed frames as gateways do and notes when: python -m bench.common.publisher JOB, then "go" on stdin.

Each gateway has its own connection (TLS, its JWT) and at most WINDOW frames that JetStream has not acknowledged. With a
rate, every frame has a moment at which it is due, and its wait counts from there even when the sender is late.
"""

import asyncio
import json
import ssl
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgpack
import nats
from nats.aio.client import Client
from nats.aio.msg import Msg

from edge.wire.receipts import open_receipt
from hub.ingest import bus

WINDOW = 256


@dataclass
class Notes:
    """Wall times in seconds; 0 = not yet."""

    frames: int
    receipts: bool
    """Complete only when every frame has its receipt too."""
    sent: dict[tuple[int, int], float] = field(default_factory=dict)
    receipted: dict[tuple[int, int], float] = field(default_factory=dict)
    acknowledged: int = 0
    refused: list[str] = field(default_factory=list)
    complete: asyncio.Event = field(default_factory=asyncio.Event)

    def look(self) -> None:
        """After every change."""
        if self.acknowledged == self.frames and (not self.receipts or len(self.receipted) == self.frames):
            self.complete.set()


class Sender:
    """One gateway's connection."""

    def __init__(self, index: int, name: str, client: Client, notes: Notes) -> None:
        self._index, self._subject, self._client, self._notes = index, f"pw.frame.{name}", client, notes
        self._name = name
        self._inbox = client.new_inbox()
        self._room = asyncio.Semaphore(WINDOW)

    async def listen(self, receipt_key: bytes) -> None:
        """Hears acknowledgements and receipts."""
        await self._client.subscribe(self._inbox, cb=self._acknowledged)
        if receipt_key:

            async def hear(message: Msg) -> None:
                now = time.time()
                for ranges in open_receipt(message.data, receipt_key).stored.values():
                    for first, last in ranges:
                        for sequence in range(first, last + 1):
                            self._notes.receipted.setdefault((self._index, sequence), now)
                self._notes.look()

            await self._client.subscribe(f"pw.receipt.{self._name}", cb=hear)
        await bus.flush_commands(self._client)

    async def send(self, sequence: int, message_id: str, data: bytes, due: float | None = None) -> None:
        await self._room.acquire()
        self._notes.sent[self._index, sequence] = due or time.time()
        await self._client.publish(self._subject, data, reply=self._inbox, headers={"Nats-Msg-Id": message_id})

    async def _acknowledged(self, message: Msg) -> None:
        answer = json.loads(message.data)
        if "error" in answer or answer.get("duplicate"):
            self._notes.refused.append(message.data.decode())
        self._notes.acknowledged += 1
        self._notes.look()
        self._room.release()


async def run(job: dict[str, Any]) -> None:
    """Connects, waits for the word, publishes, and writes what it noted."""
    names, frames = msgpack.unpackb(Path(job["frames"]).read_bytes())
    notes = Notes(len(frames), bool(job["receipt_key"]))
    clients = [await _connect(job, name) for name in names]
    senders = [Sender(at, name, clients[at], notes) for at, name in enumerate(names)]
    for sender in senders:
        await sender.listen(bytes.fromhex(job["receipt_key"]))
    print(json.dumps({"ready": True}), flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)
    async with asyncio.timeout(job["seconds"]):
        if job["rate"]:
            await _paced(senders, frames, job["rate"])
        else:
            await _flat_out(senders, frames)
        await notes.complete.wait()
    assert not notes.refused, notes.refused[:3]
    rows = [(*key, at, notes.receipted.get(key, 0.0)) for key, at in notes.sent.items()]
    Path(job["notes"]).write_bytes(msgpack.packb(rows))
    print(json.dumps({"published": len(rows)}), flush=True)
    for client in clients:
        await client.close()


async def _flat_out(senders: Sequence[Sender], frames: Sequence[Any]) -> None:
    """Every gateway as fast as its window lets it."""

    async def all_of(index: int) -> None:
        for at, sequence, message_id, data in frames:
            if at == index:
                await senders[index].send(sequence, message_id, data)

    async with asyncio.TaskGroup() as group:
        for index in range(len(senders)):
            group.create_task(all_of(index))


async def _paced(senders: Sequence[Sender], frames: Sequence[Any], rate: float) -> None:
    begun = time.time()
    for number, (at, sequence, message_id, data) in enumerate(frames):
        due = begun + number / rate
        await asyncio.sleep(max(0.0, due - time.time()))
        await senders[at].send(sequence, message_id, data, due)


async def _connect(job: dict[str, Any], name: str) -> Client:
    return await nats.connect(
        job["nats_url"],
        tls=ssl.create_default_context(cafile=job["ca_file"]),
        user_credentials=job["creds"][name],
        inbox_prefix=f"_INBOX.{name}",
        allow_reconnect=False,
    )


if __name__ == "__main__":
    asyncio.run(run(json.loads(sys.argv[1])))
