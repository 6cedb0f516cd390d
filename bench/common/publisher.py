"""Publishes sealed frames as gateways do and records the times: python -m bench.common.publisher JOB, "go" on stdin.

Each gateway has its own connection (TLS, its JWT) and at most WINDOW frames that JetStream has not acknowledged. With a
rate, every frame has a time at which it is due, and its wait counts from then even when the sender is late.
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
class PublishedFrames:
    """When each frame (index of the gateway, sequence) was sent and receipted, in s since 1970."""

    frames: int
    receipts: bool
    """Whether it is complete only when every frame has its receipt too."""
    sent: dict[tuple[int, int], float] = field(default_factory=dict)
    receipted: dict[tuple[int, int], float] = field(default_factory=dict)
    acknowledged: int = 0
    refused: list[str] = field(default_factory=list)
    complete: asyncio.Event = field(default_factory=asyncio.Event)

    def check_complete(self) -> None:
        """Sets ``complete`` when it is; called after every change."""
        if self.acknowledged == self.frames and (not self.receipts or len(self.receipted) == self.frames):
            self.complete.set()


class Sender:
    """Sends the frames of one gateway over its own connection."""

    def __init__(self, index: int, gateway_id: str, client: Client, published: PublishedFrames) -> None:
        self._index, self._client, self._published = index, client, published
        self._gateway_id = gateway_id
        self._subject = f"pw.frame.{gateway_id}"
        self._inbox = client.new_inbox()
        self._window = asyncio.Semaphore(WINDOW)

    async def listen(self, receipt_key: bytes) -> None:
        """Subscribes to acknowledgements and, with a key, to receipts."""
        await self._client.subscribe(self._inbox, cb=self._acknowledged)
        if receipt_key:

            async def on_receipt(message: Msg) -> None:
                now = time.time()
                for ranges in open_receipt(message.data, receipt_key).stored.values():
                    for first, last in ranges:
                        for sequence in range(first, last + 1):
                            self._published.receipted.setdefault((self._index, sequence), now)
                self._published.check_complete()

            await self._client.subscribe(f"pw.receipt.{self._gateway_id}", cb=on_receipt)
        await bus.flush_commands(self._client)

    async def send(self, sequence: int, message_id: str, data: bytes, due: float | None = None) -> None:
        await self._window.acquire()
        self._published.sent[self._index, sequence] = due or time.time()
        await self._client.publish(self._subject, data, reply=self._inbox, headers={"Nats-Msg-Id": message_id})

    async def _acknowledged(self, message: Msg) -> None:
        answer = json.loads(message.data)
        if "error" in answer or answer.get("duplicate"):
            self._published.refused.append(message.data.decode())
        self._published.acknowledged += 1
        self._published.check_complete()
        self._window.release()


async def run(job: dict[str, Any]) -> None:
    """Connects, waits for a line on stdin, publishes, and writes the times of every frame."""
    gateway_ids, frames = msgpack.unpackb(Path(job["frames"]).read_bytes())
    published = PublishedFrames(len(frames), bool(job["receipt_key"]))
    clients = [await _connect(job, gateway_id) for gateway_id in gateway_ids]
    senders = [Sender(index, gateway_id, clients[index], published) for index, gateway_id in enumerate(gateway_ids)]
    for sender in senders:
        await sender.listen(bytes.fromhex(job["receipt_key"]))
    print(json.dumps({"ready": True}), flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)
    async with asyncio.timeout(job["seconds"]):
        if job["rate"]:
            await _paced(senders, frames, job["rate"])
        else:
            await _unpaced(senders, frames)
        await published.complete.wait()
    assert not published.refused, published.refused[:3]
    rows = [(*key, sent_at, published.receipted.get(key, 0.0)) for key, sent_at in published.sent.items()]
    Path(job["times"]).write_bytes(msgpack.packb(rows))
    print(json.dumps({"published": len(rows)}), flush=True)
    for client in clients:
        await client.close()


async def _unpaced(senders: Sequence[Sender], frames: Sequence[Any]) -> None:
    """Sends every gateway's frames as fast as its window allows."""

    async def send_all(sender_index: int) -> None:
        for index, sequence, message_id, data in frames:
            if index == sender_index:
                await senders[index].send(sequence, message_id, data)

    async with asyncio.TaskGroup() as group:
        for index in range(len(senders)):
            group.create_task(send_all(index))


async def _paced(senders: Sequence[Sender], frames: Sequence[Any], rate: float) -> None:
    started = time.time()
    for number, (index, sequence, message_id, data) in enumerate(frames):
        due = started + number / rate
        await asyncio.sleep(max(0.0, due - time.time()))
        await senders[index].send(sequence, message_id, data, due)


async def _connect(job: dict[str, Any], gateway_id: str) -> Client:
    return await nats.connect(
        job["nats_url"],
        tls=ssl.create_default_context(cafile=job["ca_file"]),
        user_credentials=job["creds"][gateway_id],
        inbox_prefix=f"_INBOX.{gateway_id}",
        allow_reconnect=False,
    )


if __name__ == "__main__":
    asyncio.run(run(json.loads(sys.argv[1])))
