"""Turns readings into records: gives meter indexes and sequences, and a state to what is in doubt."""

import logging
from collections.abc import Iterable
from contextlib import suppress

from edge.errors import ImplausibleError
from edge.meters.doubts import Known, Verdict, judge, overtaken, trouble
from edge.meters.endings import Ending
from edge.meters.known_text import from_text, to_text
from edge.meters.meter_kind import MeterKind
from edge.meters.points import Point, not_before
from edge.meters.publications import Publications
from edge.meters.readings import MeterReading
from edge.runtime.clock import STEP_MS, TimeKeeper
from edge.store.batch import Batch
from edge.store.repository import CounterRow, KnownRow, MeterRow
from edge.wire.errors import WireError
from edge.wire.kinds import FLAG_GATEWAY_TIME, CounterEvent, MeterDeclared, Reading, Record
from edge.wire.records import encode_record

log = logging.getLogger(__name__)


class RecordBuilder:
    """Keeps what is known of every meter in memory; a ``Batch`` carries what the ledger must keep."""

    def __init__(self, times: TimeKeeper) -> None:
        self._meters: dict[tuple[str, str, bytes], MeterRow] = {}
        """By meter id, serial number and profile hash."""
        self._ids: dict[int, str] = {}
        """Meter ids by meter index."""
        self._next_index = 0
        self._counters: dict[str, CounterRow] = {}
        self._known: dict[str, Known] = {}
        """What a meter's next reading is judged by, by meter id."""
        self._declared: set[int] = set()
        """Meter indexes that a record of this boot has declared."""
        self.publications = Publications()
        self._times = times

    def restore(
        self,
        meters: Iterable[MeterRow],
        counters: Iterable[CounterRow],
        known: Iterable[KnownRow] = (),
        messages: Iterable[tuple[str, bytes]] = (),
        first_index: int = 0,
    ) -> None:
        """Restores what the ledger has kept; a lost file may have given indexes below ``first_index``."""
        self._meters = {(m.meter_id, m.serial, m.profile_hash): m for m in meters}
        self._ids = {m.meter_index: m.meter_id for m in self._meters.values()}
        self._next_index = max((m.meter_index + 1 for m in self._meters.values()), default=first_index)
        self._counters = {row.meter_id: row for row in counters}
        # Earlier agents kept the newest registers alone
        self._known = {row.meter_id: Known(_point(row)) for row in self._counters.values()}
        self.publications.restore(messages)
        boot_id = self._times.kernel_boot_id
        for row in known:
            with suppress(ValueError):
                self._known[row.meter_id] = from_text(
                    row.known, same_boot=any(boot_id) and row.kernel_boot_id == boot_id
                )

    def forget(self, reading: Reading) -> None:
        """Forgets a reading that was dropped before it was durable: when it comes again it is recorded."""
        self.publications.forget(self._ids.get(reading.meter_index, ""), reading.sequence)

    @property
    def troubles(self) -> dict[str, str]:
        """What is in doubt, by meter id, of the meters that something of is."""
        said = {meter_id: trouble(known) for meter_id, known in self._known.items()}
        return {meter_id: text for meter_id, text in said.items() if text}

    def build(self, reading: MeterReading, kind: MeterKind) -> Batch:
        """Builds the records of a reading: what its meter index means, the reading, and how a doubt ended with it.

        The first and the last only where they are news.

        Raises:
            ImplausibleError: no record can hold it.
        """
        before = self._counters.get(reading.meter_id)
        known = self._known.get(reading.meter_id, Known())
        sequence = before.sequence + 1 if before else 1
        verdict = _judge(known, reading, sequence, kind)
        serial = reading.serial or (before.serial if before else "")
        run = verdict.known.run
        if before is not None and before.serial and run is not None and run.count == 1:
            # No index for a serial number that came once: there are 65,536 of them, and a noisy line has many numbers
            serial = before.serial
        meter = self._meter(reading.meter_id, serial, kind)
        records: list[Record] = []
        if meter.meter_index not in self._declared:
            records.append(_declaration(meter, reading))
        records.append(self._reading_record(reading, meter.meter_index, sequence, verdict.letter))
        if verdict.ending is not None:
            records.append(_counter_event(verdict.ending, meter.meter_index, reading))
        row = _counter_row(reading, meter.meter_index, sequence, serial, verdict.known)
        # Encoding refuses what no record can hold, and so comes before anything is kept
        batch = Batch(_encoded(reading.meter_id, records), counters={reading.meter_id: row})
        _log(reading.meter_id, known, verdict)
        self._keep(batch, meter, row, verdict.known)
        if reading.message:
            forgotten = self.publications.add(reading.meter_id, reading.message, reading.monotonic_ms, sequence)
            batch.messages = [(reading.meter_id, reading.message)]
            batch.forgotten = [(reading.meter_id, digest) for digest in forgotten]
        return batch

    def _keep(self, batch: Batch, meter: MeterRow, row: CounterRow, known: Known) -> None:
        key = (meter.meter_id, meter.serial, meter.profile_hash)
        if key not in self._meters:
            self._meters[key] = meter
            self._ids[meter.meter_index] = meter.meter_id
            self._next_index = meter.meter_index + 1
            batch.meters.append(meter)
        self._declared.add(meter.meter_index)
        self._counters[meter.meter_id] = row
        self._known[meter.meter_id] = known
        batch.known[meter.meter_id] = KnownRow(meter.meter_id, self._times.kernel_boot_id, to_text(known))

    def _meter(self, meter_id: str, serial: str, kind: MeterKind) -> MeterRow:
        """Returns the meter with the index it has, or with the next one."""
        row = self._meters.get((meter_id, serial, kind.profile_hash))
        return row or MeterRow(self._next_index, meter_id, serial, kind.profile, kind.profile_hash)

    def _reading_record(self, reading: MeterReading, index: int, sequence: int, state: str) -> Reading:
        offset_ms = reading.read_at_ms - reading.slot_s * 1000
        return Reading(
            index,
            sequence,
            reading.slot_s,
            # The clock may be set back while the meter answers; less than a step of it makes no reading wrong
            max(0, offset_ms) if offset_ms > -STEP_MS else offset_ms,
            self._times.quality,
            state,
            reading.flags,
            reading.import_wh,
            reading.export_wh,
            reading.quantities,
        )


def _judge(known: Known, reading: MeterReading, sequence: int, kind: MeterKind) -> Verdict:
    now = Point(
        sequence, reading.read_at_ms, reading.monotonic_ms, reading.late_ms, reading.import_wh, reading.export_wh,
        reading.serial,
    )  # fmt: skip
    # One that has the gateway's time came when it says
    own_time = reading.message and not reading.flags & FLAG_GATEWAY_TIME
    if own_time and (state := overtaken(known, now)) is not None:
        return Verdict(state, known)
    newest = known.run.last if known.run is not None else known.baseline
    return judge(known, not_before(newest, now), kind.rules)


def _counter_row(reading: MeterReading, index: int, sequence: int, serial: str, known: Known) -> CounterRow:
    """The newest registers that count; before there are any, those of the reading."""
    if (point := known.baseline) is None:
        at_ms, import_wh, export_wh = reading.read_at_ms, reading.import_wh, reading.export_wh
    else:
        at_ms, import_wh, export_wh, serial = point.at_ms, point.import_wh, point.export_wh, point.serial
    return CounterRow(reading.meter_id, index, sequence, at_ms, import_wh, export_wh, serial)


def _point(row: CounterRow) -> Point:
    return Point(row.sequence, row.read_at_ms, None, 0, row.import_wh, row.export_wh, row.serial)


def _encoded(meter_id: str, records: Iterable[Record]) -> list[bytes]:
    try:
        return [encode_record(record) for record in records]
    except WireError as error:
        raise ImplausibleError(f"{meter_id}: {error}; not recorded") from error


def _declaration(meter: MeterRow, reading: MeterReading) -> MeterDeclared:
    at_s = max(0, reading.slot_s)
    return MeterDeclared(meter.meter_index, meter.meter_id, meter.serial, meter.profile, meter.profile_hash, at_s)


def _counter_event(ending: Ending, index: int, now: MeterReading) -> CounterEvent:
    before, first = ending.before, ending.first
    return CounterEvent(
        meter_index=index,
        slot_s=max(0, now.slot_s),
        event=ending.event,
        last_sequence=ending.last_sequence,
        first_sequence=ending.first_sequence,
        confirmed_sequence=ending.confirmed_sequence,
        import_before_wh=before.import_wh if before else 0,
        import_after_wh=first.import_wh,
        export_before_wh=before.export_wh if before else 0,
        export_after_wh=first.export_wh,
        import_width_wh=ending.import_width_wh,
        export_width_wh=ending.export_width_wh,
        serial_before=ending.serial_before,
        serial=ending.serial,
    )


def _log(meter_id: str, before: Known, verdict: Verdict) -> None:
    """Says that a doubt began, and how one ended."""
    ending = verdict.ending
    if ending is not None and ending.event == "first":
        log.info("meter counts", extra={"meter_id": meter_id})
    elif ending is not None:
        extra = {"meter_id": meter_id, "counter_event": ending.event, "first_sequence": ending.first_sequence}
        log.warning("meter counter", extra=extra)
    elif before.baseline is None:
        return
    elif before.run is None and verdict.known.run is not None:
        log.warning("meter in doubt", extra={"meter_id": meter_id, "reason": trouble(verdict.known)})
    elif before.run is not None and verdict.known.run is None:
        log.info("meter counts as before", extra={"meter_id": meter_id, "readings_in_doubt": before.run.count})
