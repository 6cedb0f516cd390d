"""Polls Modbus meters in wall-clock slots: every bus on its own, healthy meters first; readings go to the journal."""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from edge.errors import MeterError
from edge.meters.backoff import Backoff
from edge.meters.meter import ModbusMeter
from edge.meters.readings import MeterReading
from edge.runtime import metrics
from edge.runtime.clock import Clock

NAP_S = 0.5
"""The wall clock may jump while we sleep, so we look at it at least this often."""

log = logging.getLogger(__name__)

Accept = Callable[[MeterReading], None]
"""Takes a reading over; raises ImplausibleError when it can not be true."""


@dataclass
class Watched:
    """A meter and how it has been doing."""

    meter: ModbusMeter
    backoff: Backoff = field(default_factory=Backoff)


class Poller:
    """One task per bus, so that a dead bus costs the others nothing."""

    def __init__(self, meters: Iterable[ModbusMeter], period_s: int, clock: Clock, accept: Accept) -> None:
        self._buses: dict[str, list[Watched]] = defaultdict(list)
        for meter in meters:
            self._buses[meter.bus.name].append(Watched(meter))
        self._period_s = period_s
        self._clock = clock
        self._accept = accept

    @property
    def lost(self) -> list[str]:
        """Meters that do not answer now."""
        return sorted(w.meter.meter_id for group in self._buses.values() for w in group if w.backoff.failures)

    async def run(self) -> None:
        """Polls until cancelled; a gateway whose meters all publish by themselves has nothing to poll."""
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(asyncio.Event().wait())
                for watched in self._buses.values():
                    group.create_task(self._run_bus(watched))
        finally:
            for watched in self._buses.values():
                watched[0].meter.bus.close()

    async def _run_bus(self, bus: list[Watched]) -> None:
        # Once at the start, off the grid, so that what a meter is and whether it answers is known at once
        await self.poll_bus(bus, self._clock.now_ms() // 1000)
        period_ms, last_ms = self._period_s * 1000, self._clock.monotonic_ms()
        while True:
            slot_s = await next_slot(self._clock, self._period_s)
            # By the clock that never jumps: a step of the other one is no slot that a bus was too busy for
            now_ms = self._clock.monotonic_ms()
            metrics.SLOTS_MISSED.inc(max(0, (now_ms - last_ms + period_ms // 2) // period_ms - 1))
            last_ms = now_ms
            await self.poll_bus(bus, slot_s)

    async def poll_bus(self, bus: list[Watched], slot_s: int) -> None:
        """Asks every meter of a bus whose pause is over; those that failed last time come last."""
        for watched in sorted(bus, key=lambda w: w.backoff.failures > 0):
            if watched.backoff.may_try(self._clock.monotonic_ms()):
                await self._poll(watched, slot_s)

    async def _poll(self, watched: Watched, slot_s: int) -> None:
        meter, begun_ms = watched.meter, self._clock.monotonic_ms()
        try:
            self._accept(await meter.read(slot_s, self._clock))
        except MeterError as error:
            metrics.READ_FAILURES.labels(error.code).inc()
            if watched.backoff.failed(self._clock.monotonic_ms()):
                log.warning("meter lost", extra={"meter_id": meter.meter_id, "reason": str(error)})
                meter.lost()
            return
        metrics.READ_SECONDS.observe((self._clock.monotonic_ms() - begun_ms) / 1000)
        if watched.backoff.succeeded():
            log.info("meter back", extra={"meter_id": meter.meter_id})


async def next_slot(clock: Clock, period_s: int) -> int:
    """Sleeps until the next multiple of the period on the wall clock, and returns it."""
    slot_s = clock.now_ms() // 1000 // period_s * period_s + period_s
    while (missing_ms := slot_s * 1000 - clock.now_ms()) > 0:
        if missing_ms > 2 * period_s * 1000:
            # The wall clock was set back
            slot_s = clock.now_ms() // 1000 // period_s * period_s + period_s
        await asyncio.sleep(min(missing_ms / 1000, NAP_S))
    # The wall clock may have been set forward: what is read now belongs to the slot of now
    return max(slot_s, clock.now_ms() // 1000 // period_s * period_s)
