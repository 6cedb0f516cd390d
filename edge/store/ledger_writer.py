"""The asynchronous side of the ledger: groups what comes in within a moment into one commit, and seals in time.

Readings come in from pollers and brokers; durable rows are sealed into frames, which go out to the uplink.
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import ParamSpec, TypeVar

from edge.errors import StorageError
from edge.store.ledger import Batch, Ledger
from edge.store.memory_queue import Entry, MemoryQueue, joined
from edge.store.repository import StoredFrame
from edge.wire.receipts import Receipt

P = ParamSpec("P")
T = TypeVar("T")

LINGER_S = 0.1
"""Meters of one slot that answer within this time share a commit."""
RETRY_S = (1, 2, 5, 10, 30)
PRUNE_EVERY_S = 3600.0
MAX_RECEIPTS = 256
"""Receipts that wait for the disk; an older one is no loss, because the hub answers heartbeats with all it has."""

log = logging.getLogger(__name__)


@dataclass
class Limits:
    """How long and how much the ledger keeps."""

    seal_interval_s: float = 5
    receipt_wait_s: float = 30
    """A receipt rides along with the next commit; only after this long it gets one of its own."""
    keep_ms: int = 30 * 86_400_000
    max_bytes: int = 512 * 2**20


@dataclass
class LedgerWriter:
    """The only writer. While the disk refuses, entries wait in bounded memory and their senders wait with them."""

    ledger: Ledger
    limits: Limits
    on_frames: Callable[[Sequence[StoredFrame]], None] = lambda _frames: None
    """Where sealed frames go at once: the uplink's live lane."""
    queue: MemoryQueue = field(default_factory=MemoryQueue)
    _receipts: list[Receipt] = field(default_factory=list)
    _wake: asyncio.Event = field(default_factory=asyncio.Event)
    _stopping: asyncio.Event = field(default_factory=asyncio.Event)
    _thread: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1, "ledger"))
    _seal_at: float | None = None
    _refused: str = ""
    _writing: int = 0
    commits: int = 0

    @property
    def trouble(self) -> str:
        """Why the disk refuses; empty when it does not."""
        return self._refused

    @property
    def queued_records(self) -> int:
        """Records that are not durable yet."""
        return self.queue.records + self._writing

    @property
    def dropped(self) -> int:
        """Readings that memory had no room for while the disk refused."""
        return self.queue.dropped

    async def call(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Runs something on the ledger's own thread."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, lambda: function(*args, **kwargs))

    def append(self, batch: Batch) -> asyncio.Future[None]:
        """Hands a batch over; the future is done when it is durable, and cancelled when its reading was dropped."""
        future = self.queue.add(batch)
        self._wake.set()
        return future

    def note_receipt(self, receipt: Receipt) -> None:
        """Notes a receipt for the next commit."""
        self._receipts = [*self._receipts, receipt][-MAX_RECEIPTS:]
        self._seal_within(self.limits.receipt_wait_s)

    def stop(self) -> None:
        """Lets ``run`` end after what it is doing: a write that is cancelled goes on in its thread all the same."""
        self._stopping.set()
        self._wake.set()

    async def run(self) -> None:
        """Commits and seals until stopped."""
        prune_at = _now()
        while not self._stopping.is_set():
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._pause_s(prune_at)):
                    await self._wake.wait()
            if self._wake.is_set():
                await asyncio.sleep(LINGER_S)
                self._wake.clear()
                await self._until_it_works(self._write)
            if self._seal_at is not None and _now() >= self._seal_at:
                await self._until_it_works(self._seal_now)
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

    async def _write(self) -> None:
        entries = self.queue.take()
        batch = joined(entry.batch for entry in entries)
        if not batch:
            return
        self._writing = len(batch.records)
        try:
            await self._with_receipts(lambda receipts: self.ledger.commit(replace(batch, receipts=receipts)))
        except StorageError:
            self.queue.put_back(entries)
            raise
        finally:
            self._writing = 0
        _settle(entries)
        self._seal_within(self.limits.seal_interval_s)

    async def _seal_now(self) -> None:
        frames = await self._with_receipts(self.ledger.seal)
        self._seal_at = None
        if frames:
            self.on_frames(frames)

    async def _with_receipts(self, step: Callable[[Sequence[Receipt]], T]) -> T:
        receipts, self._receipts = self._receipts, []
        try:
            done = await self.call(step, receipts)
        except StorageError:
            self._receipts = [*receipts, *self._receipts][-MAX_RECEIPTS:]
            raise
        self.commits += 1
        return done

    async def _prune(self) -> None:
        with contextlib.suppress(StorageError):
            keep_ms, max_bytes = self.limits.keep_ms, self.limits.max_bytes
            for gap in await self.call(self.ledger.prune, keep_ms=keep_ms, max_bytes=max_bytes):
                extra = {"boot_id": gap.boot_id.hex(), "first": gap.first, "last": gap.last}
                log.error("frames given up before the hub had them: make room or raise max_ledger_mb", extra=extra)
                self._seal_within(self.limits.seal_interval_s)

    async def _until_it_works(self, step: Callable[[], Awaitable[None]]) -> None:
        """Repeats a step until the disk takes it or the journal is stopped; then ``store_rest`` has the last try."""
        for attempt in range(1_000_000_000):
            try:
                await step()
            except StorageError as error:
                if not self._refused:
                    log.error(  # noqa: TRY400 - the message says it all
                        "storage refuses: readings wait in memory", extra={"reason": str(error)}
                    )
                self._refused = str(error)
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(RETRY_S[min(attempt, len(RETRY_S) - 1)]):
                        await self._stopping.wait()
                if self._stopping.is_set():
                    return
            else:
                if self._refused:
                    log.info("storage works again", extra={"dropped_records": self.dropped})
                self._refused = ""
                return


def _settle(entries: Sequence[Entry]) -> None:
    for entry in entries:
        for future in entry.durable:
            if not future.done():
                future.set_result(None)


def _now() -> float:
    return asyncio.get_running_loop().time()
