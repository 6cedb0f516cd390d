"""Writes the ledger from the event loop: batches that come within 0.1 s share a commit; records are sealed in time.

Batches come in from ``edge.intake`` and ``edge.agent``; the sealed frames go out to the uplink.
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import ParamSpec, TypeVar

from edge.errors import StorageError
from edge.store.batch import Batch
from edge.store.ledger import Ledger
from edge.store.memory_queue import Entry, MemoryQueue
from edge.store.repository import StoredFrame
from edge.wire.receipts import Receipt

P = ParamSpec("P")
T = TypeVar("T")

LINGER_S = 0.1
"""Meters of one slot that answer within this time share a commit."""
RETRY_S = (1, 2, 5, 10, 30)
"""Pauses after failures in a row; the last one repeats."""
PRUNE_EVERY_S = 3600.0
HURRY_S, HURRY_FOR_S = 0.5, 60.0
"""How soon receipts are written after an interval boundary, and for how long after it."""
MAX_RECEIPTS = 256
"""Receipts that wait for the disk; older ones may go: the hub answers heartbeats with all that it has stored."""

log = logging.getLogger(__name__)


@dataclass(kw_only=True)
class Limits:
    """When records are sealed, and how long and how much the ledger keeps."""

    seal_interval_s: float = 5
    receipt_wait_s: float = 30
    """A receipt is written with the next commit; after this long it gets one of its own."""
    keep_ms: int = 30 * 86_400_000
    """How long a frame stays after the hub's receipt."""
    max_bytes: int = 512 * 2**20
    """Above it the oldest frames are deleted: those with a receipt, and if there are none, the others."""


@dataclass
class LedgerWriter:
    """The ledger's only writer. While the disk refuses, batches and their futures wait in a bounded queue."""

    ledger: Ledger
    limits: Limits
    on_frames: Callable[[Sequence[StoredFrame]], None] = lambda _frames: None
    """Called with frames as soon as they are sealed."""
    on_stored: Callable[[], object] = lambda: None
    """Called when receipts of the hub have been written."""
    queue: MemoryQueue = field(default_factory=MemoryQueue)
    _receipts: list[Receipt] = field(default_factory=list)
    _wake: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when there is something to write, or to look at again."""
    _stopping: asyncio.Event = field(default_factory=asyncio.Event)
    _thread: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1, "ledger"))
    _sealing: list[asyncio.Future[int]] = field(default_factory=list)
    """Of those who wait for what is durable to be sealed."""
    _hurry_until_s: float = 0.0
    """Until then receipts are written soon."""
    _seal_at_s: float | None = None
    """By the event loop's clock; None when nothing is to be sealed."""
    _trouble: str = ""
    _records_in_commit: int = 0
    commits: int = 0
    """Since the start."""

    @property
    def trouble(self) -> str:
        """Why the disk refuses; empty when it does not."""
        return self._trouble

    @property
    def queued_records(self) -> int:
        """Records that are not durable yet."""
        return self.queue.records + self._records_in_commit

    @property
    def dropped(self) -> int:
        """Readings that memory had no room for while the disk refused."""
        return self.queue.dropped

    async def call(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Calls a function in the ledger's thread and returns what it returns, or raises what it raises."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, lambda: function(*args, **kwargs))

    def append(self, batch: Batch) -> asyncio.Future[None]:
        """Queues a batch; the future is done when it is durable, and cancelled when a reading of it was dropped."""
        future = self.queue.add(batch)
        self._wake.set()
        return future

    async def sealed(self) -> int:
        """Seals at once all that was appended; returns the sequence of the newest frame, 0 before the first."""
        await self.append(Batch())
        future: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._sealing.append(future)
        self._seal_within(0)
        self._wake.set()
        return await future

    def hurry_receipts(self) -> None:
        """Has receipts of the next minute written soon, and those that wait: the hub waits to hear of them."""
        self._hurry_until_s = _now_s() + HURRY_FOR_S
        if self._receipts:
            self._seal_within(HURRY_S)

    def add_receipt(self, receipt: Receipt) -> None:
        """Queues a receipt for the next commit."""
        self._receipts = [*self._receipts, receipt][-MAX_RECEIPTS:]
        self._seal_within(HURRY_S if _now_s() < self._hurry_until_s else self.limits.receipt_wait_s)

    def stop(self) -> None:
        """Lets ``run`` end after the write that is under way: to cancel it would not end it in its thread."""
        self._stopping.set()
        self._wake.set()

    async def run(self) -> None:
        """Commits, seals and prunes until ``stop`` is called."""
        prune_at_s = _now_s()
        while not self._stopping.is_set():
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._pause_s(prune_at_s)):
                    await self._wake.wait()
            if self._wake.is_set():
                await asyncio.sleep(LINGER_S)
                self._wake.clear()
                await self._repeat(self._write)
            if self._seal_at_s is not None and _now_s() >= self._seal_at_s:
                await self._repeat(self._seal_now)
            if _now_s() >= prune_at_s:
                prune_at_s = _now_s() + PRUNE_EVERY_S
                await self._prune()

    async def store_rest(self) -> None:
        """Commits and seals what is left; tries once, and only logs that the disk refuses."""
        for step in (self._write, self._seal_now):
            try:
                await step()
            except StorageError as error:
                log.error("not everything could be stored at the end", extra={"reason": str(error)})  # noqa: TRY400
                return

    async def close(self) -> None:
        """Writes receipts that came late, then closes the file and ends the thread."""
        with contextlib.suppress(StorageError):
            if self._receipts:
                await self.call(self.ledger.commit, Batch(receipts=self._receipts))
        await self.call(self.ledger.close)
        self._thread.shutdown()

    def _pause_s(self, prune_at_s: float) -> float:
        until_s = prune_at_s if self._seal_at_s is None else min(prune_at_s, self._seal_at_s)
        return max(0.0, until_s - _now_s())

    def _seal_within(self, seconds: float) -> None:
        due_s = _now_s() + seconds
        if self._seal_at_s is None or due_s < self._seal_at_s:
            self._seal_at_s = due_s
            # ``run`` may sleep until its old deadline; waking it early costs no commit while the queue is empty
            self._wake.set()

    async def _write(self) -> None:
        entries = self.queue.take()
        batch = Batch.joined(entry.batch for entry in entries)
        if not batch:
            _finish(entries)
            return
        self._records_in_commit = len(batch.records)
        try:
            await self._with_receipts(lambda receipts: self.ledger.commit(replace(batch, receipts=receipts)))
        except StorageError:
            self.queue.put_back(entries)
            raise
        finally:
            self._records_in_commit = 0
        _finish(entries)
        self._seal_within(self.limits.seal_interval_s)

    async def _seal_now(self) -> None:
        # Before it is done: a receipt that comes meanwhile sets the next deadline
        self._seal_at_s = None
        sealing, self._sealing = self._sealing, []
        try:
            frames = await self._with_receipts(self.ledger.seal)
        except StorageError:
            self._sealing = sealing + self._sealing
            raise
        if frames:
            self.on_frames(frames)
        for future in sealing:
            if not future.done():
                future.set_result(self.ledger.last_sequence)

    async def _with_receipts(self, transaction: Callable[[Sequence[Receipt]], T]) -> T:
        """Calls a transaction of the ledger with the receipts that wait; they wait on when it fails."""
        receipts, self._receipts = self._receipts, []
        try:
            result = await self.call(transaction, receipts)
        except StorageError:
            self._receipts = [*receipts, *self._receipts][-MAX_RECEIPTS:]
            raise
        self.commits += 1
        if receipts:
            self.on_stored()
        return result

    async def _prune(self) -> None:
        with contextlib.suppress(StorageError):
            keep_ms, max_bytes = self.limits.keep_ms, self.limits.max_bytes
            for gap in await self.call(self.ledger.prune, keep_ms=keep_ms, max_bytes=max_bytes):
                extra = {"boot_id": gap.boot_id.hex(), "first": gap.first, "last": gap.last}
                log.error("frames given up before the hub had them: make room or raise max_ledger_mb", extra=extra)
                self._seal_within(self.limits.seal_interval_s)

    async def _repeat(self, step: Callable[[], Awaitable[None]]) -> None:
        """Repeats a step until the disk takes it, or until ``stop``: then ``store_rest`` tries a last time."""
        for attempt in range(1_000_000_000):
            try:
                await step()
            except StorageError as error:
                if not self._trouble:
                    log.error(  # noqa: TRY400 - the message says it all
                        "storage refuses: readings wait in memory", extra={"reason": str(error)}
                    )
                self._trouble = str(error)
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(RETRY_S[min(attempt, len(RETRY_S) - 1)]):
                        await self._stopping.wait()
                if self._stopping.is_set():
                    return
            else:
                if self._trouble:
                    log.info("storage works again", extra={"dropped_records": self.dropped})
                self._trouble = ""
                return


def _finish(entries: Sequence[Entry]) -> None:
    """Tells those who wait that their batches are durable."""
    for entry in entries:
        for future in entry.durable:
            if not future.done():
                future.set_result(None)


def _now_s() -> float:
    return asyncio.get_running_loop().time()
