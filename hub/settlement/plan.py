"""From an interval's trades to what has to happen on the chain, pure: netted lines, payers first, root and totals.

The trades come from the market; the submitter sends the steps, and reconcile compares the chain with the lines.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from edge.wire import merkle
from hub.errors import PermanentError
from hub.market.orders import Rates, Trade, credit, debit
from hub.settlement.lines import Line, line_leaf
from hub.units import Micros, Wh

LINE_WH_LIMIT = 2**32
"""The trading program takes 32 bits of Wh per line."""

WALLET_BYTES = 32


class PlanError(PermanentError):
    """Trades that can not be settled as they are."""

    code = "plan_impossible"


@dataclass(frozen=True, slots=True)
class Totals:
    """Sums of all lines, and the charges that are left in escrow when everybody is paid."""

    sold_wh: Wh
    bought_wh: Wh
    credit_micros: Micros
    debit_micros: Micros
    wheeling_micros: Micros
    platform_micros: Micros
    loss_micros: Micros

    @property
    def charges_micros(self) -> Micros:
        return Micros(self.wheeling_micros + self.platform_micros + self.loss_micros)


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that has to happen on the chain; a settle step carries the lines [first_line, end_line)."""

    kind: str
    batch: int = 0
    first_line: int | None = None
    end_line: int | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that an interval's settlement commits to before anything is sent."""

    start_s: int
    lines: tuple[Line, ...]
    lines_root: bytes
    totals: Totals
    minted_wh: Wh
    steps: tuple[Step, ...]


def plan(
    start_s: int,
    trades: Iterable[Trade],
    wallets: Mapping[UUID, bytes],
    rates: Rates,
    *,
    minted_wh: Wh,
    batch_lines: int,
) -> Plan:
    """Plans an interval; ``minted_wh`` is the valid export of the oracle's revision 1.

    Raises:
        PlanError: a trader without a wallet, a line beyond the program's limits, or sums that do not agree.
    """
    traded = list(trades)
    lines = _lines(traded, wallets, rates)
    totals = _totals(lines, rates)
    if totals.sold_wh != totals.bought_wh or totals.debit_micros - totals.credit_micros != totals.charges_micros:
        raise PlanError(f"The lines of interval {start_s} do not add up ({totals}): keep the trades and report this")
    root = merkle.root([line_leaf(start_s, i, line) for i, line in enumerate(lines)])
    return Plan(start_s, lines, root, totals, minted_wh, tuple(_steps(len(lines), batch_lines)))


def _lines(trades: Sequence[Trade], wallets: Mapping[UUID, bytes], rates: Rates) -> tuple[Line, ...]:
    people = {t.seller_id for t in trades} | {t.buyer_id for t in trades}
    sums = {p: [0, 0, 0, 0] for p in people}
    for t in trades:
        seller, buyer = sums[t.seller_id], sums[t.buyer_id]
        seller[0] += t.wh
        buyer[1] += t.wh
        seller[2] += credit(t)
        buyer[3] += debit(t, rates.charges_mills)
    lines = [_line(p, wallets.get(p), s) for p, s in sums.items()]
    return tuple(sorted(lines, key=lambda line: (not line.pays, line.participant_id)))


def _line(participant: UUID, wallet: bytes | None, sums: Sequence[int]) -> Line:
    sold, bought, credited, debited = sums
    if wallet is None or len(wallet) != WALLET_BYTES:
        raise PlanError(f"Participant {participant} traded without a wallet: link it before the interval can settle")
    if max(sold, bought) >= LINE_WH_LIMIT:
        raise PlanError(f"Participant {participant} traded {max(sold, bought)} Wh in one interval: a line holds 2^32")
    return Line(participant, wallet, Wh(sold), Wh(bought), Micros(credited), Micros(debited))


def _totals(lines: Iterable[Line], rates: Rates) -> Totals:
    figures = [(li.sold_wh, li.bought_wh, li.credit_micros, li.debit_micros) for li in lines]
    sold, bought, credited, debited = (sum(column) for column in zip(*figures, strict=True)) if figures else (0,) * 4
    return Totals(
        Wh(sold),
        Wh(bought),
        Micros(credited),
        Micros(debited),
        Micros(bought * rates.wheeling_mills),
        Micros(bought * rates.platform_mills),
        Micros(bought * rates.loss_mills),
    )


def _steps(line_count: int, batch_lines: int) -> Iterator[Step]:
    """In their order; without lines there is nothing to open, and close is with zero lines."""
    yield Step("attest")
    yield Step("mint")
    if line_count:
        yield Step("open")
        for batch, first in enumerate(range(0, line_count, batch_lines)):
            yield Step("settle", batch, first, min(first + batch_lines, line_count))
    yield Step("close")
