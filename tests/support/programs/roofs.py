"""Three meters of two people, and later revisions of what they have exported."""

from dataclasses import dataclass

from support.programs.campus_chain import INTERVAL_S
from support.programs.certified import OBJECTION_S, SETTLED_S, Certified, MeterEnergy
from support.programs.invariants import check_certificates
from support.programs.market_chain import Exchange
from support.programs.svm import START

NEXT = START + INTERVAL_S
IN_FORCE = START + INTERVAL_S + SETTLED_S
OWNERS = {"FLAT_1": "bob", "ROOF_1": "ann", "ROOF_2": "bob"}


@dataclass
class Roofs:
    """Ann's meter and two of Bob's, on which revision 1 is certified from `IN_FORCE` on."""

    certified: Certified

    def attest(
        self, ann_wh: int, bob_wh: int = 700, revision: int = 1, start_s: int = START, quality: str = "valid"
    ) -> None:
        """Attests what the roofs have exported; the quality is Ann's."""
        roofs = {"ROOF_1": MeterEnergy(export_wh=ann_wh, quality=quality), "ROOF_2": MeterEnergy(export_wh=bob_wh)}
        self.certified.attest(start_s, {"FLAT_1": MeterEnergy(import_wh=9)} | roofs, revision)

    def revise(self, ann_wh: int, revision: int, bob_wh: int = 700, quality: str = "valid") -> None:
        """Attests a later revision, and waits until it has stood."""
        self.attest(ann_wh, bob_wh, revision, quality=quality)
        self.certified.campus.chain.advance(OBJECTION_S)

    def check(self) -> None:
        """Checks sums and debts of all meters."""
        check_certificates(self.certified, list(OWNERS), [START, NEXT])

    def wh(self, meter_id: str = "ROOF_1", start_s: int = START, number: int = 0) -> tuple[int, int]:
        """Face value and withheld Wh of a certificate."""
        found = self.certified.certificate(meter_id, start_s, number)
        return found.face_value_wh, found.withheld_wh

    @property
    def debts(self) -> tuple[int, int]:
        """What Ann and Bob owe, in Wh."""
        ann, bob = (self.certified.debt_wh(self.certified.owners[meter].pubkey()) for meter in ("ROOF_1", "ROOF_2"))
        return ann, bob


def certified_roofs(exchange: Exchange) -> Roofs:
    """Attested once and in force: Ann's 1,000 Wh and Bob's 700."""
    found = Roofs(Certified(exchange))
    for meter_id, owner in OWNERS.items():
        found.certified.meter(meter_id, owner)
    found.attest(1_000)
    found.certified.campus.chain.set_time(IN_FORCE)
    return found
