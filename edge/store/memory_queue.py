"""What waits for the disk, in bounded memory: when it is full the oldest readings go, and nothing else with them.

What a meter index means, starts, events and counters stay, because readings that come later need them.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from edge.store.ledger import Batch
from edge.wire.kinds import ClockStep, CounterEvent, Reading
from edge.wire.records import decode_record

MAX_QUEUED_RECORDS = 20_000
_AFTER_DROPPING = MAX_QUEUED_RECORDS - MAX_QUEUED_RECORDS // 20
"""A twentieth goes at once, so that a full queue is not walked through for every reading."""
MAX_EVENTS = 2_000
"""Records other than readings that are kept when memory is full; above it the oldest of those that repeat go."""


@dataclass
class Entry:
    """A batch, and who waits for it to be durable."""

    batch: Batch
    durable: list[asyncio.Future[None]] = field(default_factory=list)


@dataclass
class MemoryQueue:
    """First in, first out; what is taken out may be put back in front."""

    on_dropped: Callable[[Reading], None] = lambda _reading: None
    """Hears of every reading that there was no room for."""
    records: int = 0
    dropped: int = 0
    """Readings that there was no room for, since the start."""
    _lost: int = 0
    _entries: deque[Entry] = field(default_factory=deque)

    def add(self, batch: Batch) -> asyncio.Future[None]:
        """Appends a batch; its future is cancelled when its reading has to go."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._entries.append(Entry(batch, [future]))
        self.records += len(batch.records)
        self._make_room()
        return future

    def take(self) -> list[Entry]:
        """Takes all of it."""
        entries = [*self._entries, Entry(Batch(dropped=self._lost))] if self._lost else list(self._entries)
        self._entries.clear()
        self.records = self._lost = 0
        return entries

    def put_back(self, entries: Sequence[Entry]) -> None:
        """Puts what could not be written in front again."""
        self._entries.extendleft(reversed(entries))
        self.records += sum(len(entry.batch.records) for entry in entries)
        self._make_room()

    def lose(self, readings: int) -> None:
        """Notes readings that were dropped before they came here."""
        self.dropped += readings
        self._lost += readings

    def _make_room(self) -> None:
        if self.records <= MAX_QUEUED_RECORDS:
            return
        kept = Entry(Batch())
        while self._entries and self.records > _AFTER_DROPPING:
            entry = self._entries.popleft()
            readings = self._without_readings(entry.batch)
            if readings:
                for future in entry.durable:
                    future.cancel()
            else:
                kept.durable += entry.durable
            kept.batch.absorb(entry.batch)
            self.records -= readings
        self.records -= self._bound_events(kept.batch)
        self._entries.appendleft(kept)

    def _without_readings(self, batch: Batch) -> int:
        """Takes the readings out of a batch; returns how many there were."""
        kept = []
        for body in batch.records:
            record = decode_record(body)
            if isinstance(record, Reading):
                self.on_dropped(record)
            else:
                kept.append(body)
        gone = len(batch.records) - len(kept)
        batch.records = kept
        batch.dropped += gone
        self.dropped += gone
        return gone

    @staticmethod
    def _bound_events(batch: Batch) -> int:
        surplus = max(0, len(batch.records) - MAX_EVENTS)
        repeat = [
            n for n, body in enumerate(batch.records) if isinstance(decode_record(body), CounterEvent | ClockStep)
        ]
        gone = set(repeat[:surplus])
        batch.records = [body for number, body in enumerate(batch.records) if number not in gone]
        return len(gone)


def joined(batches: Iterable[Batch]) -> Batch:
    """One batch of all of them, in order."""
    whole = Batch()
    for batch in batches:
        whole.absorb(batch)
    return whole
