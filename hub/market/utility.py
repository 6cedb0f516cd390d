"""Computes the utility energy, pure: one signed figure per participant and interval, at the utility's tariff.

``utility_wh = (export - import) - (sold - bought)``. Positive energy is sold at the export tariff, negative energy is
bought at the import tariff. The utility settles it; it is on the bill, but not on the chain.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from uuid import UUID

from hub.market.auction.residuals import MeteredEnergy, Position, residual_wh
from hub.market.orders import Rates
from hub.units import Micros, PriceMills, Wh


@dataclass(frozen=True, slots=True)
class UtilityLine:
    """A participant's energy with the utility, and its amount; both are positive when the participant sold."""

    participant_id: UUID
    utility_wh: Wh
    tariff_mills: PriceMills
    amount_micros: Micros


def utility_lines(
    metered: Iterable[MeteredEnergy], traded: Mapping[UUID, Position], rates: Rates
) -> tuple[UtilityLine, ...]:
    """Returns a line for every participant with a meter (estimates included) or a trade, sorted by participant id."""
    by_id = {energy.participant_id: energy for energy in metered}
    participant_ids = sorted(by_id.keys() | traded.keys())
    return tuple(_line(by_id.get(p, _unmetered(p)), traded.get(p, Position()), rates) for p in participant_ids)


def _unmetered(participant: UUID) -> MeteredEnergy:
    return MeteredEnergy(participant, Wh(0), Wh(0), valid=False)


def _line(metered: MeteredEnergy, position: Position, rates: Rates) -> UtilityLine:
    wh = Wh(residual_wh(metered, position))
    tariff = rates.export_tariff_mills if wh >= 0 else rates.import_tariff_mills
    return UtilityLine(metered.participant_id, wh, tariff, Micros(wh * tariff))
