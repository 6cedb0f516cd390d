"""The asynchronous side of the ledger: groups what comes in within a moment into one commit, and seals in time.

Readings come in from pollers and brokers; durable rows are sealed into frames, which go out to the uplink.
"""

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import ParamSpec, TypeVar

from edge.errors import StorageError
from edge.ledger import Batch, Ledger
from edge.repository import StoredFrame
from edge.wire.receipts import Receipt

P = ParamSpec("P")
T = TypeVar("T")

LINGER_S = 0.1
"""Meters of one slot that answer within this time share a commit."""
RETRY_S = (1, 2, 5, 10, 30)
MAX_QUEUED_RECORDS = 20_000
PRUNE_EVERY_S = 3600.0

log = logging.getLogger(__name__)


@dataclass
class _Entry:
    batch: Batch
    durable: asyncio.Future[None]


@dataclass
class Limits:
    """How long and how much the ledger keeps."""

    seal_interval_s: float = 5
    receipt_wait_s: float = 30
    """A receipt rides along with the next commit; only after this long it gets one of its own."""
    keep_ms: int = 30 * 86_400_000
    max_bytes: int = 512 * 2**20


@dataclass
class Journal:
    """The only writer. While the disk refuses, entries wait in bounded memory and their senders wait with them."""

    ledger: Ledger
    limits: Limits
    on_frames: Callable[[Sequence[StoredFrame]], None] = lambda _frames: None
    """Where sealed frames go at once: the uplink's live lane."""
    _waiting: deque[_Entry] = field(default_factory=deque)
    _receipts: list[Receipt] = field(default_factory=list)
    _wake: asyncio.Event = field(default_factory=asyncio.Event)
    _thread: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1, "ledger"))
    _seal_at: float | None = None
    _refused: str = ""
    commits: int = 0
    queued_records: int = 0
    """Records that are not durable yet."""
    dropped: int = 0
    """Records that memory had no room for while the disk refused."""

    @property
    def trouble(self) -> str:
        """Why the disk refuses; empty when it does not."""
        return self._refused

    async def call(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Runs something on the ledger's own thread."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, lambda: function(*args, **kwargs))

    def enter(self, batch: Batch) -> asyncio.Future[None]:
        """Hands a batch over; the future is done when it is durable, and cancelled when it had to be dropped."""
        entry = _Entry(batch, asyncio.get_running_loop().create_future())
        self._waiting.append(entry)
        self.queued_records += len(batch.records)
        while self.queued_records > MAX_QUEUED_RECORDS:
            oldest = self._waiting.popleft()
            self.queued_records -= len(oldest.batch.records)
            self.dropped += len(oldest.batch.records)
            oldest.durable.cancel()
        self._wake.set()
        return entry.durable

    def note_receipt(self, receipt: Receipt) -> None:
        """Notes a receipt for the next commit."""
        self._receipts.append(receipt)
        self._seal_within(self.limits.receipt_wait_s)

    async def run(self) -> None:
        """Commits and seals until cancelled."""
        prune_at = _now()
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._pause_s(prune_at)):
                    await self._wake.wait()
            if self._wake.is_set():
                await asyncio.sleep(LINGER_S)
                self._wake.clear()
                await self._commit()
            if self._seal_at is not None and _now() >= self._seal_at:
                await self._seal()
            if _now() >= prune_at:
                prune_at = _now() + PRUNE_EVERY_S
                await self._prune()

    async def store_rest(self) -> None:
        """Commits and seals what is left, once."""
        for step in (self._write, self._seal_now):
            try:
                await step()
            except StorageError as error:
                log.error("not everything could be stored at the end", extra={"reason": str(error)})  # noqa: TRY400
                return

    async def close(self) -> None:
        """Closes the file; late receipts are written first."""
        with contextlib.suppress(StorageError):
            if self._receipts:
                await self.call(self.ledger.commit, Batch(receipts=self._receipts))
        await self.call(self.ledger.close)
        self._thread.shutdown()

    def _pause_s(self, prune_at: float) -> float:
        until = prune_at if self._seal_at is None else min(prune_at, self._seal_at)
        return max(0.0, until - _now())

    def _seal_within(self, seconds: float) -> None:
        due = _now() + seconds
        if self._seal_at is None or due < self._seal_at:
            self._seal_at = due
            # The loop may be asleep until its old deadline: an early wake only costs an empty commit
            self._wake.set()

    async def _commit(self) -> None:
        await self._until_it_works(self._write)

    async def _seal(self) -> None:
        await self._until_it_works(self._seal_now)

    async def _write(self) -> None:
        entries = list(self._waiting)
        batch = _joined([entry.batch for entry in entries])
        if not batch:
            return
        batch.receipts, taken = list(self._receipts), len(self._receipts)
        await self.call(self.ledger.commit, batch)
        self.commits += 1
        del self._receipts[:taken]
        for entry in entries:
            if self._waiting and self._waiting[0] is entry:
                self._waiting.popleft()
                self.queued_records -= len(entry.batch.records)
            if not entry.durable.done():
                entry.durable.set_result(None)
        self._seal_within(self.limits.seal_interval_s)

    async def _seal_now(self) -> None:
        receipts = list(self._receipts)
        frames = await self.call(self.ledger.seal, receipts)
        self.commits += 1
        del self._receipts[: len(receipts)]
        self._seal_at = None
        if frames:
            self.on_frames(frames)

    async def _prune(self) -> None:
        with contextlib.suppress(StorageError):
            keep_ms, max_bytes = self.limits.keep_ms, self.limits.max_bytes
            for gap in await self.call(self.ledger.prune, keep_ms=keep_ms, max_bytes=max_bytes):
                extra = {"boot_id": gap.boot_id.hex(), "first": gap.first, "last": gap.last}
                log.error("frames given up before the hub had them: make room or raise max_ledger_mb", extra=extra)
                self._seal_within(self.limits.seal_interval_s)

    async def _until_it_works(self, step: Callable[[], Awaitable[None]]) -> None:
        for attempt in range(1_000_000_000):
            try:
                await step()
            except StorageError as error:
                if not self._refused:
                    log.error(  # noqa: TRY400 - the message says it all
                        "storage refuses: readings wait in memory", extra={"reason": str(error)}
                    )
                self._refused = str(error)
                await asyncio.sleep(RETRY_S[min(attempt, len(RETRY_S) - 1)])
            else:
                if self._refused:
                    log.info("storage works again", extra={"dropped_records": self.dropped})
                self._refused = ""
                return


def _joined(batches: Sequence[Batch]) -> Batch:
    whole = Batch()
    for batch in batches:
        whole.records += batch.records
        whole.meters += batch.meters
        whole.counters |= batch.counters
    return whole


def _now() -> float:
    return asyncio.get_running_loop().time()
