"""Takes every reading, whoever read it, through the record builder to the ledger writer.

Readings that come before the ledger could be read wait here, in bounded memory: only the ledger knows which index and
sequence each meter has, and none may be given twice.
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
from edge.store.ledger import FIRST_INDEX
from edge.store.ledger_writer import RETRY_S, LedgerWriter
from edge.store.repository import CounterRow, KnownRow, MeterRow

MAX_WAITING = 20_000

LedgerState = tuple[list[MeterRow], list[CounterRow], list[KnownRow], list[tuple[str, bytes]], int]
"""Meters, counters, what next readings are judged by, messages that were recorded, and the lowest meter index that may
be given."""

log = logging.getLogger(__name__)


class Intake:
    """Accepts readings from poller and MQTT subscriber."""

    def __init__(self, builder: RecordBuilder, writer: LedgerWriter, kinds: Mapping[str, MeterKind]) -> None:
        self._builder, self._writer, self._kinds = builder, writer, kinds
        self._waiting: deque[tuple[MeterReading, Future[None]]] = deque()
        self._restored = False

    @property
    def waiting(self) -> int:
        """Readings that wait for the ledger to be read."""
        return len(self._waiting)

    def accept(self, reading: MeterReading) -> Future[None]:
        """Accepts a reading; the future is done when it is durable, and cancelled when it had to be dropped.

        Raises:
            ImplausibleError: no record can hold it.
        """
        if self._restored:
            return self._write(reading)
        if len(self._waiting) >= MAX_WAITING:
            self._waiting.popleft()[1].cancel()
            self._writer.queue.count_dropped(1)
        future: Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((reading, future))
        return future

    async def run(self) -> None:
        """Restores from the ledger as soon as it can be read, then waits until cancelled."""
        for attempt in range(1_000_000_000):
            with contextlib.suppress(StorageError):
                await self.restore()
                break
            await asyncio.sleep(RETRY_S[min(attempt, len(RETRY_S) - 1)])
        await asyncio.Event().wait()

    async def restore(self) -> None:
        """Restores the record builder from the ledger, then writes the readings that waited; once is enough.

        Raises:
            StorageError: the ledger can not be read now.
        """
        if self._restored:
            return
        self._builder.restore(*await self._writer.call(self._read_state))
        self._restored = True
        written: dict[tuple[str, bytes], Future[None]] = {}
        while self._waiting:
            reading, future = self._waiting.popleft()
            key = reading.meter_id, reading.message
            # A message that came twice is durable when the first of the two is
            durable = (written.get(key) if reading.message else None) or self._write_late(reading)
            if durable is not None:
                written[key] = durable
            _complete_with(durable, future)

    def _read_state(self) -> LedgerState:
        with self._writer.ledger.reading() as repository:
            first_index = int.from_bytes(repository.meta(FIRST_INDEX) or b"\0", "big")
            rows = repository.meters(), repository.counters(), repository.known(), repository.messages()
            return *rows, first_index

    def _write(self, reading: MeterReading) -> Future[None]:
        return self._writer.append(self._builder.build(reading, self._kinds[reading.meter_id]))

    def _write_late(self, reading: MeterReading) -> Future[None] | None:
        """Writes a reading that waited; None when it is not recorded, and so nothing is to be waited for."""
        if self._builder.publications.is_repeated(reading.meter_id, reading.message, 0, was_kept=True):
            metrics.MQTT_DROPPED.labels("repeated").inc()
            return None
        try:
            return self._write(reading)
        except ImplausibleError as error:
            log.warning("reading dropped", extra={"meter_id": reading.meter_id, "reason": str(error)})
            return None


def _complete_with(durable: Future[None] | None, waiting: Future[None]) -> None:
    """Completes ``waiting`` when and as ``durable`` completes; at once when there is none."""

    def end(done: Future[None]) -> None:
        if done.cancelled():
            waiting.cancel()
        elif not waiting.done():
            waiting.set_result(None)

    if durable is not None:
        durable.add_done_callback(end)
    elif not waiting.done():
        waiting.set_result(None)
