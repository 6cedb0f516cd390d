"""Batches that wait for the disk, in bounded memory: when it is full the oldest readings are dropped, and only they.

Declarations of meters, starts, events and counters stay, because later readings need them.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from edge.store.batch import Batch
from edge.wire.kinds import ClockStep, CounterEvent, CounterEvent1, Reading
from edge.wire.records import decode_record

MAX_QUEUED_RECORDS = 20_000
_AFTER_DROPPING = MAX_QUEUED_RECORDS - MAX_QUEUED_RECORDS // 20
"""A twentieth is dropped at once, so that a full queue is not searched for every reading."""
MAX_EVENTS = 2_000
"""Records other than readings that are kept when memory is full; above it the oldest repeating ones are dropped."""


@dataclass
class Entry:
    """A batch, and the futures of those who wait for it to be durable."""

    batch: Batch
    durable: list[asyncio.Future[None]] = field(default_factory=list)


@dataclass
class MemoryQueue:
    """A first-in-first-out queue of batches; what could not be written is put back in front."""

    on_dropped: Callable[[Reading], None] = lambda _reading: None
    """Called with every reading that there was no room for."""
    records: int = 0
    dropped: int = 0
    """Readings that there was no room for, since the start."""
    _unreported: int = 0
    """Those of them that no batch tells of yet."""
    _entries: deque[Entry] = field(default_factory=deque)

    def add(self, batch: Batch) -> asyncio.Future[None]:
        """Appends a batch; its future is cancelled when a reading of it is dropped."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._entries.append(Entry(batch, [future]))
        self.records += len(batch.records)
        self._make_room()
        return future

    def take(self) -> list[Entry]:
        """Empties the queue; the last entry tells of readings that were dropped before they came here."""
        entries = list(self._entries)
        if self._unreported:
            entries.append(Entry(Batch(dropped=self._unreported)))
        self._entries.clear()
        self.records = self._unreported = 0
        return entries

    def put_back(self, entries: Sequence[Entry]) -> None:
        """Puts entries that could not be written back in front."""
        self._entries.extendleft(reversed(entries))
        self.records += sum(len(entry.batch.records) for entry in entries)
        self._make_room()

    def count_dropped(self, readings: int) -> None:
        """Counts readings that were dropped before they came here."""
        self.dropped += readings
        self._unreported += readings

    def _make_room(self) -> None:
        if self.records <= MAX_QUEUED_RECORDS:
            return
        kept = Entry(Batch())
        while self._entries and self.records > _AFTER_DROPPING:
            entry = self._entries.popleft()
            readings = self._drop_readings(entry.batch)
            if readings:
                for future in entry.durable:
                    future.cancel()
            else:
                kept.durable += entry.durable
            kept.batch.extend(entry.batch)
            self.records -= readings
        self.records -= self._drop_surplus_events(kept.batch)
        self._entries.appendleft(kept)

    def _drop_readings(self, batch: Batch) -> int:
        """Drops the readings of a batch; returns how many there were."""
        kept = []
        for body in batch.records:
            record = decode_record(body)
            if isinstance(record, Reading):
                self.on_dropped(record)
            else:
                kept.append(body)
        dropped = len(batch.records) - len(kept)
        batch.records = kept
        if dropped:
            # They are news when they come again
            batch.messages = []
        batch.dropped += dropped
        self.dropped += dropped
        return dropped

    @staticmethod
    def _drop_surplus_events(batch: Batch) -> int:
        """Drops the oldest records that may repeat without end, down to the bound; returns how many."""
        surplus = max(0, len(batch.records) - MAX_EVENTS)
        repeating = [
            n
            for n, body in enumerate(batch.records)
            if isinstance(decode_record(body), CounterEvent | CounterEvent1 | ClockStep)
        ]
        dropped = set(repeating[:surplus])
        batch.records = [body for number, body in enumerate(batch.records) if number not in dropped]
        return len(dropped)
