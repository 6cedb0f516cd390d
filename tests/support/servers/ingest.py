"""The worker's ingest on a real database and NATS server, and the receipts that reach a gateway."""

import asyncio
import contextlib
from dataclasses import dataclass, field

from nats.aio.msg import Msg

from edge.wire.receipts import Receipt, open_receipt
from hub import keys
from hub.clock import Clock, SystemClock
from hub.devices.service import RECEIPT_KEY
from hub.ingest import bus
from hub.ingest.consumer import Limits
from hub.ingest.loop import run_ingest
from hub.postgres.db import Pool
from hub.settings import Settings
from support.servers.nats import Gateway, HubNats
from support.waiting import eventually

LIMITS = Limits(batch=32, poll_s=1, ack_wait_s=1, release_every_s=0.05)


@dataclass
class Ingest:
    """Copies of the worker's ingest; each can be started and killed."""

    settings: Settings
    pool: Pool
    nats: HubNats
    clock: Clock = field(default_factory=SystemClock)
    copies: list[asyncio.Task[None]] = field(default_factory=list)

    async def start(self, limits: Limits = LIMITS) -> asyncio.Task[None]:
        ready = asyncio.Event()
        copy = asyncio.create_task(run_ingest(self.settings, self.pool, self.clock, limits=limits, ready=ready.set))
        self.copies.append(copy)
        waiting = asyncio.create_task(ready.wait())
        await asyncio.wait({copy, waiting}, return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        assert not copy.done(), copy
        return copy

    async def kill(self, copy: asyncio.Task[None]) -> None:
        copy.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await copy

    async def close(self) -> None:
        for copy in self.copies:
            await self.kill(copy)

    @property
    def receipt_public_key(self) -> bytes:
        return bytes(keys.load(self.settings.keys_dir / RECEIPT_KEY).pubkey())

    async def count(self, table: str) -> int:
        return int(await self.pool.fetchval(f"SELECT count(*) FROM {table}"))  # noqa: S608 - a test's own words

    async def counted(self, table: str, number: int) -> None:
        """Waits until the table has that many rows."""

        async def enough() -> bool:
            return await self.count(table) >= number

        await eventually(enough, what=f"{number} rows of {table}")
        assert await self.count(table) == number

    async def drained(self) -> None:
        """Waits until the stream holds no frame: each was stored and acknowledged, or refused."""
        async with self.nats.as_hub() as hub:

            async def empty() -> bool:
                return (await hub.jetstream().stream_info("PW_FRAMES")).state.messages == 0

            await eventually(empty, what="an empty stream")


@dataclass
class ReceiptListener:
    """The receipts that reach a gateway."""

    public_key: bytes
    receipts: list[Receipt] = field(default_factory=list)

    async def listen(self, gateway: Gateway) -> None:
        async def keep(message: Msg) -> None:
            self.receipts.append(open_receipt(message.data, self.public_key))

        await gateway.client.subscribe(f"pw.receipt.{gateway.gateway_id}", cb=keep)
        await bus.flush_commands(gateway.client)

    def stored(self, boot_id: bytes) -> set[int]:
        return {n for r in self.receipts for first, last in r.stored.get(boot_id, ()) for n in range(first, last + 1)}
