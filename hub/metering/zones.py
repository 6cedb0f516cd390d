"""Asks the rules over zones, pure: where a feeder meter and those behind it do not agree, the feeder is flagged."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from hub.metering.readings import ExpectedMeter, IntervalReading, Quality
from hub.metering.rules.feeder import ZONE_RULES, Zone

MOST_LOSSES_PERCENT = 5
"""The most of a zone's energy that its lines and its transformer may take."""
_IDS = frozenset(rule.id for rule in ZONE_RULES)


def with_zone_rules(
    length_s: int, meters: Iterable[ExpectedMeter], readings: Sequence[IntervalReading]
) -> list[IntervalReading]:
    """Returns the readings of an interval of ``length_s``, each feeder's with the zone rules that flag it."""
    meters = list(meters)
    by_id = {reading.meter_id: _without_zone_rules(reading) for reading in readings}
    for feeder in meters:
        if feeder.kind != "feeder" or feeder.meter_id not in by_id:
            continue
        behind = [
            by_id[meter.meter_id]
            for meter in meters
            if meter.zone == feeder.zone and meter.kind != "feeder" and meter.meter_id in by_id
        ]
        own = by_id[feeder.meter_id]
        zone = Zone(
            feeder, length_s, own.energy, [reading.energy for reading in behind],
            complete=all(reading.quality is Quality.VALID for reading in (own, *behind)),
        )  # fmt: skip
        flagged = tuple(rule.id for rule in ZONE_RULES if rule.flags(zone, MOST_LOSSES_PERCENT))
        by_id[feeder.meter_id] = replace(own, rules=own.rules + flagged)
    return [by_id[reading.meter_id] for reading in readings]


def _without_zone_rules(reading: IntervalReading) -> IntervalReading:
    """Returns what the rules over the meter alone say; a correction asks those over the zone again."""
    return replace(reading, rules=tuple(rule for rule in reading.rules if rule not in _IDS))
