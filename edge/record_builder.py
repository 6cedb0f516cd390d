"""Turns readings into records: gives meter indexes and sequences, and refuses counters that can not be true."""

import logging
from collections import deque
from collections.abc import Iterable
from contextlib import suppress

from edge.errors import ImplausibleError
from edge.meters.counters import Counters, judge
from edge.meters.readings import MeterReading
from edge.runtime.clock import STEP_MS, TimeKeeper
from edge.store.batch import Batch
from edge.store.repository import CounterRow, MeterRow
from edge.wire.errors import WireError
from edge.wire.kinds import CounterEvent1, MeterDeclared, Reading, Record
from edge.wire.records import decode_record, encode_record

RECENT = 512
"""Publications per meter that are recognised when they come again."""
TRUST_AFTER = 3
"""This many implausible readings in a row that agree with each other are believed: the one before them was wrong."""

log = logging.getLogger(__name__)


class RecordBuilder:
    """Keeps every meter's index, counters and recent times in memory; a ``Batch`` carries what the ledger must keep."""

    def __init__(self, times: TimeKeeper) -> None:
        self._meters: dict[tuple[str, str, bytes], MeterRow] = {}
        """By meter id, serial number and profile hash."""
        self._ids: dict[int, str] = {}
        """Meter ids by meter index."""
        self._next_index = 0
        self._counters: dict[str, CounterRow] = {}
        self._declared: set[int] = set()
        """Meter indexes that a record of this boot has declared."""
        self._doubtful: dict[str, list[Counters]] = {}
        """Implausible readings in a row that agree with each other, by meter id."""
        self._recent_ms: dict[str, deque[int]] = {}
        """When recent readings were taken, by meter id."""
        self._times = times

    def restore(self, meters: Iterable[MeterRow], counters: Iterable[CounterRow], first_index: int = 0) -> None:
        """Restores what the ledger has kept; a lost file may have given indexes below ``first_index``."""
        self._meters = {(m.meter_id, m.serial, m.profile_hash): m for m in meters}
        self._ids = {m.meter_index: m.meter_id for m in self._meters.values()}
        self._next_index = max((m.meter_index + 1 for m in self._meters.values()), default=first_index)
        self._counters = {row.meter_id: row for row in counters}

    def restore_recent(self, bodies: Iterable[bytes]) -> None:
        """Restores when recent readings were taken, from their encoded records; damaged ones are passed over."""
        for body in bodies:
            with suppress(WireError):
                record = decode_record(body)
                if isinstance(record, Reading) and record.meter_index in self._ids:
                    self._add_recent(self._ids[record.meter_index], record.slot_s * 1000 + record.read_offset_ms)

    def forget(self, reading: Reading) -> None:
        """Forgets a reading that was dropped before it was durable: when it comes again it is recorded."""
        recent_ms = self._recent_ms.get(self._ids.get(reading.meter_index, ""), deque())
        with suppress(ValueError):
            recent_ms.remove(reading.slot_s * 1000 + reading.read_offset_ms)

    def is_recorded(self, meter_id: str, read_at_ms: int) -> bool:
        """Returns whether a reading of this moment was recorded recently (ms since 1970)."""
        return read_at_ms in self._recent_ms.get(meter_id, ())

    def _add_recent(self, meter_id: str, read_at_ms: int) -> None:
        self._recent_ms.setdefault(meter_id, deque(maxlen=RECENT)).append(read_at_ms)

    def build(self, reading: MeterReading, profile: str, profile_hash: bytes, max_power_w: int) -> Batch:
        """Builds the records of a reading: what its meter index means, what happened to its counters, the reading.

        The first two only where they are news. ``max_power_w`` is the most that the meter can measure.

        Raises:
            ImplausibleError: it can not be true, or no record can hold it; it is not recorded.
        """
        before = self._counters.get(reading.meter_id)
        overtaken = before is not None and reading.pushed and self._is_overtaken(reading, before)
        serial = reading.serial or (before.serial if before else "")
        event = "" if overtaken else self._judge(reading, serial, before, max_power_w)
        meter = self._meter(reading.meter_id, serial, profile, profile_hash)
        sequence = before.sequence + 1 if before else 1
        records: list[Record] = []
        if meter.meter_index not in self._declared:
            records.append(_declaration(meter, reading))
        if event and before is not None:
            records.append(_counter_event(event, meter.meter_index, reading, before, serial))
        records.append(self._reading_record(reading, meter.meter_index, sequence))
        newest = before if overtaken and before is not None else reading
        row = CounterRow(
            reading.meter_id, meter.meter_index, sequence, newest.read_at_ms, newest.import_wh, newest.export_wh, serial
        )
        # Encoding refuses what no record can hold, and so comes before anything is kept
        batch = Batch(_encoded(reading.meter_id, records), counters={reading.meter_id: row})
        if event and before is not None:
            log.warning("meter counter", extra={"meter_id": reading.meter_id, "counter_event": event})
        self._keep(batch, meter, row, reading.read_at_ms)
        return batch

    def _keep(self, batch: Batch, meter: MeterRow, row: CounterRow, read_at_ms: int) -> None:
        key = (meter.meter_id, meter.serial, meter.profile_hash)
        if key not in self._meters:
            self._meters[key] = meter
            self._ids[meter.meter_index] = meter.meter_id
            self._next_index = meter.meter_index + 1
            batch.meters.append(meter)
        self._declared.add(meter.meter_index)
        self._counters[meter.meter_id] = row
        self._add_recent(meter.meter_id, read_at_ms)

    def _is_overtaken(self, reading: MeterReading, before: CounterRow) -> bool:
        """Returns whether a newer publication was recorded before; one from the future does not count as newer."""
        return reading.read_at_ms < before.read_at_ms <= self._times.now_ms

    def _judge(self, reading: MeterReading, serial: str, before: CounterRow | None, max_power_w: int) -> str:
        now = Counters(reading.read_at_ms // 1000, reading.import_wh, reading.export_wh, serial)
        last = None
        if before is not None:
            last = Counters(before.read_at_ms // 1000, before.import_wh, before.export_wh, before.serial)
        judgement = judge(last, now, max_power_w)
        if judgement.plausible:
            self._doubtful.pop(reading.meter_id, None)
            return judgement.event
        doubtful = self._doubtful.setdefault(reading.meter_id, [])
        if doubtful and not judge(doubtful[-1], now, max_power_w).plausible:
            doubtful.clear()
        doubtful.append(now)
        if len(doubtful) < TRUST_AFTER:
            raise ImplausibleError(f"{reading.meter_id}: {judgement.reason}; not recorded")
        self._doubtful.pop(reading.meter_id)
        return "swap"

    def _meter(self, meter_id: str, serial: str, profile: str, profile_hash: bytes) -> MeterRow:
        """Returns the meter with the index it has, or with the next one."""
        row = self._meters.get((meter_id, serial, profile_hash))
        return row or MeterRow(self._next_index, meter_id, serial, profile, profile_hash)

    def _reading_record(self, reading: MeterReading, index: int, sequence: int) -> Reading:
        offset_ms = reading.read_at_ms - reading.slot_s * 1000
        return Reading(
            index,
            sequence,
            reading.slot_s,
            # The clock may be set back while the meter answers; less than a step of it makes no reading wrong
            max(0, offset_ms) if offset_ms > -STEP_MS else offset_ms,
            self._times.quality,
            "G",
            reading.flags,
            reading.import_wh,
            reading.export_wh,
            reading.quantities,
        )


def _encoded(meter_id: str, records: Iterable[Record]) -> list[bytes]:
    try:
        return [encode_record(record) for record in records]
    except WireError as error:
        raise ImplausibleError(f"{meter_id}: {error}; not recorded") from error


def _declaration(meter: MeterRow, reading: MeterReading) -> MeterDeclared:
    at_s = max(0, reading.slot_s)
    return MeterDeclared(meter.meter_index, meter.meter_id, meter.serial, meter.profile, meter.profile_hash, at_s)


def _counter_event(event: str, index: int, now: MeterReading, before: CounterRow, serial: str) -> CounterEvent1:
    return CounterEvent1(
        index, max(0, now.slot_s), event, before.import_wh, now.import_wh, before.export_wh, now.export_wh, serial
    )
