"""The whole campus in plain Python: says of every action whether it is allowed, and what it leads to."""

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from support.programs.campus_chain import INTERVAL_S
from support.programs.model.attested import Attested
from support.programs.model.decided import Governance
from support.programs.model.market import Custody
from support.programs.model.people import Registry
from support.programs.model.refusal import RefusedError, demand
from support.programs.model.settling import OPEN_WINDOW_S, SETTLER, Settlement, Share, Status, Totals

FIRST_CHARGES_MILLS = 130


@dataclass
class Model:
    """Everything that the five programs keep, and the clock."""

    now: int
    custody: Custody
    registry: Registry = field(default_factory=Registry)
    attested: Attested = field(default_factory=Attested)
    governance: Governance = field(default_factory=lambda: Governance([(0, FIRST_CHARGES_MILLS)]))
    settlements: dict[int, Settlement] = field(default_factory=dict)
    vaults_micros: int = 0

    def after(self, act: Callable[["Model"], None]) -> "Model | None":
        """The campus after an action, or None when it is refused."""
        trial = copy.deepcopy(self)
        try:
            act(trial)
        except RefusedError:
            return None
        return trial

    def open_account(self, name: str) -> None:
        """For active participants."""
        demand(self.registry.is_active(name))
        self.custody.open_account(name)

    def open(self, start_s: int, shares: Sequence[Share], totals: Totals, by: str) -> None:
        """The settler commits to lines of an interval that is minted and ended at most 12 hours ago."""
        demand(by == SETTLER and not self.governance.paused and start_s not in self.settlements)
        demand(self.attested.is_minted(start_s) and self.now <= start_s + INTERVAL_S + OPEN_WINDOW_S)
        accounts = len(self.custody.accounts)
        demand(0 < totals.line_count <= accounts and totals.sold_wh == totals.bought_wh > 0)
        charges = totals.bought_wh * self.governance.charges_mills(start_s)
        demand(totals.debit_micros - totals.credit_micros == charges)
        made = Settlement(start_s, Status.OPEN, list(shares), totals, charges, accounts)
        self.settlements[start_s] = made

    def settle(self, start_s: int, first: int, shares: Sequence[Share], by: str) -> None:
        """The settler moves the next lines' money."""
        demand(by == SETTLER)
        crediting = sum(settlement.credits and not settlement.is_over for settlement in self.settlements.values())
        self.settlements[start_s].settle(first, shares, self.custody.accounts, crediting)

    def close(self, start_s: int, by: str) -> None:
        """The settler ends a settlement: credits are final, the charges are the vaults'."""
        demand(by == SETTLER)
        settlement = self.settlements[start_s]
        settlement.close()
        self.vaults_micros += settlement.charges_micros
        self._end(start_s)

    def abort(self, start_s: int, by: str) -> None:
        """Ends the settling."""
        self.settlements[start_s].abort(by, self.now)

    def give_back(self, start_s: int, first: int, shares: Sequence[Share]) -> None:
        """Anybody brings lines back."""
        self.settlements[start_s].give_back(first, shares, self.custody.accounts)

    def close_aborted(self, start_s: int) -> None:
        """Anybody ends what is returned."""
        self.settlements[start_s].close_aborted()
        self._end(start_s)

    def close_empty(self, start_s: int, by: str) -> None:
        """The settler, or anybody when it is too late to open, ends an interval without lines."""
        demand(start_s not in self.settlements and self.attested.is_minted(start_s))
        demand(by == SETTLER or self.now > start_s + INTERVAL_S + OPEN_WINDOW_S)
        self.settlements[start_s] = Settlement(start_s, Status.EMPTY)
        self._end(start_s)

    def _end(self, start_s: int) -> None:
        for account in self.custody.accounts.values():
            account.credits.pop(start_s, None)
        self.attested.burn(start_s)
