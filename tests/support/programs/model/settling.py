"""The settlement of an interval in plain Python: committed lines, those who pay first, and the way back."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum

from support.programs.campus_chain import INTERVAL_S
from support.programs.chain_lines import ChainLine
from support.programs.model.market import PLACES, Account
from support.programs.model.refusal import demand

OPEN_WINDOW_S = 12 * 3_600
ABORT_AFTER_S = 24 * 3_600
SETTLER = "settler"


class Status(Enum):
    """How far a settlement has come, as the program counts."""

    OPEN = 1
    CLOSED = 2
    ABORTED = 3
    EMPTY = 4
    RETURNING = 5


@dataclass(frozen=True)
class Share:
    """A line with its owner's name."""

    name: str
    line: ChainLine

    @property
    def net_micros(self) -> int:
        """Credited on balance; below zero it is paid."""
        return self.line.credit_micros - self.line.debit_micros


@dataclass(frozen=True)
class Totals:
    """What a settlement commits to beside its lines."""

    line_count: int
    sold_wh: int
    bought_wh: int
    credit_micros: int
    debit_micros: int

    @classmethod
    def of(cls, shares: Sequence[Share]) -> "Totals":
        """The sums of lines."""
        lines = [share.line for share in shares]
        return cls(
            len(lines),
            sum(line.sold_wh for line in lines),
            sum(line.bought_wh for line in lines),
            sum(line.credit_micros for line in lines),
            sum(line.debit_micros for line in lines),
        )

    def covers(self, other: "Totals") -> bool:
        """Whether the other's sums stay within these."""
        return all(mine >= theirs for mine, theirs in zip(vars(self).values(), vars(other).values(), strict=True))


@dataclass
class Settlement:
    """An interval's."""

    start_s: int
    status: Status = Status.OPEN
    committed: list[Share] = field(default_factory=list)
    totals: Totals = field(default_factory=lambda: Totals.of([]))
    charges_micros: int = 0
    accounts: int = 0
    """Of the market when it opened."""
    settled: list[Share] = field(default_factory=list)
    returned: set[int] = field(default_factory=set)
    escrow_micros: int = 0
    credits: bool = False
    """Whether it holds one of the market's places for settlements that have credited accounts."""

    @property
    def is_over(self) -> bool:
        """Whether nothing moves any more."""
        return self.status not in {Status.OPEN, Status.RETURNING}

    def settle(self, first: int, shares: Sequence[Share], accounts: dict[str, Account], others_crediting: int) -> None:
        """The next lines; each is within its account's mandate, and none receives before the others have paid."""
        demand(self.status == Status.OPEN and first == len(self.settled) and bool(shares))
        for share in shares:
            self._settle(share, accounts[share.name], others_crediting)

    def _settle(self, share: Share, account: Account, others_crediting: int) -> None:
        demand(account.number < self.accounts and share.name not in {known.name for known in self.settled})
        self.settled.append(share)
        demand(self.totals.covers(Totals.of(self.settled)))
        account.demand_allowed(self.start_s, share.line)
        if share.net_micros < 0:
            demand(not self.credits)
            account.pay(-share.net_micros)
        else:
            demand(self.credits or others_crediting < PLACES)
            self.credits = True
            account.balance_micros += share.net_micros
            account.credits[self.start_s] = share.net_micros
        self.escrow_micros -= share.net_micros
        demand(self.escrow_micros >= 0)
        account.count_day(self.start_s, share.line)

    def close(self) -> None:
        """All lines are settled, and they are those that were committed to; the escrow is the charges."""
        demand(self.status == Status.OPEN and self.settled == self.committed)
        demand(Totals.of(self.settled) == self.totals and self.escrow_micros == self.charges_micros)
        self.escrow_micros, self.status = 0, Status.CLOSED

    def abort(self, by: str, now: int) -> None:
        """By the settler, or by anybody a day after the interval."""
        demand(self.status == Status.OPEN)
        demand(by == SETTLER or now >= self.start_s + INTERVAL_S + ABORT_AFTER_S)
        self.status = Status.RETURNING

    def give_back(self, first: int, shares: Sequence[Share], accounts: dict[str, Account]) -> None:
        """Undoes settled lines, the last one first."""
        end = first + len(shares)
        demand(self.status == Status.RETURNING and bool(shares) and self.settled[first:end] == list(shares))
        for number in reversed(range(first, end)):
            share, account = self.settled[number], accounts[self.settled[number].name]
            demand(number not in self.returned)
            self.returned.add(number)
            if share.net_micros >= 0:
                del account.credits[self.start_s]
            account.balance_micros -= share.net_micros
            self.escrow_micros += share.net_micros
            demand(self.escrow_micros >= 0)
            account.uncount_day(self.start_s, share.line)

    def close_aborted(self) -> None:
        """Everything is returned."""
        demand(self.status == Status.RETURNING and len(self.returned) == len(self.settled))
        self.status = Status.ABORTED
