"""Knows up to when every reading of this gateway has the hub's receipt, and seals at the interval boundaries.

The poller says which slots are finished, the ledger writer which frames hold them, the heartbeat tells the hub.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

from edge.meters.device_time import SKEW_MS
from edge.runtime.clock import Clock
from edge.store.ledger_writer import LedgerWriter
from edge.store.repository import Repository
from edge.wire.errors import WireError
from edge.wire.kinds import Reading
from edge.wire.records import decode_record

LOOK_S, NEAR_S = 0.5, 0.05
"""How often the clock is looked at: it may jump. And how often the poller, when a boundary is due."""
MAX_BOUNDARIES = 4_000
"""More than forty days of quarters of an hour without a receipt."""
MAX_OLD_FRAMES = 50
"""How many frames of an earlier start are looked into for a reading."""


@dataclass
class Completeness:
    """The boundaries whose readings are all sealed, and in which frames; ``period_s`` is that of polling."""

    interval_s: int
    period_s: int
    clock: Clock
    writer: LedgerWriter
    boot_id: bytes
    done_s: Callable[[], int]
    """The newest slot that every bus has finished."""
    waiting: Callable[[], int]
    """How many readings are not with the writer yet."""
    publishes: bool
    """Whether meters publish by themselves: their readings may be a minute late."""
    on_sealed: Callable[[], object] = lambda: None
    """Called when all readings up to another boundary are sealed."""
    _sealed: deque[tuple[int, int]] = field(default_factory=lambda: deque(maxlen=MAX_BOUNDARIES))
    """Boundaries in s since 1970, and the newest frame of this boot then."""

    async def run(self) -> None:
        """Seals at every boundary until cancelled."""
        boundary_s = self._next_s()
        while True:
            while not self._is_read(boundary_s):
                await self._look(boundary_s)
                # The clock may have been set
                boundary_s = min(boundary_s, self._next_s())
            await self.writer.sealed()
            while not self._is_finished(boundary_s):
                await self._look(boundary_s)
            self._sealed.append((boundary_s, await self.writer.sealed()))
            self.writer.hurry_receipts()
            self.on_sealed()
            following_s = boundary_s + self.interval_s
            boundary_s = following_s if self._now_s() < following_s + self.interval_s else self._next_s()

    def until_s(self, repository: Repository) -> int:
        """Returns up to which boundary every reading has a receipt (s since 1970, itself included); 0 for none known.

        While frames of an earlier start have none, it is a minute before their earliest slot: readings that were
        published may be that late.
        """
        # Called in the ledger's thread: a copy, for boundaries are added meanwhile
        sealed, now_s = list(self._sealed), self._now_s()
        first = repository.first_waiting(self.boot_id)
        stored = (at_s for at_s, sequence in sealed if at_s <= now_s and (first is None or sequence < first))
        complete_s = max(stored, default=0)
        earlier_s = _earliest_slot_s(repository, self.boot_id)
        return complete_s if earlier_s is None else max(0, min(complete_s, earlier_s - SKEW_MS // 1000))

    def _now_s(self) -> int:
        return self.clock.now_ms() // 1000

    def _next_s(self) -> int:
        return self._now_s() // self.interval_s * self.interval_s + self.interval_s

    async def _look(self, boundary_s: int) -> None:
        while self._sealed and self._sealed[-1][0] > self._now_s():
            # The clock was set back: readings with earlier slots will follow
            self._sealed.pop()
        missing_s = boundary_s - self.clock.now_ms() / 1000
        await asyncio.sleep(min(max(missing_s, NEAR_S), LOOK_S))

    def _is_read(self, boundary_s: int) -> bool:
        """Whether the slot at the boundary is finished, or its time is over."""
        now_s = self._now_s()
        return now_s >= boundary_s and (self.done_s() >= boundary_s or now_s >= boundary_s + self.period_s)

    def _is_finished(self, boundary_s: int) -> bool:
        """Whether no reading of a slot up to the boundary can come any more."""
        late_ms = SKEW_MS + 1000 if self.publishes else 0
        return self.done_s() >= boundary_s and self.clock.now_ms() >= boundary_s * 1000 + late_ms and not self.waiting()


def _earliest_slot_s(repository: Repository, boot_id: bytes) -> int | None:
    """Returns the earliest slot in frames of earlier starts without a receipt; None for none, 0 when it can not say."""
    frames = repository.waiting_of_others(boot_id, MAX_OLD_FRAMES)
    for stored in frames:
        slots = []
        try:
            records = stored.frame.records
        except WireError:
            return 0
        for body in records:
            with suppress(WireError):
                record = decode_record(body)
                if isinstance(record, Reading):
                    slots.append(record.slot_s)
        if slots:
            return min(slots)
    return 0 if len(frames) == MAX_OLD_FRAMES else None
