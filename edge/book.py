"""The gateway's book of meters: gives indexes and sequences, judges counters, and turns readings into records."""

import logging
from collections import deque
from collections.abc import Iterable
from contextlib import suppress

from edge.clock import TimeKeeper
from edge.errors import ImplausibleError
from edge.ledger import Batch
from edge.meters.counters import Counters, judge
from edge.meters.readings import MeterReading
from edge.repository import CounterRow, MeterRow
from edge.wire.errors import WireError
from edge.wire.kinds import CounterEvent, MeterDeclared, Reading
from edge.wire.records import decode_record, encode_record

RECENT = 512
"""Publications per meter that are known again when they come twice."""
TRUST_AFTER = 3
"""So many readings in a row that agree with each other win over the one before them."""

log = logging.getLogger(__name__)


class Book:
    """What is known of every meter, in memory; ``Batch`` carries what the ledger must keep of it."""

    def __init__(self, times: TimeKeeper) -> None:
        self._indexes: dict[tuple[str, str, bytes], MeterRow] = {}
        self._next_index = 0
        self._counters: dict[str, CounterRow] = {}
        self._declared: set[int] = set()
        self._doubtful: dict[str, list[Counters]] = {}
        self._recent: dict[str, deque[int]] = {}
        self._times = times

    def recall(self, meters: Iterable[MeterRow], counters: Iterable[CounterRow], first_index: int = 0) -> None:
        """Takes over what the ledger has kept; lower indexes than ``first_index`` may have been given before."""
        self._indexes = {(m.meter_id, m.serial, m.profile_hash): m for m in meters}
        self._next_index = max((m.meter_index + 1 for m in self._indexes.values()), default=first_index)
        self._counters = {row.meter_id: row for row in counters}

    def remember(self, bodies: Iterable[bytes]) -> None:
        """Notes when recent readings were taken, from their records."""
        names = {meter.meter_index: meter.meter_id for meter in self._indexes.values()}
        for body in bodies:
            with suppress(WireError):
                record = decode_record(body)
                if isinstance(record, Reading) and record.meter_index in names:
                    self._note(names[record.meter_index], record.slot_s * 1000 + record.read_offset_ms)

    def is_recorded(self, meter_id: str, read_at_ms: int) -> bool:
        """True when a reading of this moment has been entered already."""
        return read_at_ms in self._recent.get(meter_id, ())

    def _note(self, meter_id: str, read_at_ms: int) -> None:
        self._recent.setdefault(meter_id, deque(maxlen=RECENT)).append(read_at_ms)

    def enter(self, reading: MeterReading, profile: str, profile_hash: bytes, max_power_w: int) -> Batch:
        """The records of a reading: first what its index means, then what happened to its counters, then itself.

        Raises:
            ImplausibleError: it can not be true, and is not recorded.
        """
        before = self._counters.get(reading.meter_id)
        overtaken = before is not None and reading.pushed and reading.read_at_ms < before.read_at_ms
        serial = reading.serial or (before.serial if before else "")
        event = "" if overtaken else self._judge(reading, serial, before, max_power_w)
        batch = Batch()
        meter = self._meter(batch, reading, serial, profile, profile_hash)
        if event and before is not None:
            batch.records.append(encode_record(_event(event, meter.meter_index, reading, before, serial)))
            log.warning("meter counter", extra={"meter_id": reading.meter_id, "counter_event": event})
        sequence = before.sequence + 1 if before else 1
        batch.records.append(encode_record(self._record(reading, meter.meter_index, sequence)))
        newest = before if overtaken and before is not None else reading
        row = CounterRow(
            reading.meter_id, meter.meter_index, sequence, newest.read_at_ms, newest.import_wh, newest.export_wh, serial
        )
        self._note(reading.meter_id, reading.read_at_ms)
        self._counters[reading.meter_id] = batch.counters[reading.meter_id] = row
        return batch

    def _judge(self, reading: MeterReading, serial: str, before: CounterRow | None, max_power_w: int) -> str:
        now = Counters(reading.read_at_ms // 1000, reading.import_wh, reading.export_wh, serial)
        known = None
        if before is not None:
            known = Counters(before.read_at_ms // 1000, before.import_wh, before.export_wh, before.serial)
        judgement = judge(known, now, max_power_w)
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

    def _meter(self, batch: Batch, reading: MeterReading, serial: str, profile: str, profile_hash: bytes) -> MeterRow:
        key = (reading.meter_id, serial, profile_hash)
        meter = self._indexes.get(key)
        if meter is None:
            meter = MeterRow(self._next_index, reading.meter_id, serial, profile, profile_hash)
            self._next_index += 1
            self._indexes[key] = meter
            batch.meters.append(meter)
        if meter.meter_index not in self._declared:
            self._declared.add(meter.meter_index)
            declared = MeterDeclared(
                meter.meter_index, meter.meter_id, serial, profile, profile_hash, max(0, reading.slot_s)
            )
            batch.records.append(encode_record(declared))
        return meter

    def _record(self, reading: MeterReading, index: int, sequence: int) -> Reading:
        return Reading(
            index,
            sequence,
            max(0, reading.slot_s),
            min(max(0, reading.read_at_ms - reading.slot_s * 1000), 2**32 - 1),
            self._times.quality,
            "G",
            reading.flags,
            reading.import_wh,
            reading.export_wh,
            reading.quantities,
        )


def _event(event: str, index: int, now: MeterReading, before: CounterRow, serial: str) -> CounterEvent:
    return CounterEvent(
        index, max(0, now.slot_s), event, before.import_wh, now.import_wh, before.export_wh, now.export_wh, serial
    )
