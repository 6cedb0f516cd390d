"""Each finding of the checks that read the journal, in its words: a forgery that it alone finds, up to its bound."""

from collections.abc import Sequence
from dataclasses import replace
from hashlib import sha256
from typing import Any

import pytest

from hub.audit.audit import check_interval
from hub.audit.checks import Verdict
from hub.audit.facts import OPEN_WINDOW_S, PublicInterval, Revision, SettledLine, Settlement, SettlementStatus
from hub.market.auction.run import run_auction
from hub.market.orders import RESIDUAL_SEQUENCE, Order, Side, Trade, trade_id
from hub.market.published_journal import journal_bytes
from hub.units import Micros, PriceMills, Wh
from support.programs.public_facts import first, line, settlement
from support.rows.worked_example import ASK, BASE, BID, FORWARD, INTERVAL_S, RATES, START_S, A, B, C

OUTCOME = run_auction(BASE.inputs)
RESIDUALS, EX_POST = tuple(OUTCOME.orders), OUTCOME.clearing.trades
END_S = START_S + INTERVAL_S


def shown(
    orders: Sequence[Order] = (ASK, BID, *RESIDUALS),
    trades: Sequence[Trade] = OUTCOME.trades,
    price_mills: int | None = BASE.price_mills,
    **committed: Any,
) -> PublicInterval:
    """Returns the worked example as an outsider sees it, with a forward trade; the settlement commits to the journal.

    ``committed`` are changed fields of the settlement.
    """
    journal = journal_bytes(START_S, orders, trades, price_mills, RATES.charges_mills)
    lines = tuple(
        SettledLine(one.participant_id.bytes, Wh(one.sold_wh), Wh(one.bought_wh), Micros(one.credit_micros),
                    Micros(one.debit_micros))
        for one in BASE.lines
    )  # fmt: skip
    made = Settlement(
        status=SettlementStatus.CLOSED, opened_s=END_S, closed_s=END_S, lines_root=bytes(32),
        journal_hash=sha256(journal).digest(), line_count=3, cursor=3, sold_wh=Wh(1_000), bought_wh=Wh(1_000),
        credit_micros=Micros(0), debit_micros=Micros(0), clearing_price_mills=PriceMills(price_mills or 0), rates=RATES,
    )  # fmt: skip
    attested = Revision(1, START_S, END_S, bytes(32), 3, 0, Wh(1_400), Wh(1_000), END_S)
    return PublicInterval(
        START_S, END_S, END_S, (attested,), Wh(1_000), replace(made, **committed), lines, RATES, (), journal
    )


def found(interval: PublicInterval, check: str) -> str:
    """Returns what the check finds, joined by " | "; nothing when it passes."""
    result = next(result for result in check_interval(interval) if result.check == check)
    assert result.verdict is not Verdict.UNCHECKED, result.details
    return " | ".join(result.details)


def reason(interval: PublicInterval, check: str) -> str:
    """Returns why the check was not made."""
    result = next(result for result in check_interval(interval) if result.check == check)
    assert result.verdict is Verdict.UNCHECKED
    return result.details[0]


def forward(ask: Order = ASK, bid: Order = BID, fill_index: int = 0, **changes: Any) -> Trade:
    """Returns the example's forward trade with changes; its id is the hash of its content."""
    agreed: dict[str, Any] = {"seller_id": ask.participant_id, "buyer_id": bid.participant_id}
    ids = {"ask_order_id": ask.order_id, "bid_order_id": bid.order_id, "fill_index": fill_index}
    trade = replace(FORWARD, **agreed | ids | changes)
    made = trade_id(START_S, trade.ask_order_id, trade.bid_order_id, fill_index, trade.wh, trade.price_mills)
    return replace(trade, trade_id=made)


def residual(participant: Any, side: Side, wh: int, limit_mills: int = 3_000) -> Order:
    return Order(sha256(b"%d" % wh).digest(), START_S, participant, side, RESIDUAL_SEQUENCE, Wh(wh),
                 PriceMills(limit_mills))  # fmt: skip


def test_the_example_passes() -> None:
    checks = ("journal_committed", "clears_again", "limits_within_tariffs", "forward_within_orders", "orders_backed")
    assert [found(shown(), check) for check in (*checks, "trades_net_to_lines")] == [""] * 6
    assert found(replace(shown(), journal_requested=False), "journal_committed") == ""


# The commitment ------------------------------------------------------------------------------------------------------


def test_a_journal_is_what_the_settlement_committed_to() -> None:
    malformed = replace(shown(journal_hash=sha256(b"x").digest()), journal=b"x")
    start = START_S + INTERVAL_S
    differing: tuple[tuple[PublicInterval, str], ...] = (
        (replace(shown(), journal=None), "the hub publishes no journal of this interval"),
        (shown(journal_hash=bytes(32)), f"the journal's SHA-256 is not the committed {'00' * 32}"),
        (malformed, "These 1 bytes are no journal (it does not begin as one): ask for it again"),
        (replace(shown(), start_s=start), f"the journal's start is {START_S}, the settlement's {start}"),
        (shown(clearing_price_mills=PriceMills(1)), "the journal's price is 4120, the settlement's 1"),
        (shown(price_mills=None, clearing_price_mills=PriceMills(1)), "the journal's price is 0, the settlement's 1"),
        (
            shown(rates=replace(RATES, loss_mills=PriceMills(6))),
            "the journal's charges is 130, the settlement's 131",
        ),
    )
    assert [found(interval, "journal_committed") for interval, _ in differing] == [text for _, text in differing]
    assert found(shown(price_mills=None), "journal_committed") == ""


def test_what_can_not_be_checked_says_why() -> None:
    asked_nobody = replace(shown(), journal=None, journal_requested=False)
    assert reason(asked_nobody, "journal_committed") == "no journal was given: name the hub or a file"
    aborted = shown(status=SettlementStatus.ABORTED, closed_s=0)
    assert reason(aborted, "journal_committed") == "no line counts: the settlement is aborted"
    assert reason(aborted, "clears_again") == "no line counts: the settlement is aborted"
    assert reason(replace(shown(), journal=b"x"), "clears_again") == "there is no journal to read"
    assert reason(replace(shown(), revisions=()), "orders_backed") == "it is not attested"
    assert reason(shown(), "empty_without_trades") == "it was not closed without lines"
    assert reason(replace(shown(), settlement=None), "empty_without_trades") == "it was not closed without lines"
    empty = settlement(asked_nobody, status=SettlementStatus.EMPTY)
    assert reason(empty, "empty_without_trades") == "there is no journal to read"


# The auction ---------------------------------------------------------------------------------------------------------


def test_the_orders_clear_to_the_price_and_the_trades_shown() -> None:
    assert found(shown(price_mills=4_121), "clears_again") == "the orders clear at 4120 mills, not at 4121"
    (moved, *others) = EX_POST
    changed = replace(moved, wh=Wh(moved.wh + 1))
    assert found(shown(trades=(FORWARD, changed, *others)), "clears_again") == (
        f"the orders clear to {len(EX_POST)} trades over 400 Wh; the journal has {len(EX_POST)} over 401 Wh, of which "
        f"{len(others)} are the same"
    )
    assert found(shown(trades=(FORWARD, *others)), "clears_again") == (
        f"the orders clear to {len(EX_POST)} trades over 400 Wh; the journal has {len(others)} over "
        f"{400 - moved.wh} Wh, of which 0 are the same"
    )
    twice = (ASK, BID, *RESIDUALS, replace(RESIDUALS[0], order_id=bytes(32)))
    assert found(shown(orders=twice), "clears_again") == (
        "no auction could be held with these orders: "
        "Participant 00000000-0000-0000-0000-000000000000 has two orders: merge them into one"
    )


def test_nobody_trades_worse_than_with_the_utility() -> None:
    cheap, dear = residual(A, Side.ASK, 1, RATES.export_tariff_mills), residual(C, Side.BID, 2, 4_870)
    check = "limits_within_tariffs"
    assert found(shown(orders=(ASK, BID, cheap, dear)), check) == ""
    assert found(shown(orders=(ASK, BID, replace(cheap, limit_mills=PriceMills(2_199)), dear)), check) == (
        "rank 0 asks 2199 mills, below the export tariff 2200"
    )
    assert found(shown(orders=(ASK, BID, cheap, replace(dear, limit_mills=PriceMills(4_871)))), check) == (
        "rank 2 bids 5001 mills all-in, above the import tariff 5000"
    )
    assert found(shown(orders=(ASK, BID, replace(cheap, side=Side.BID, limit_mills=PriceMills(0)))), check) == ""
    assert found(shown(orders=(ASK, BID, replace(dear, side=Side.ASK, limit_mills=PriceMills(9_999)))), check) == ""


# Forward trades ------------------------------------------------------------------------------------------------------

MADE_UP = "the forward trade {} does not follow from its orders"
OTHER_ASK = replace(ASK, order_id=b"o" * 32, participant_id=C)


@pytest.mark.parametrize(
    ("orders", "trade"),
    [
        ((ASK, BID), replace(forward(), trade_id=bytes(32))),
        ((ASK, BID), forward(fill_index=0, price_mills=PriceMills(2_999))),
        ((ASK, BID), forward(price_mills=PriceMills(3_001))),
        ((ASK, BID), forward(seller_id=C)),
        ((ASK, BID), forward(buyer_id=C)),
        ((BID,), forward()),
        ((ASK,), forward()),
        ((replace(ASK, side=Side.BID), BID), forward()),
        ((ASK, replace(BID, side=Side.ASK)), forward()),
        ((ASK, replace(BID, participant_id=A)), forward(bid=replace(BID, participant_id=A))),
        ((ASK, BID, OTHER_ASK), forward(ask_order_id=OTHER_ASK.order_id)),
    ],
    ids=["another id", "below the ask's limit", "above the bid's limit", "another seller", "another buyer", "no ask",
         "no bid", "the ask is a bid", "the bid is an ask", "with oneself", "another's ask"],
)  # fmt: skip
def test_a_forward_trade_that_its_orders_do_not_make(orders: Sequence[Order], trade: Trade) -> None:
    text = MADE_UP.format(trade.trade_id.hex())
    assert found(shown(orders=(*orders, *RESIDUALS), trades=(trade, *EX_POST)), "forward_within_orders") == text


def test_forward_trades_fill_an_order_once() -> None:
    """The ids of the trades are right; only the sum is more than was ordered."""
    halves = tuple(forward(fill_index=n, wh=Wh(300)) for n in (0, 1))
    assert found(shown(trades=(*halves, *EX_POST)), "forward_within_orders") == ""
    over = f"the order {ASK.order_id.hex()} of 600 Wh was filled with 601 Wh"
    larger = replace(BID, wh=Wh(601))
    more = (forward(wh=Wh(300)), forward(fill_index=1, wh=Wh(301)))
    assert found(shown(orders=(ASK, larger, *RESIDUALS), trades=(*more, *EX_POST)), "forward_within_orders") == over
    whole = (forward(wh=Wh(601)), *EX_POST)
    assert found(shown(orders=(ASK, larger, *RESIDUALS), trades=whole), "forward_within_orders") == over
    over_bid = f"the order {BID.order_id.hex()} of 600 Wh was filled with 601 Wh"
    supply = replace(ASK, wh=Wh(601))
    assert found(shown(orders=(supply, BID, *RESIDUALS), trades=whole), "forward_within_orders") == over_bid


# Energy --------------------------------------------------------------------------------------------------------------


def test_the_orders_and_forward_trades_stand_for_no_more_than_was_attested() -> None:
    check = "orders_backed"
    assert found(first(shown(), export_wh=Wh(900), import_wh=Wh(800)), check) == ""
    assert found(first(shown(), export_wh=Wh(899)), check) == (
        "the orders stand for at least 900 Wh of export, 899 Wh are attested"
    )
    assert found(first(shown(), import_wh=Wh(799)), check) == (
        "the orders stand for at least 800 Wh of import, 799 Wh are attested"
    )


@pytest.mark.parametrize(("bid_wh", "import_wh"), [(650, 50), (550, 0)])
def test_who_sold_forward_and_buys_has_imported_the_difference(bid_wh: int, import_wh: int) -> None:
    """A sold 600 Wh forward and buys; B bought them and sells 20 again, which were never exported."""
    bid, ask = residual(A, Side.BID, bid_wh), residual(B, Side.ASK, 20, 4_000)
    interval = shown(orders=(ASK, BID, bid, ask), trades=(FORWARD,), price_mills=None)
    assert found(first(interval, export_wh=Wh(0), import_wh=Wh(import_wh)), "orders_backed") == ""
    if import_wh:
        assert found(first(interval, export_wh=Wh(0), import_wh=Wh(import_wh - 1)), "orders_backed") != ""


# Money ---------------------------------------------------------------------------------------------------------------


def test_the_lines_are_what_the_trades_net_to() -> None:
    check, interval = "trades_net_to_lines", shown()
    traded = "a rank's trades come to 100 Wh sold, 600 Wh bought, 412000 micros credit, 1878000 micros debit, which "
    settled = "no rank's trades come to 100 Wh sold, 600 Wh bought, 412000 micros credit, 1878001 micros debit, which "
    more = line(interval, debit_micros=Micros(1_878_001))
    assert found(more, check) == f"{settled}was settled | {traded}was not settled"
    assert found(settlement(more, cursor=2), check) == settled + "was settled"
    assert found(replace(interval, lines=interval.lines[1:]), check) == traded + "was not settled"
    assert found(settlement(replace(interval, lines=interval.lines[1:]), cursor=2), check) == ""
    none = replace(interval, lines=())
    assert found(none, check).endswith("debit (and 2 more), which was not settled")
    assert found(replace(interval, lines=(*interval.lines, interval.lines[0])), check) == (
        "no rank's trades come to 100 Wh sold, 600 Wh bought, 412000 micros credit, 1878000 micros debit, which was "
        "settled"
    )


def test_an_interval_is_closed_empty_when_nothing_was_traded() -> None:
    check = "empty_without_trades"
    empty: dict[str, Any] = {"status": SettlementStatus.EMPTY, "closed_s": END_S + OPEN_WINDOW_S}
    suppressed = "its orders clear to {} Wh, and the settler closed it without a line"
    assert found(shown(**empty), check) == suppressed.format(400)
    assert found(shown(**empty | {"closed_s": END_S + OPEN_WINDOW_S + 1}), check) == ""
    assert found(shown((ASK, BID), (FORWARD,), None, **empty), check) == suppressed.format(0)
    assert found(shown(RESIDUALS, (), None, **empty), check) == suppressed.format(400)
    assert found(shown((), (), None, **empty), check) == ""
    twice = (*RESIDUALS, replace(RESIDUALS[0], order_id=bytes(32)))
    assert found(shown(twice, (), None, **empty), check).startswith("no auction could be held with these orders: ")
