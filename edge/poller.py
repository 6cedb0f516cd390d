"""Polls Modbus meters in wall-clock slots, each bus in a task of its own; the readings go to ``edge.intake``."""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

from edge.errors import MeterError, ProbeError
from edge.meters.backoff import Backoff
from edge.meters.meter import ModbusMeter
from edge.meters.readings import MeterReading
from edge.runtime import metrics
from edge.runtime.clock import STEP_MS, Clock

MAX_SLEEP_S = 0.5
"""The wall clock may jump during a sleep, and so is looked at this often."""

log = logging.getLogger(__name__)

Accept = Callable[[MeterReading], None]
"""Accepts a reading; raises ImplausibleError when it can not be true."""


@dataclass
class PolledMeter:
    """A meter and its back-off."""

    meter: ModbusMeter
    backoff: Backoff = field(default_factory=Backoff)
    refused: str = ""
    """Why it is not recorded though it answers; empty when it is, or does not answer."""


class Poller:
    """Polls the meters of one gateway. A bus that hangs costs the others no slot."""

    def __init__(self, meters: Iterable[ModbusMeter], period_s: int, clock: Clock, accept: Accept) -> None:
        self._buses: dict[str, list[PolledMeter]] = defaultdict(list)
        for meter in meters:
            self._buses[meter.bus.name].append(PolledMeter(meter))
        self._period_s = period_s
        self._clock = clock
        self._accept = accept
        self._done_s = dict.fromkeys(self._buses, 0)
        """The newest slot that each bus has finished."""

    @property
    def lost(self) -> list[str]:
        """Ids of the meters that did not answer when they were asked last."""
        return sorted(p.meter.meter_id for bus in self._buses.values() for p in bus if p.backoff.failures)

    @property
    def done_s(self) -> int:
        """The newest slot (s since 1970) that every bus has finished; without a bus, of all time."""
        now_s = self._clock.now_ms() // 1000
        # One of the future was finished before the clock was set back
        return min((slot_s if slot_s <= now_s else 0 for slot_s in self._done_s.values()), default=2**63 - 1)

    @property
    def refused(self) -> dict[str, str]:
        """Why meters are not recorded though they answer, by meter id."""
        return {p.meter.meter_id: p.refused for bus in self._buses.values() for p in bus if p.refused}

    async def run(self) -> None:
        """Polls until cancelled, then closes the buses."""
        try:
            async with asyncio.TaskGroup() as group:
                # A gateway whose meters all publish by themselves has no bus, and must not end for it
                group.create_task(asyncio.Event().wait())
                for bus in self._buses.values():
                    group.create_task(self._run_bus(bus))
        finally:
            for bus in self._buses.values():
                bus[0].meter.bus.close()

    async def _run_bus(self, bus: list[PolledMeter]) -> None:
        # Once at the start, between slots: whether a meter answers, and its serial number, is known at once
        await self.poll_bus(bus, self._clock.now_ms() // 1000)
        period_ms, last_ms = self._period_s * 1000, self._clock.monotonic_ms()
        while True:
            slot_s = await next_slot(self._clock, self._period_s)
            # By the clock that never jumps: a step of the wall clock is no slot that the bus was too busy for
            now_ms = self._clock.monotonic_ms()
            metrics.SLOTS_MISSED.inc(max(0, (now_ms - last_ms + period_ms // 2) // period_ms - 1))
            last_ms = now_ms
            await self.poll_bus(bus, slot_s)

    async def poll_bus(self, bus: list[PolledMeter], slot_s: int) -> None:
        """Reads every meter of a bus whose back-off is over; those that failed last time come last."""
        offset_ms = self._clock.now_ms() - self._clock.monotonic_ms()
        for polled in sorted(bus, key=lambda p: p.backoff.failures > 0):
            if polled.backoff.may_try(self._clock.monotonic_ms()):
                await self._poll(polled, slot_s, offset_ms)
        self._done_s[bus[0].meter.bus.name] = slot_s

    async def _poll(self, polled: PolledMeter, slot_s: int, offset_ms: int) -> None:
        """Reads a meter; ``offset_ms`` is the wall clock less the monotonic one at the beginning of the slot."""
        meter, begun_ms = polled.meter, self._clock.monotonic_ms()
        try:
            reading = await meter.read(slot_s, self._clock)
            moved_ms = self._clock.now_ms() - self._clock.monotonic_ms() - offset_ms
            if abs(moved_ms) >= STEP_MS:
                # By the clock that counts now it belongs to no slot
                reading = replace(reading, slot_s=reading.read_at_ms // 1000)
            self._accept(reading)
        except MeterError as error:
            metrics.READ_FAILURES.labels(error.code).inc()
            self._note_failure(polled, error)
            return
        metrics.READ_SECONDS.observe((self._clock.monotonic_ms() - begun_ms) / 1000)
        polled.refused = ""
        if polled.backoff.succeeded():
            log.info("meter back", extra={"meter_id": meter.meter_id})

    def _note_failure(self, polled: PolledMeter, error: MeterError) -> None:
        """Pauses the meter, and says once that it is lost, or refused."""
        extra = {"meter_id": polled.meter.meter_id, "reason": str(error)}
        is_news = polled.backoff.failed(self._clock.monotonic_ms())
        refused_before, polled.refused = polled.refused, str(error) if isinstance(error, ProbeError) else ""
        if polled.refused and polled.refused != refused_before:
            log.error("meter refused", extra=extra)
        elif is_news:
            log.warning("meter lost", extra=extra)
        if is_news:
            polled.meter.forget()


async def next_slot(clock: Clock, period_s: int) -> int:
    """Sleeps until the next multiple of the period on the wall clock, and returns it in s since 1970."""
    slot_s = clock.now_ms() // 1000 // period_s * period_s + period_s
    while (missing_ms := slot_s * 1000 - clock.now_ms()) > 0:
        if missing_ms > 2 * period_s * 1000:
            # The wall clock was set back
            slot_s = clock.now_ms() // 1000 // period_s * period_s + period_s
        await asyncio.sleep(min(missing_ms / 1000, MAX_SLEEP_S))
    # The wall clock may have been set forward: what is read now belongs to the present slot
    return max(slot_s, clock.now_ms() // 1000 // period_s * period_s)
