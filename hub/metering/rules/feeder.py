"""The rule over a zone: what its feeder meter counts, against the sum of the meters behind it."""

from collections.abc import Sequence
from dataclasses import dataclass

from hub.metering.readings import Energy, ExpectedMeter
from hub.metering.rules.rule import Effect, ZoneRule
from hub.metering.rules.window import LEAST_WH

UNCERTAIN_PERCENT = 2
"""Meters of class B are right to 1 % each; the feeder's and the sum of the others may lie on either side."""


@dataclass(frozen=True, slots=True)
class Zone:
    """The energy of a zone's feeder and of every other meter in it, in one interval of ``length_s``."""

    feeder: ExpectedMeter
    length_s: int
    through_feeder: Energy
    behind_it: Sequence[Energy]
    complete: bool
    """Whether every one of them is valid; with an estimate among them the sum says nothing."""


def feeder_disagrees(zone: Zone, losses_percent: int) -> bool:
    """Whether energy in less energy out and losses is not the sum of the meters.

    Losses lie between 0 and ``losses_percent`` of all that flows behind the feeder.
    """
    if not zone.complete:
        return False
    through_wh = zone.through_feeder.import_wh - zone.through_feeder.export_wh
    taken_wh = sum(energy.import_wh - energy.export_wh for energy in zone.behind_it)
    flowing_wh = sum(energy.import_wh + energy.export_wh for energy in zone.behind_it)
    uncertain_wh = max(LEAST_WH, zone.feeder.rated_power_w * zone.length_s * UNCERTAIN_PERCENT // (3600 * 100))
    most_lost_wh = flowing_wh * losses_percent // 100
    return not -uncertain_wh <= through_wh - taken_wh <= uncertain_wh + most_lost_wh


ZONE_RULES = (
    ZoneRule("feeder_disagrees", Effect.NOTE, feeder_disagrees,
             "The meters of a zone do not sum up to its feeder meter.",
             "Look for a meter of the zone that is missing, wrong or bypassed."),
)  # fmt: skip
"""Rules over all meters of a zone; they flag its feeder, as they cannot say which meter is wrong."""
