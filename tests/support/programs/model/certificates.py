"""Certificates of one interval in plain Python: which revision they follow, what is issued, and what producers owe."""

from collections import Counter
from dataclasses import dataclass, field, replace

from support.programs.certified import HOUR_S, MeterEnergy

FORTY_DAYS_S = 40 * 24 * HOUR_S + HOUR_S
IN_FORCE_S = 73 * HOUR_S
STANDS_S = 72 * HOUR_S
ISSUING_BODY = "body"
Place = tuple[str, int, int]
"""A holding: its meter, the number of its certificate, and its number there."""


@dataclass(frozen=True)
class Part:
    """A holding, as it should be."""

    holder: str
    wh: int
    cancelled: bool = False


@dataclass
class Production:
    """The certificates of a meter: each a list of holdings; which revision they follow, and its Wh."""

    certificates: list[list[Part]] = field(default_factory=list)
    revision: int = 0
    counted_wh: int = 0


@dataclass
class Certificates:
    """The certificates of an interval's meters."""

    owners: dict[str, str]
    """The owner of each meter."""
    end_s: int
    now: int
    revisions: list[tuple[int, dict[str, MeterEnergy]]]
    """When each was attested, and the energy of each meter."""
    meters: dict[str, Production] = field(init=False)
    debts_wh: Counter[str] = field(default_factory=Counter)
    """What each owner owes."""

    def __post_init__(self) -> None:
        self.meters = {meter_id: Production() for meter_id in self.owners}

    def attest(self, energy: dict[str, MeterEnergy]) -> bool:
        """Whether the next revision is accepted; it is attested."""
        if self.now > self.end_s + FORTY_DAYS_S:
            return False
        self.revisions.append((self.now, energy))
        return True

    def in_force(self) -> int | None:
        """The revision that certificates follow: the newest of 73 hours after the end, or of those that have stood."""
        standing = [
            number
            for number, (attested_s, _) in enumerate(self.revisions, 1)
            if attested_s <= self.end_s + IN_FORCE_S or self.now >= attested_s + STANDS_S
        ]
        newest = standing[-1]
        stands = self.now >= self.revisions[newest - 1][0] + STANDS_S
        return newest if stands and self.now > self.end_s + IN_FORCE_S else None

    def _certifiable_wh(self, meter_id: str, revision: int) -> int | None:
        if revision != self.in_force() or revision <= self.meters[meter_id].revision:
            return None
        return self.revisions[revision - 1][1][meter_id].certifiable_wh

    def withheld_wh(self, meter_id: str, revision: int) -> tuple[int, int]:
        """How many Wh an issue by this revision would claim, and how many of them would pay the debt."""
        attested = self.revisions[revision - 1][1][meter_id].certifiable_wh
        claimed = max(attested - self.meters[meter_id].counted_wh, 0)
        return claimed, min(claimed, self.debts_wh[self.owners[meter_id]])

    def issue(self, meter_id: str, revision: int, number: int, signer: str, all_withheld: bool) -> bool:
        """Whether the issue is allowed; it happens."""
        made, attested = self.meters[meter_id], self._certifiable_wh(meter_id, revision)
        claimed, withheld = self.withheld_wh(meter_id, revision)
        if signer != ISSUING_BODY or attested is None or claimed == 0 or number != len(made.certificates):
            return False
        if all_withheld != (withheld == claimed):
            return False
        owner = self.owners[meter_id]
        self.debts_wh[owner] -= withheld
        made.certificates.append([] if all_withheld else [Part(owner, claimed - withheld)])
        made.revision, made.counted_wh = revision, attested
        return True

    def take_back(self, meter_id: str, revision: int) -> bool:
        """Whether the revision takes something back; it does."""
        made, attested = self.meters[meter_id], self._certifiable_wh(meter_id, revision)
        if attested is None or attested >= made.counted_wh:
            return False
        self.debts_wh[self.owners[meter_id]] += made.counted_wh - attested
        made.revision, made.counted_wh = revision, attested
        return True

    def cut(self, place: Place, signer: str, wh: int) -> bool:
        """Whether the slice is allowed; it happens."""
        parts, number = self._parts(place), place[2]
        part = parts[number]
        if part.cancelled or part.holder != signer or not 0 < wh < part.wh:
            return False
        parts[number] = replace(part, wh=part.wh - wh)
        parts.append(Part(signer, wh))
        return True

    def transfer(self, place: Place, signer: str, to: str, wh: int) -> bool:
        """Whether the transfer is allowed; it happens."""
        parts, number = self._parts(place), place[2]
        part = parts[number]
        if part.cancelled or part.holder != signer or wh != part.wh or to == signer:
            return False
        parts[number] = replace(part, holder=to)
        return True

    def cancel(self, place: Place, signer: str) -> bool:
        """Whether the cancellation is allowed; it happens."""
        parts, number = self._parts(place), place[2]
        part = parts[number]
        if part.cancelled or part.holder != signer:
            return False
        parts[number] = replace(part, cancelled=True)
        return True

    def _parts(self, place: Place) -> list[Part]:
        return self.meters[place[0]].certificates[place[1]]
