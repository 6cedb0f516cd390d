"""The one query for what meters' registers were: readings and counter events around a span of time.

Whatever computes energy asks here, so that how readings are stored can change.
"""

from collections import defaultdict
from collections.abc import Sequence

from edge.wire.kinds import CounterEvent
from hub.clock import at_s, to_ms, to_s
from hub.metering.readings import Decision, Energy, MeterEvent, MeterHistory, MeterReading
from hub.postgres.db import Connection, Record
from hub.units import Wh

REACH_S = 41 * 86_400
"""Readings further from the span than this are not looked for: corrections end 40 days after an interval."""
FEW, MANY = 8, 60
"""Readings on each side of the span: few tell a misread from a new run of the counter; many also see through registers
that were wrong for most of an hour."""

_COLUMNS = """meter_id, reading_id, boot_id, meter_sequence, slot_at, read_at, import_wh, export_wh, active_power_w,
    meter_state, time_quality, doubt, flags"""
# Of each side also readings that nobody doubted: a doubt may have lasted longer than the neighbours reach
_READINGS = f"""
SELECT DISTINCT r.* FROM unnest($1::text[]) AS m (meter_id) CROSS JOIN LATERAL (
    (SELECT {_COLUMNS} FROM readings WHERE meter_id = m.meter_id AND slot_at >= $2 AND slot_at <= $3)
    UNION ALL
    (SELECT {_COLUMNS} FROM readings WHERE meter_id = m.meter_id AND slot_at < $2 AND slot_at >= $4
     ORDER BY slot_at DESC LIMIT $6)
    UNION ALL
    (SELECT {_COLUMNS} FROM good_readings WHERE meter_id = m.meter_id AND slot_at < $2 AND slot_at >= $4
     ORDER BY slot_at DESC LIMIT 2)
    UNION ALL
    (SELECT {_COLUMNS} FROM readings WHERE meter_id = m.meter_id AND slot_at > $3 AND slot_at <= $5
     ORDER BY slot_at LIMIT $6)
    UNION ALL
    (SELECT {_COLUMNS} FROM good_readings WHERE meter_id = m.meter_id AND slot_at > $3 AND slot_at <= $5
     ORDER BY slot_at LIMIT 2)
) AS r
"""  # noqa: S608 - constant column names
_EVENTS = """
SELECT meter_id, boot_id, slot_at, event, last_sequence, first_sequence, confirmed_sequence, import_before_wh,
    import_after_wh, export_before_wh, export_after_wh, import_width_wh, export_width_wh,
    -- An agent that lost its memory knows no meter before: the hub knows what the agent before it declared
    CASE WHEN event = 'first' AND serial_before = '' THEN coalesce((
        SELECT d.serial FROM meter_declarations d CROSS JOIN LATERAL (
            SELECT min(f.sealed_at) AS begun_at FROM frames f
            WHERE f.gateway_id = d.gateway_id AND f.boot_id = d.boot_id
        ) AS boot
        WHERE d.meter_id = e.meter_id AND (d.gateway_id, d.boot_id) <> (e.gateway_id, e.boot_id) AND d.serial <> ''
          AND boot.begun_at < e.slot_at
        ORDER BY boot.begun_at DESC LIMIT 1
    ), '') ELSE serial_before END AS serial_before, serial
FROM meter_events e WHERE meter_id = ANY($1::text[]) AND slot_at >= $2 AND slot_at <= $3 ORDER BY slot_at, stored_at
"""


_ENTERED = """
SELECT meter_id, changed_at, import_before_wh, import_after_wh, export_before_wh, export_after_wh
FROM entered_registers WHERE meter_id = ANY($1::text[]) AND changed_at >= $2 AND changed_at <= $3
ORDER BY changed_at, entry_id
"""
_DECISIONS = """
SELECT meter_id, kind, start_at, end_at, import_wh, export_wh FROM energy_decisions
WHERE meter_id = ANY($1::text[]) AND end_at >= $2 AND start_at <= $3 ORDER BY decision_id
"""
NO_SEQUENCE = 2**63 - 1
"""Of no reading: the first reading after the moment opens what a person entered."""


async def histories(
    connection: Connection, start_s: int, end_s: int, meter_ids: Sequence[str], neighbours: int = FEW
) -> dict[str, MeterHistory]:
    """Returns by meter id the readings of [start, end], both included, with neighbours on each side, and its events.

    What a person entered is an event like one that a gateway signed; what a person decided is told apart.

    Times in s since 1970.
    """
    span, reach = (at_s(start_s), at_s(end_s)), (at_s(start_s - REACH_S), at_s(end_s + REACH_S))
    readings: defaultdict[str, list[MeterReading]] = defaultdict(list)
    for row in await connection.fetch(_READINGS, list(meter_ids), *span, *reach, neighbours):
        readings[row["meter_id"]].append(_reading(row))
    events: defaultdict[str, list[MeterEvent]] = defaultdict(list)
    for row in await connection.fetch(_EVENTS, list(meter_ids), *reach):
        events[row["meter_id"]].append(_event(row))
    for row in await connection.fetch(_ENTERED, list(meter_ids), *reach):
        events[row["meter_id"]].append(_entered(row))
    decisions: defaultdict[str, list[Decision]] = defaultdict(list)
    for row in await connection.fetch(_DECISIONS, list(meter_ids), *reach):
        decisions[row["meter_id"]].append(_decision(row))
    return {name: MeterHistory(readings[name], events[name], decisions[name]) for name in meter_ids}


def _reading(row: Record) -> MeterReading:
    _, reading_id, boot_id, sequence, slot_at, read_at, import_wh, export_wh, power_w, *remarks = row
    times = to_s(slot_at), to_ms(read_at)
    return MeterReading(reading_id, boot_id, sequence, *times, Wh(import_wh), Wh(export_wh), power_w, *remarks)


def _event(row: Record) -> MeterEvent:
    _, boot_id, slot_at, *fields = row
    # The index that the gateway gave the meter means nothing here
    return MeterEvent(boot_id, CounterEvent(0, to_s(slot_at), *fields))


def _entered(row: Record) -> MeterEvent:
    _, changed_at, *registers = row
    sequences = NO_SEQUENCE - 1, NO_SEQUENCE, NO_SEQUENCE
    return MeterEvent(b"", CounterEvent(0, to_s(changed_at), "swap", *sequences, *registers), entered=True)


def _decision(row: Record) -> Decision:
    _, kind, start_at, end_at, import_wh, export_wh = row
    energy = None if import_wh is None else Energy(Wh(import_wh), Wh(export_wh))
    return Decision(kind, to_s(start_at), to_s(end_at), energy)
