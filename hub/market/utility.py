"""What peers did not cover, pure: one signed figure per participant and interval, at the utility's tariff.

``utility_wh = (export - import) - (sold - bought)``; positive is sold at the export tariff, negative bought at the
import tariff. Settled by the utility, shown on the bill, never on the chain.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from uuid import UUID

from hub.market.auction.residuals import Metered, Position, residual_wh
from hub.market.orders import Rates
from hub.units import Micros, PriceMills, Wh


@dataclass(frozen=True, slots=True)
class UtilityLine:
    """Energy from or to the utility; energy and amount carry the same sign, positive is what the participant gave."""

    participant_id: UUID
    utility_wh: Wh
    tariff_mills: PriceMills
    amount_micros: Micros


def utility_lines(metered: Iterable[Metered], traded: Mapping[UUID, Position], rates: Rates) -> tuple[UtilityLine, ...]:
    """One line for everybody who is metered or has traded, estimates included, in order of participant id."""
    by_id = {m.participant_id: m for m in metered}
    everybody = sorted(by_id.keys() | traded.keys())
    return tuple(_line(by_id.get(p, _unmetered(p)), traded.get(p, Position()), rates) for p in everybody)


def _unmetered(participant: UUID) -> Metered:
    return Metered(participant, Wh(0), Wh(0), valid=False)


def _line(metered: Metered, position: Position, rates: Rates) -> UtilityLine:
    wh = Wh(residual_wh(metered, position))
    tariff = rates.export_tariff_mills if wh >= 0 else rates.import_tariff_mills
    return UtilityLine(metered.participant_id, wh, tariff, Micros(wh * tariff))
