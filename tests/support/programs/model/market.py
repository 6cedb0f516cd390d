"""Custody in plain Python: balances, mandates, and what settlements may still take back."""

from dataclasses import dataclass, field

from support.programs.chain_lines import ChainLine
from support.programs.model.mandates import Mandates, Terms, demand_within
from support.programs.model.refusal import demand

DAY_S = 86_400
DAYS = 4
PLACES = 8


@dataclass
class Account:
    """Somebody's money in the market."""

    number: int
    balance_micros: int = 0
    nonce: int = 0
    mandates: Mandates = field(default_factory=Mandates)
    day_debits: dict[int, tuple[int, int]] = field(default_factory=dict)
    """By the day's number modulo four: the day, and what it has cost."""
    credits: dict[int, int] = field(default_factory=dict)
    """By the start of a settlement that is not over: what it may take back."""

    def withdraw(self, micros: int, now: int) -> None:
        """What is neither locked nor open."""
        rest = self.balance_micros - micros
        demand(micros > 0 and rest >= self.mandates.locked_micros(now) + self.open_micros())
        self.balance_micros = rest

    def pay(self, micros: int) -> None:
        """For a line; the reserve is there for it, open credits are not."""
        demand(self.balance_micros - micros >= self.open_micros())
        self.balance_micros -= micros

    def open_micros(self) -> int:
        """Credited by settlements that are not over."""
        return sum(self.credits.values())

    def demand_allowed(self, start_s: int, line: ChainLine) -> None:
        """A line of that interval is within the mandate and the day's limit."""
        terms = self.mandates.binding(start_s)
        demand_within(terms, line)
        demand(self._spent(start_s // DAY_S) + line.debit_micros <= terms.max_day_debit_micros)

    def count_day(self, start_s: int, line: ChainLine) -> None:
        """Adds a line's debit to its delivery day."""
        day = start_s // DAY_S
        self.day_debits[day % DAYS] = (day, self._spent(day) + line.debit_micros)

    def uncount_day(self, start_s: int, line: ChainLine) -> None:
        """Takes it back, if the day is still known."""
        day = start_s // DAY_S
        if self.day_debits.get(day % DAYS, (0, 0))[0] == day:
            self.day_debits[day % DAYS] = (day, self._spent(day) - line.debit_micros)

    def _spent(self, day: int) -> int:
        known, micros = self.day_debits.get(day % DAYS, (day, 0))
        demand(known <= day)
        return micros if known == day else 0


@dataclass
class Custody:
    """All accounts, and the money that wallets keep outside."""

    wallets_micros: dict[str, int]
    accounts: dict[str, Account] = field(default_factory=dict)

    def open_account(self, name: str) -> None:
        """Once; the caller has looked it up in the registry."""
        demand(name not in self.accounts)
        self.accounts[name] = Account(len(self.accounts))

    def account(self, name: str, by: str) -> Account:
        """Somebody's account, for its owner."""
        demand(name in self.accounts and by == name)
        return self.accounts[name]

    def deposit(self, name: str, micros: int, by: str) -> None:
        """From the wallet's own tokens."""
        account = self.account(name, by)
        demand(0 < micros <= self.wallets_micros[name])
        self.wallets_micros[name] -= micros
        account.balance_micros += micros

    def withdraw(self, name: str, micros: int, by: str, now: int) -> None:
        """To the wallet's tokens."""
        self.account(name, by).withdraw(micros, now)
        self.wallets_micros[name] += micros

    def sign(self, name: str, terms: Terms, nonce: int, by: str, now: int) -> None:
        """A mandate, by the next nonce."""
        account = self.account(name, by)
        demand(nonce == account.nonce + 1)
        account.mandates.sign(terms, now)
        account.nonce = nonce
