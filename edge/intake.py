"""Enters readings into book and journal. What comes before the ledger could be read waits here, in bounded memory.

Without the ledger the book knows no index and no sequence of any meter, and would give them a second time.
"""

import asyncio
import contextlib
import logging
from asyncio import Future
from collections import deque
from collections.abc import Mapping

from edge.errors import ImplausibleError, StorageError
from edge.meters.meter_kind import MeterKind
from edge.meters.readings import MeterReading
from edge.record_builder import RecordBuilder
from edge.runtime import metrics
from edge.runtime.clock import Clock
from edge.store.ledger import FIRST_INDEX
from edge.store.ledger_writer import RETRY_S, LedgerWriter
from edge.store.repository import CounterRow, MeterRow

MAX_HELD = 20_000
RECENT_MS = 3_600_000
"""Publications that come again after a restart are known for so long."""

Known = tuple[list[MeterRow], list[CounterRow], int, list[bytes]]
log = logging.getLogger(__name__)


class Intake:
    """The way of every reading, whoever read it."""

    def __init__(
        self, builder: RecordBuilder, writer: LedgerWriter, kinds: Mapping[str, MeterKind], clock: Clock
    ) -> None:
        self._builder, self._writer, self._kinds, self._clock = builder, writer, kinds, clock
        self._held: deque[tuple[MeterReading, Future[None]]] = deque()
        self._recalled = False

    @property
    def held(self) -> int:
        """Readings that wait for the ledger to be readable."""
        return len(self._held)

    def accept(self, reading: MeterReading) -> Future[None]:
        """Takes a reading; the future is done when it is durable, and cancelled when it had to be dropped.

        Raises:
            ImplausibleError: it can not be true, and is not recorded.
        """
        if self._recalled:
            return self._enter(reading)
        if len(self._held) >= MAX_HELD:
            self._held.popleft()[1].cancel()
            self._writer.queue.count_dropped(1)
        future: Future[None] = asyncio.get_running_loop().create_future()
        self._held.append((reading, future))
        return future

    async def run(self) -> None:
        """Tries to read the ledger until it works; then there is nothing left to do."""
        for attempt in range(1_000_000_000):
            with contextlib.suppress(StorageError):
                await self.recall()
                break
            await asyncio.sleep(RETRY_S[min(attempt, len(RETRY_S) - 1)])
        await asyncio.Event().wait()

    async def recall(self) -> None:
        """Fills the book from the ledger, then enters what waited.

        Raises:
            StorageError: not now.
        """
        if self._recalled:
            return
        meters, counters, first_index, bodies = await self._writer.call(self._read)
        self._builder.recall(meters, counters, first_index)
        self._builder.remember(bodies)
        self._recalled = True
        entered: dict[tuple[str, int], Future[None]] = {}
        while self._held:
            reading, future = self._held.popleft()
            key = reading.meter_id, reading.read_at_ms
            # What came twice is durable when the first of it is
            durable = (entered.get(key) if reading.pushed else None) or self._enter_late(reading)
            if durable is not None:
                entered[key] = durable
            _pass_on(durable, future)

    def _read(self) -> Known:
        with self._writer.ledger.reading() as repository:
            first_index = int.from_bytes(repository.meta(FIRST_INDEX) or b"\0", "big")
            since_ms = self._clock.now_ms() - RECENT_MS
            return repository.meters(), repository.counters(), first_index, repository.recent_bodies(since_ms)

    def _enter(self, reading: MeterReading) -> Future[None]:
        kind = self._kinds[reading.meter_id]
        return self._writer.append(self._builder.build(reading, kind.profile, kind.profile_hash, kind.max_power_w))

    def _enter_late(self, reading: MeterReading) -> Future[None] | None:
        """None when there is nothing to wait for."""
        if reading.pushed and self._builder.is_recorded(reading.meter_id, reading.read_at_ms):
            metrics.MQTT_DROPPED.labels("repeated").inc()
            return None
        try:
            return self._enter(reading)
        except ImplausibleError as error:
            log.warning("reading dropped", extra={"meter_id": reading.meter_id, "reason": str(error)})
            return None


def _pass_on(durable: Future[None] | None, waiting: Future[None]) -> None:
    """Lets one future end as another does."""

    def end(done: Future[None]) -> None:
        if done.cancelled():
            waiting.cancel()
        elif not waiting.done():
            waiting.set_result(None)

    if durable is not None:
        durable.add_done_callback(end)
    elif not waiting.done():
        waiting.set_result(None)
