"""The oracle and the energy token in plain Python: what was attested, and how much of it is minted and burned."""

from dataclasses import dataclass, field

from support.programs.campus_chain import INTERVAL_S
from support.programs.model.refusal import demand

ATTESTORS_NEEDED = 2
CORRECTION_S = 40 * 86_400 + 3_600
MINTABLE_S = 7 * 86_400
METERS = 3
MOST_WH = METERS * 100_000_000 * INTERVAL_S // 3_600


@dataclass
class Minted:
    """An interval's energy."""

    wh: int
    burned: bool = False


@dataclass
class Attested:
    """Attested export by start and revision, first attestations in Unix seconds, and what was minted by start."""

    export_wh: dict[tuple[int, int], int] = field(default_factory=dict)
    first_s: dict[int, int] = field(default_factory=dict)
    minted: dict[int, Minted] = field(default_factory=dict)

    def attest(self, start_s: int, revision: int, export_wh: int, signers: int, now: int) -> None:
        """Once per revision; corrections follow each other, until 40 days and an hour after the interval."""
        end_s = start_s + INTERVAL_S
        demand(now >= end_s and signers >= ATTESTORS_NEEDED and export_wh <= MOST_WH)
        demand((start_s, revision) not in self.export_wh)
        if revision != 1:
            demand((start_s, revision - 1) in self.export_wh and now <= end_s + CORRECTION_S)
        self.export_wh[start_s, revision] = export_wh
        self.first_s.setdefault(start_s, now)

    def mint(self, start_s: int, revision: int) -> None:
        """What revision 1 says, once; nothing if it came later than seven days."""
        demand(revision == 1 and (start_s, 1) in self.export_wh and start_s not in self.minted)
        in_time = self.first_s[start_s] <= start_s + INTERVAL_S + MINTABLE_S
        self.minted[start_s] = Minted(self.export_wh[start_s, 1] if in_time else 0)

    def burn(self, start_s: int) -> None:
        """At the close."""
        demand(not self.minted[start_s].burned)
        self.minted[start_s].burned = True

    def is_minted(self, start_s: int) -> bool:
        """Whether there is energy for a settlement."""
        return (start_s, 1) in self.export_wh and start_s in self.minted
