"""Mandates in plain Python: what a wallet has signed, which mandate binds an interval, and what is locked by it."""

from dataclasses import dataclass, field

from support.programs.campus_chain import INTERVAL_S
from support.programs.chain_lines import ChainLine
from support.programs.model.refusal import demand

MOST_MANDATES = 4
MAX_HORIZON_S = 48 * 3_600
MAX_TERM_S = 5 * 366 * 86_400
RELEASE_S = 24 * 3_600


@dataclass(frozen=True)
class Terms:
    """What is signed. Each field but the minimum price allows more the larger it is."""

    expiry_s: int
    max_price_mills: int = 5_000
    min_price_mills: int = 2_000
    max_wh: int = 10_000
    horizon_s: int = 3_600
    max_debit_micros: int = 8_000_000
    max_day_debit_micros: int = 20_000_000
    reserve_micros: int = 1_000_000

    def allows_all_of(self, other: "Terms") -> bool:
        """Whether nothing is narrower than in the other."""
        mine, theirs = vars(self), vars(other)
        cheaper = self.min_price_mills <= other.min_price_mills
        return cheaper and all(mine[name] >= theirs[name] for name in mine if name != "min_price_mills")


@dataclass(frozen=True)
class Mandate:
    """Terms, and the first second at which an interval may start under them."""

    terms: Terms
    valid_from_s: int

    def last_start(self, next_from: int | None) -> int | None:
        """Of the last interval that it binds; None when it binds none."""
        latest = self.terms.expiry_s - INTERVAL_S
        latest = latest if next_from is None else min(latest, next_from - 1)
        start = latest // INTERVAL_S * INTERVAL_S
        return start if start >= self.valid_from_s else None

    def released_s(self, next_from: int | None) -> int | None:
        """When its reserve is free; None when there is nothing to wait for."""
        start = self.last_start(next_from)
        return None if start is None else start + INTERVAL_S + RELEASE_S

    def is_newest_at_a_start(self, next_from: int) -> bool:
        """Whether an interval starts between it and the next one, expired or not."""
        return (next_from - 1) // INTERVAL_S * INTERVAL_S >= self.valid_from_s


@dataclass
class Mandates:
    """Oldest first."""

    used: list[Mandate] = field(default_factory=list)

    def binding(self, start_s: int) -> Terms:
        """Of the interval that starts then."""
        begun = [mandate for mandate in self.used if mandate.valid_from_s <= start_s]
        demand(bool(begun) and start_s + INTERVAL_S <= begun[-1].terms.expiry_s)
        return begun[-1].terms

    def locked_micros(self, now: int) -> int:
        """The largest reserve that is not released."""
        following = [*(mandate.valid_from_s for mandate in self.used[1:]), None]
        held = [
            mandate.terms.reserve_micros
            for mandate, next_from in zip(self.used, following, strict=False)
            if (released := mandate.released_s(next_from)) is not None and now < released
        ]
        return max(held, default=0)

    def sign(self, terms: Terms, now: int) -> None:
        """Wider terms bind at once, narrower ones after the horizon, and never before the last ones do."""
        demand(terms.horizon_s <= MAX_HORIZON_S and 0 <= terms.expiry_s <= now + MAX_TERM_S)
        valid_from_s = self._valid_from(terms, now)
        while self.used and not self.used[-1].is_newest_at_a_start(valid_from_s):
            self.used.pop()
        while self.used and self._is_released(valid_from_s, now):
            self.used.pop(0)
        demand(len(self.used) < MOST_MANDATES)
        self.used.append(Mandate(terms, valid_from_s))

    def _valid_from(self, terms: Terms, now: int) -> int:
        if not self.used:
            return now
        last = self.used[-1]
        over = last.terms.expiry_s < max(now, last.valid_from_s) + INTERVAL_S
        at_once = terms.allows_all_of(last.terms) or over
        return max(last.valid_from_s, now if at_once else now + last.terms.horizon_s + 1)

    def _is_released(self, next_from: int, now: int) -> bool:
        following = self.used[1].valid_from_s if len(self.used) > 1 else next_from
        released = self.used[0].released_s(following)
        return released is None or now >= released


def demand_within(terms: Terms, line: ChainLine) -> None:
    """A line keeps to the terms, its delivery day apart."""
    demand(max(line.sold_wh, line.bought_wh) <= terms.max_wh)
    demand(line.debit_micros <= line.bought_wh * terms.max_price_mills)
    demand(line.credit_micros >= line.sold_wh * terms.min_price_mills)
    demand(line.debit_micros <= terms.max_debit_micros)
