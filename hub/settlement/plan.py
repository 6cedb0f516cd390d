"""Plans how an interval settles on the chain, pure: netted lines with payers first, their root, totals and steps.

The trades come from the market. The submitter sends the steps, and reconcile compares the chain with the lines.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from edge.wire import merkle
from hub.errors import PermanentError
from hub.market.orders import LINE_WH_LIMIT, Rates, Trade, credit, debit
from hub.settlement.lines import Line, line_leaf
from hub.units import Micros, Wh

WALLET_BYTES = 32


class PlanError(PermanentError):
    """The trades can not be settled as they are."""

    code = "plan_impossible"


@dataclass(frozen=True, slots=True)
class Totals:
    """The sums of all lines, and the charges, which are left in escrow when every receiver is paid."""

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
    """One transaction of a settlement; a settle step settles the lines [first_line, end_line)."""

    kind: str
    batch: int = 0
    first_line: int | None = None
    end_line: int | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that an interval's settlement commits to, before a transaction is sent."""

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
    """Plans an interval's settlement.

    Args:
        start_s: the interval's start, in s since 1970.
        trades: all trades of the interval.
        wallets: by participant, 32 bytes each.
        rates: in force at the start.
        minted_wh: the valid export of the oracle's revision 1.
        batch_lines: the most lines of a settle step.

    Raises:
        PlanError: a trader has no wallet, a line exceeds the program's limits, or sums do not agree.
    """
    lines = _lines(list(trades), wallets, rates)
    totals = _totals(lines, rates)
    if totals.sold_wh != totals.bought_wh or totals.debit_micros - totals.credit_micros != totals.charges_micros:
        raise PlanError(f"The lines of interval {start_s} do not add up ({totals}): keep the trades and report this")
    root = merkle.root([line_leaf(start_s, index, line) for index, line in enumerate(lines)])
    return Plan(start_s, lines, root, totals, minted_wh, tuple(_steps(len(lines), batch_lines)))


def _lines(trades: Sequence[Trade], wallets: Mapping[UUID, bytes], rates: Rates) -> tuple[Line, ...]:
    participants = {trade.seller_id for trade in trades} | {trade.buyer_id for trade in trades}
    # sold and bought Wh, credit and debit micros
    sums = {participant: [0, 0, 0, 0] for participant in participants}
    for trade in trades:
        seller, buyer = sums[trade.seller_id], sums[trade.buyer_id]
        seller[0] += trade.wh
        buyer[1] += trade.wh
        seller[2] += credit(trade)
        buyer[3] += debit(trade, rates.charges_mills)
    lines = [_line(participant, wallets.get(participant), figures) for participant, figures in sums.items()]
    return tuple(sorted(lines, key=lambda line: (not line.pays, line.participant_id)))


def _line(participant: UUID, wallet: bytes | None, figures: Sequence[int]) -> Line:
    sold, bought, credited, debited = figures
    if wallet is None or len(wallet) != WALLET_BYTES:
        raise PlanError(f"Participant {participant} traded without a wallet: link it before the interval can settle")
    if max(sold, bought) >= LINE_WH_LIMIT:
        raise PlanError(f"Participant {participant} traded {max(sold, bought)} Wh in one interval: a line holds 2^32")
    return Line(participant, wallet, Wh(sold), Wh(bought), Micros(credited), Micros(debited))


def _totals(lines: Iterable[Line], rates: Rates) -> Totals:
    figures = [(line.sold_wh, line.bought_wh, line.credit_micros, line.debit_micros) for line in lines]
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
    """Yields the steps in their order; an interval without lines is closed without being opened."""
    yield Step("attest")
    yield Step("mint")
    if line_count:
        yield Step("open")
        for batch, first in enumerate(range(0, line_count, batch_lines)):
            yield Step("settle", batch, first, min(first + batch_lines, line_count))
    yield Step("close")
