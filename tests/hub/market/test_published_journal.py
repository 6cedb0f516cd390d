"""The published journal: anybody can clear it again, and its hash covers every figure."""

from dataclasses import replace
from struct import unpack_from
from uuid import UUID

import pytest

from hub.market.auction.clearing import clear
from hub.market.auction.run import outcome_journal_hash, run_auction
from hub.market.orders import Order, Side
from hub.market.published_journal import JournalMalformedError, journal_bytes, journal_hash, pseudonyms, read_journal
from hub.units import PriceMills, Wh
from support.rows.order_books import START_S, order
from support.rows.worked_example import BASE_CASE, RATES

BOOK = [
    *(order(n, Side.ASK, 10 + n % 3, 2200) for n in range(500, 520)),
    *(order(n, Side.BID, 7, 4120) for n in range(20)),
]
HEADER, ORDER_BYTES = len(b"peerwatt/journal/1"), 32 + 29


def orders_in(published: bytes) -> list[Order]:
    """Decodes the orders of a journal without the product's decoder; participants are ranks."""
    (count,) = unpack_from("<I", published, HEADER + 24)
    orders = []
    for offset in range(HEADER + 32, HEADER + 32 + count * ORDER_BYTES, ORDER_BYTES):
        rank, ask, sequence, wh, limit = unpack_from("<IBqQQ", published, offset + 32)
        side = Side.ASK if ask else Side.BID
        order_id = published[offset : offset + 32]
        orders.append(Order(order_id, START_S, UUID(int=rank), side, sequence, Wh(wh), PriceMills(limit)))
    return orders


def test_an_outsider_clears_the_journal_to_the_same_trades() -> None:
    cleared = clear(START_S, BOOK)
    published = journal_bytes(START_S, BOOK, cleared.trades, cleared.price_mills, 130)
    again = clear(START_S, orders_in(published))
    assert again.price_mills == cleared.price_mills
    assert [t.trade_id for t in again.trades] == [t.trade_id for t in cleared.trades]
    assert [t.wh for t in again.trades] == [t.wh for t in cleared.trades]
    assert journal_bytes(START_S, orders_in(published), again.trades, again.price_mills, 130) == published


def test_pseudonyms_keep_the_order_of_names_and_say_nothing_else() -> None:
    cleared = clear(START_S, BOOK)
    published = journal_bytes(START_S, BOOK, cleared.trades, cleared.price_mills, 130)
    ranks = pseudonyms(BOOK, cleared.trades)
    assert sorted(ranks, key=ranks.__getitem__) == sorted(ranks)
    assert not any(o.participant_id.bytes in published for o in BOOK)


def test_the_hash_covers_every_figure() -> None:
    cleared = clear(START_S, BOOK)
    unchanged = journal_hash(START_S, BOOK, cleared.trades, cleared.price_mills, 130)
    first, *rest = cleared.trades
    changed = [
        journal_hash(START_S + 900, BOOK, cleared.trades, cleared.price_mills, 130),
        journal_hash(START_S, BOOK[1:], cleared.trades, cleared.price_mills, 130),
        journal_hash(START_S, [replace(BOOK[0], wh=Wh(11)), *BOOK[1:]], cleared.trades, cleared.price_mills, 130),
        journal_hash(START_S, BOOK, [replace(first, wh=Wh(1)), *rest], cleared.price_mills, 130),
        journal_hash(START_S, BOOK, cleared.trades, None, 130),
        journal_hash(START_S, BOOK, cleared.trades, cleared.price_mills, 131),
    ]
    assert len({unchanged, *changed}) == 1 + len(changed)


def test_the_order_of_arrival_changes_nothing() -> None:
    cleared = clear(START_S, BOOK)
    in_order = journal_hash(START_S, BOOK, cleared.trades, cleared.price_mills, 130)
    reverse = journal_hash(START_S, reversed(BOOK), reversed(cleared.trades), cleared.price_mills, 130)
    assert in_order == reverse


def test_forward_orders_and_trades_are_part_of_it() -> None:
    outcome = run_auction(BASE_CASE)
    with_forward = outcome_journal_hash(BASE_CASE, outcome)
    without_forward = journal_hash(
        START_S, outcome.orders, outcome.clearing.trades, outcome.clearing.price_mills, RATES.charges_mills
    )
    assert with_forward != without_forward


def test_what_was_published_is_read_back() -> None:
    outcome = run_auction(BASE_CASE)
    orders = (*BASE_CASE.forward_orders, *outcome.orders)
    for price in (None, outcome.clearing.price_mills):
        data = journal_bytes(START_S, orders, outcome.trades, price, 130)
        journal = read_journal(data)
        assert (journal.start_s, journal.price_mills, journal.charges_mills) == (START_S, price, 130)
        ranks = {participant: UUID(int=rank) for participant, rank in pseudonyms(orders, outcome.trades).items()}
        assert {replace(order, participant_id=ranks[order.participant_id], kind="residual") for order in orders} == set(
            journal.orders
        )
        assert {
            replace(trade, seller_id=ranks[trade.seller_id], buyer_id=ranks[trade.buyer_id]) for trade in outcome.trades
        } == set(journal.trades)
        assert [trade.wh for trade in journal.trades if trade.kind == "forward"] == [600]
        assert journal_bytes(START_S, journal.orders, journal.trades, price, 130) == data


def test_bytes_that_are_no_journal_are_refused() -> None:
    cleared = clear(START_S, BOOK)
    good = journal_bytes(START_S, BOOK, cleared.trades, cleared.price_mills, 130)
    first = good[HEADER + 32 :][:ORDER_BYTES]
    rank_7 = first[:32] + bytes([7]) + first[33:]
    for malformed in (b"", b"x" * 99, good[:-1], good + b"x", good[:HEADER], good.replace(first, rank_7)):
        with pytest.raises(JournalMalformedError) as refused:
            read_journal(malformed)
        assert refused.value.code == "journal_malformed"
